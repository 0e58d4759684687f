from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.alerts.contract import AlertEvent
from openclaw_stream.alerts.reader import AlertReader
from openclaw_stream.alerts.resource_names import member_of
from openclaw_stream.alerts.severity import Severities
from openclaw_stream.alerts.subject import Subject
from openclaw_stream.errors import PoisonError
from openclaw_stream.vocabulary import Severity
from tests.alerts.records import JSON_VALUES, READER, RECORD


def read(**fields: Any) -> Alert:
    warnings: list[str] = []
    alert = READER.read({"alert_type": "HighErrorRate", **fields}, RECORD, warnings)
    assert warnings == []
    return alert


def warned(**fields: Any) -> tuple[Alert, str]:
    warnings: list[str] = []
    alert = READER.read({"alert_type": "HighErrorRate", **fields}, RECORD, warnings)
    (warning,) = warnings
    return alert, warning


def test_every_field_is_read() -> None:
    assert read(
        severity="P0",
        status="resolved",
        source="prometheus",
        namespace="shop",
        service="checkout",
        target_resource="deployment/checkout",
        message="it burns",
        metrics={"rps": 12, "p99_ms": 1.5},
        labels={"cluster": "prod-1"},
        annotations={"summary": "burning"},
        fingerprint="5c1ffe0c7a6d3b21",
        starts_at="2026-11-22T11:13:04.880187256Z",
        ends_at=1_795_345_999,
        generator_url="https://prometheus.example.org/graph",
        unknown_field=[1, {"a": None}],
    ) == Alert(
        name="HighErrorRate",
        severity=Severity.CRITICAL,
        firing=False,
        starts_at=1_795_345_984_880,
        ends_at=1_795_345_999_000,
        fingerprint="5c1ffe0c7a6d3b21",
        member=member_of("5c1ffe0c7a6d3b21"),
        group_key="shop/checkout",
        subject=Subject("service", "shop", "checkout"),
        namespace="shop",
        service="checkout",
        source="prometheus",
        target_resource="deployment/checkout",
        message="it burns",
        labels={"cluster": "prod-1"},
        annotations={"summary": "burning"},
        metrics={"rps": 12.0, "p99_ms": 1.5},
        generator_url="https://prometheus.example.org/graph",
    )


def test_only_the_name_is_required() -> None:
    alert = read()
    assert (alert.severity, alert.firing, alert.starts_at, alert.ends_at) == (Severity.WARNING, True, 0, 0)
    assert (alert.group_key, alert.subject) == ("/HighErrorRate", Subject("alert", "", "HighErrorRate"))
    assert (alert.labels, alert.annotations, alert.metrics) == ({}, {}, {})


def test_null_means_missing() -> None:
    fields = "severity status source namespace service target_resource message metrics labels annotations fingerprint"
    nothing = dict.fromkeys([*fields.split(), "starts_at", "ends_at", "generator_url"])
    assert read(**nothing) == read()


@pytest.mark.parametrize(
    "document",
    [
        {"alert_type": "A"},
        {"alertname": "A"},
        {"alert_name": " A "},
        {"labels": {"alertname": "A"}},
        {"alert_type": "", "alertname": None, "alert_name": "A"},
        {"alert_type": "A", "alertname": "B", "labels": {"alertname": "C"}},
    ],
)
def test_the_name_has_aliases(document: dict[str, Any]) -> None:
    assert READER.read(document, RECORD, []).name == "A"


def test_a_field_overrides_the_label_of_the_same_name() -> None:
    labels = {
        "severity": "info",
        "namespace": "other",
        "service": "other",
        "source": "other",
        "target_resource": "pod/other",
    }
    bare, full = (
        read(labels=labels),
        read(
            labels=labels,
            severity="critical",
            namespace="shop",
            service="checkout",
            source="prometheus",
            target_resource="deployment/checkout",
        ),
    )
    assert (bare.severity, bare.namespace, bare.service) == (Severity.INFO, "other", "other")
    assert (bare.source, bare.target_resource) == ("other", "pod/other")
    assert (full.severity, full.namespace, full.service) == (Severity.CRITICAL, "shop", "checkout")
    assert (full.source, full.target_resource) == ("prometheus", "deployment/checkout")


@pytest.mark.parametrize("severity", ["purple", 3, True, 1.5, ["a"]])
def test_a_severity_that_is_not_known_means_warning_and_is_reported(severity: object) -> None:
    alert, warning = warned(severity=severity)
    assert alert.severity is Severity.WARNING
    assert warning.startswith("severity: ")
    assert "OPENCLAW_SEVERITIES" in warning
    assert alert.warnings == (warning,)


def test_an_empty_severity_means_warning() -> None:
    assert read(severity="").severity is Severity.WARNING


def test_the_operators_severities_are_read() -> None:
    reader = AlertReader(severities=Severities({"P1": Severity.CRITICAL}))
    assert reader.read({"alert_type": "A", "severity": "P1"}, RECORD, []).severity is Severity.CRITICAL


def test_a_severity_is_found_under_other_labels() -> None:
    assert read(labels={"priority": "P1"}).severity is Severity.HIGH
    assert read(labels={"Severity": "Critical"}).severity is Severity.CRITICAL
    assert read(labels={"level": "critical"}).severity is Severity.CRITICAL
    assert read(labels={"threshold.name": "critical"}).severity is Severity.CRITICAL
    assert read(severity="", labels={"severity": "info"}).severity is Severity.INFO


@pytest.mark.parametrize(
    "labels",
    [
        {"SEVERITY": "page"},
        {"Level": "critical"},
        {"alertSeverity": "P0"},
        {"sev": "1"},
        {"severity_level": "critical"},
    ],
)
def test_a_severity_is_found_whatever_the_case_of_its_label(labels: dict[str, str]) -> None:
    assert read(labels=labels).severity is Severity.CRITICAL


@pytest.mark.parametrize("severity", [["critical"], {"name": "critical"}, {"value": "P0"}])
def test_the_only_word_in_a_list_or_an_object_is_the_severity(severity: object) -> None:
    assert read(severity=severity).severity is Severity.CRITICAL


def test_a_severity_in_another_field_counts_where_there_is_none() -> None:
    assert read(priority="P0").severity is Severity.CRITICAL
    assert read(Severity="critical", severity=None).severity is Severity.CRITICAL
    assert read(severity="purple", labels={"level": "critical"}).severity is Severity.CRITICAL


@pytest.mark.parametrize(
    ("ends_at", "firing"), [(None, True), ("0001-01-01T00:00:00Z", True), (RECORD - 1, False), (RECORD + 1, True)]
)
def test_without_a_status_an_alert_fires_until_its_end(ends_at: object, firing: bool) -> None:  # noqa: FBT001 - expected
    assert read(ends_at=ends_at).firing is firing
    assert read(ends_at=ends_at, status="firing").firing is True
    assert read(ends_at=ends_at, status="OK").firing is False


@pytest.mark.parametrize("status", [False, 0, {"x": 1}, ["firing", "resolved"]])
def test_a_status_of_another_type_means_firing_with_a_warning(status: object) -> None:
    alert, warning = warned(status=status)
    assert alert.firing
    assert "neither firing nor resolved" in warning


def test_an_unknown_status_means_firing_with_a_warning() -> None:
    alert, warning = warned(status="purple")
    assert alert.firing
    assert 'status: the string "purple"' in warning


@pytest.mark.parametrize("value", ["yesterday", "1999-01-01T00:00:00Z", RECORD + 2 * 86_400_000, True, [1], {"a": 1}])
def test_an_implausible_start_is_ignored_with_a_warning(value: object) -> None:
    alert, warning = warned(starts_at=value)
    assert alert.starts_at == 0
    assert warning.startswith("starts_at: ")


def test_the_field_names_of_alertmanager_are_read_too() -> None:
    alert = read(startsAt="2026-11-22T11:13:04Z", endsAt="2026-11-22T11:13:05Z", generatorURL="https://example.org")
    assert (alert.starts_at, alert.ends_at) == (1_795_345_984_000, 1_795_345_985_000)
    assert alert.generator_url == "https://example.org"


def test_the_state_says_what_no_status_says() -> None:
    assert read(state="firing").firing
    assert not read(state="resolved").firing
    assert not read(status="resolved", state="firing").firing
    assert not read(status={"state": "resolved"}).firing
    assert not read(status={"name": "Resolved"}).firing
    assert not read(status=["resolved"]).firing
    assert not read(Status="RESOLVED").firing
    assert read(status={"state": "active"}, ends_at=RECORD - 1).firing


def test_texts_and_numbers_are_coerced() -> None:
    texts = {"a": "x", "b": 1, "c": 1.5, "d": True, "e": False, "f": None}
    alert = read(labels=texts, annotations=texts, metrics={"a": "1.5", "b": 2, "c": None, "d": " 3e2 "})
    assert alert.labels == alert.annotations == {"a": "x", "b": "1", "c": "1.5", "d": "true", "e": "false"}
    assert alert.metrics == {"a": 1.5, "b": 2.0, "d": 300.0}


def test_a_number_in_the_place_of_a_text_is_read_as_text_with_a_warning() -> None:
    assert warned(fingerprint=7)[0].fingerprint == "7"
    alert, warning = warned(service=1.5)
    assert alert.service == "1.5"
    assert warning == "service: expected a text, got the number 1.5; read as text"


@pytest.mark.parametrize("empty", [None, {}])
def test_a_map_may_be_empty(empty: object) -> None:
    alert = read(labels=empty, annotations=empty, metrics=empty)
    assert (alert.labels, alert.annotations, alert.metrics) == ({}, {}, {})


@pytest.mark.parametrize("field", ["labels", "annotations", "metrics"])
@pytest.mark.parametrize("empty", ["", []])
def test_an_empty_text_or_list_in_the_place_of_a_map_is_left_out_with_a_warning(field: str, empty: object) -> None:
    alert, warning = warned(**{field: empty})
    assert getattr(alert, field) == {}
    assert warning.startswith(f"{field}: expected an object of ")


@pytest.mark.parametrize(
    ("field", "value", "warning"),
    [
        ("source", ["icinga"], "source: expected a text, got a list; left out"),
        ("namespace", True, "namespace: expected a text, got true; left out"),
        ("service", {"name": "cart"}, "service: expected a text, got an object; its name is taken"),
        ("service", {"id": 1}, "service: expected a text, got an object; left out"),
        ("message", {"text": "x"}, "message: expected a text, got an object; left out"),
        ("generator_url", ["x"], "generator_url: expected a text, got a list; left out"),
        ("fingerprint", ["x"], "fingerprint: expected a text, got a list; left out"),
        ("labels", "a=b", 'labels: expected an object of texts, got the string "a=b"; left out'),
        ("labels", {"a": ["b"]}, "labels.a: expected a text, got a list; left out"),
        ("annotations", {"a": {}}, "annotations.a: expected a text, got an object; left out"),
        ("metrics", [1], "metrics: expected an object of numbers, got a list; left out"),
        ("metrics", {"a": "93%"}, 'metrics.a: expected a finite number, got the string "93%"; left out'),
        ("metrics", {"a": "1e999"}, 'metrics.a: expected a finite number, got the string "1e999"; left out'),
        ("metrics", {"a": False}, "metrics.a: expected a finite number, got false; left out"),
    ],
)
def test_an_odd_optional_field_is_left_out_with_a_warning(field: str, value: object, warning: str) -> None:
    alert, given = warned(**{field: value})
    assert alert.name == "HighErrorRate"
    assert given == warning


@pytest.mark.parametrize(
    "labels",
    [
        [{"name": "pod", "value": "cart-0"}, {"name": "zone", "value": 3}],
        [{"key": "pod", "value": "cart-0"}, {"key": "zone", "value": "3"}],
        ["pod:cart-0", "zone:3", "urgent"],
        '{"pod": "cart-0", "zone": "3"}',
    ],
)
def test_labels_written_as_pairs_are_read_with_a_warning(labels: object) -> None:
    alert, warning = warned(labels=labels)
    assert alert.labels == {"pod": "cart-0", "zone": "3"}
    assert "its pairs are taken" in warning


def test_a_name_in_a_list_or_an_object_is_taken_with_a_warning() -> None:
    assert warned(service=["cart"])[0].service == "cart"
    alert, warning = warned(target_resource={"kind": "Deployment", "name": "cart"})
    assert alert.subject == Subject("deployment", "", "cart")
    assert "its name is taken" in warning


def test_a_label_alertname_that_is_no_text_is_no_name() -> None:
    with pytest.raises(PoisonError, match="no alert_type"):
        READER.read({"labels": {"alertname": 5, "service": "cart"}}, RECORD, [])


@given(
    st.dictionaries(
        st.sampled_from(sorted(set(AlertEvent.model_fields) - {"alert_type", "severity", "status"})), JSON_VALUES
    )
)
def test_no_optional_field_loses_an_alert(fields: dict[str, Any]) -> None:
    alert = READER.read({**fields, "alert_type": "HighErrorRate", "severity": "critical"}, RECORD, [])
    assert (alert.name, alert.severity) == ("HighErrorRate", Severity.CRITICAL)


@pytest.mark.parametrize("name", [5, ["a"], {"name": "a"}, True, None, "", " "])
def test_a_name_that_is_no_text_is_no_name(name: object) -> None:
    with pytest.raises(PoisonError, match="no alert"):
        READER.read({"alert_type": name, "message": "x"}, RECORD, [])


@pytest.mark.parametrize("label", ["value", "current_value", "lastSeen"])
def test_a_fingerprint_over_a_measured_value_is_not_believed(label: str) -> None:
    first = read(labels={label: "94%", "instance": "web-1"}, fingerprint="a1")
    again = read(labels={label: "95%", "instance": "web-1"}, fingerprint="a2")
    assert (first.member, first.group_key) == (again.member, again.group_key)
    assert first.group_key == "/web-1"
    assert read(labels={"instance": "web-1"}, fingerprint="a1").fingerprint == "a1"


def test_a_derived_fingerprint_is_that_of_the_repeat() -> None:
    first = read(labels={"pod": "checkout-7d9f8b6c5-x2x4z"}, severity="warning", metrics={"rps": 1})
    again = read(labels={"pod": "checkout-5c6d7f8b9-b5b6b"}, severity="critical", annotations={"value": "2"})
    assert first.fingerprint == again.fingerprint
    assert first.fingerprint != read(labels={"pod": "cart-7d9f8b6c5-x2x4z"}).fingerprint


def test_names_are_cut_and_have_no_secrets() -> None:
    alert = read(alert_type="x" * 100_000, namespace="jane@example.org", service="s" * 300)
    assert max(map(len, (alert.name, alert.namespace, alert.service))) <= 200
    assert "jane" not in alert.namespace + alert.group_key


def test_a_query_that_failed_in_grafana_names_its_rule() -> None:
    labels = {"rulename": "Search latency", "datasource_uid": "prom-1", "service": "api", "namespace": "search"}
    alert = read(alert_type="DatasourceError", labels=labels)
    assert (alert.group_key, alert.service) == ("/prom-1", "")
    assert "Search latency" in alert.message
    assert read(alert_type="DatasourceError", labels=labels, message="own").message == "own"
