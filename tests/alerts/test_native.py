from typing import Any

import pytest

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.alerts.identity import member_of
from openclaw_stream.alerts.native import read_alert
from openclaw_stream.errors import PoisonError
from openclaw_stream.vocabulary import Severity
from tests.alerts.records import GROUPING, RECORD


def read(**fields: Any) -> Alert:
    warnings: list[str] = []
    alert = read_alert({"alert_type": "HighErrorRate", **fields}, RECORD, GROUPING, warnings)
    assert warnings == []
    return alert


def warned(**fields: Any) -> tuple[Alert, str]:
    warnings: list[str] = []
    alert = read_alert({"alert_type": "HighErrorRate", **fields}, RECORD, GROUPING, warnings)
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
    assert alert.group_key == alert.fingerprint
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
    assert read_alert(document, RECORD, GROUPING, []).name == "A"


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


@pytest.mark.parametrize("severity", ["purple", "", 3, True, 1.5])
def test_any_severity_is_accepted(severity: object) -> None:
    assert read(severity=severity).severity is Severity.WARNING


def test_a_severity_is_found_under_other_labels() -> None:
    assert read(labels={"priority": "P1"}).severity is Severity.HIGH
    assert read(labels={"threshold.name": "critical"}).severity is Severity.CRITICAL
    assert read(severity="", labels={"severity": "info"}).severity is Severity.INFO


@pytest.mark.parametrize(
    ("ends_at", "firing"), [(None, True), ("0001-01-01T00:00:00Z", True), (RECORD - 1, False), (RECORD + 1, True)]
)
def test_without_a_status_an_alert_fires_until_its_end(ends_at: object, firing: bool) -> None:  # noqa: FBT001 - expected
    assert read(ends_at=ends_at).firing is firing
    assert read(ends_at=ends_at, status="firing").firing is True
    assert read(ends_at=ends_at, status="OK").firing is False


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


def test_texts_and_numbers_are_coerced() -> None:
    texts = {"a": "x", "b": 1, "c": 1.5, "d": True, "e": False, "f": None}
    alert = read(labels=texts, annotations=texts, metrics={"a": "1.5", "b": 2, "c": None, "d": " 3e2 "})
    assert alert.labels == alert.annotations == {"a": "x", "b": "1", "c": "1.5", "d": "true", "e": "false"}
    assert alert.metrics == {"a": 1.5, "b": 2.0, "d": 300.0}


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("alert_type", 5, "alert_type: expected a string, got the number 5"),
        ("severity", ["a"], "severity: expected a string, got a list"),
        ("status", {"state": "active"}, "status: expected a string, got an object"),
        ("namespace", True, "namespace: expected a string, got true"),
        ("service", 1.5, "service: expected a string, got the number 1.5"),
        ("fingerprint", 7, "fingerprint: expected a string, got the number 7"),
        ("labels", "a=b", 'labels: expected an object of strings, got the string "a=b"'),
        ("labels", [], "labels: expected an object of strings, got a list"),
        ("labels", {"a": ["b"]}, "labels.a: expected a string, got a list"),
        ("annotations", {"a": {}}, "annotations.a: expected a string, got an object"),
        ("metrics", [1], "metrics: expected an object of numbers, got a list"),
        ("metrics", {"a": "high"}, 'metrics.a: expected a number, got the string "high"'),
        ("metrics", {"a": "nan"}, 'metrics.a: expected a finite number, got the string "nan"'),
        ("metrics", {"a": "1e999"}, 'metrics.a: expected a finite number, got the string "1e999"'),
        ("metrics", {"a": False}, "metrics.a: expected a finite number, got false"),
    ],
)
def test_a_wrong_type_is_named_in_the_error(field: str, value: object, reason: str) -> None:
    with pytest.raises(PoisonError) as caught:
        read(**{field: value})
    assert str(caught.value) == reason


def test_a_derived_fingerprint_is_that_of_the_repeat() -> None:
    first = read(labels={"pod": "checkout-7d9f8b6c5-x2x4z"}, severity="warning", metrics={"rps": 1})
    again = read(labels={"pod": "checkout-5c6d7f8b9-b5b6b"}, severity="critical", annotations={"value": "2"})
    assert first.fingerprint == again.fingerprint
    assert first.fingerprint != read(labels={"pod": "cart-7d9f8b6c5-x2x4z"}).fingerprint


def test_names_are_cut_and_have_no_secrets() -> None:
    alert = read(alert_type="x" * 100_000, namespace="jane@example.org", service="s" * 300)
    assert max(map(len, (alert.name, alert.namespace, alert.service))) <= 200
    assert "jane" not in alert.namespace + alert.group_key
