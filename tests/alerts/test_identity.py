from random import Random
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.alerts.identity import Grouping, fingerprint_of
from openclaw_stream.alerts.reader import AlertReader
from openclaw_stream.alerts.resource_names import name_of
from openclaw_stream.alerts.subject import Subject

VARYING = (
    "value",
    "current_value",
    "currentValue",
    "CurrentValue",
    "metric-value",
    "LAST_VALUE",
    "description",
    "lastSeen",
)

CHECKOUT = Subject("service", "shop", "checkout")


def test_a_derived_fingerprint_does_not_change_with_what_varies_between_repeats() -> None:
    first = fingerprint_of(
        ("HighErrorRate", "shop"),
        "pod/checkout-7d9f8b6c5-x2x4z",
        {"pod": "checkout-7d9f8b6c5-x2x4z", "severity": "warning", "value": "3", "pod_template_hash": "7d9f8b6c5"},
    )
    repeat = fingerprint_of(
        ("HighErrorRate", "shop"),
        "pod/checkout-5c6d7f8b9-b5b6b",
        {"severity": "critical", "k8s.pod.uid": "u-1", "threshold.name": "critical", "pod": "checkout-5c6d7f8b9-b5b6b"},
    )
    assert first == repeat
    assert len(first) == 16


@pytest.mark.parametrize(
    ("names", "target", "labels"),
    [
        (("HighLatency", "shop"), "", {"pod": "kafka-0"}),
        (("HighErrorRate", "edge"), "", {"pod": "kafka-0"}),
        (("HighErrorRate", "shop"), "statefulset/kafka", {"pod": "kafka-0"}),
        (("HighErrorRate", "shop"), "", {"pod": "kafka-1"}),
        (("HighErrorRate", "shop"), "", {"pod": "kafka-0", "topic": "orders"}),
    ],
)
def test_derived_fingerprints_of_different_alerts_differ(
    names: tuple[str, str], target: str, labels: dict[str, str]
) -> None:
    assert fingerprint_of(names, target, labels) != fingerprint_of(("HighErrorRate", "shop"), "", {"pod": "kafka-0"})


def test_derived_fingerprints_of_values_that_resemble_pods_differ() -> None:
    assert fingerprint_of(("a",), "", {"queue": "order-22222"}) != fingerprint_of(("a",), "", {"queue": "order-44444"})


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=5), st.randoms())
def test_a_derived_fingerprint_does_not_depend_on_the_order_of_labels(labels: dict[str, str], random: Random) -> None:
    items = list(labels.items())
    random.shuffle(items)
    assert fingerprint_of(("a",), "", dict(items)) == fingerprint_of(("a",), "", labels)


def test_the_group_key_joins_the_values() -> None:
    key = Grouping().key("HighErrorRate", CHECKOUT, {})
    assert key == "shop/checkout"


def test_a_missing_namespace_counts_as_empty() -> None:
    assert Grouping().key("HighErrorRate", Subject("service", "", "pricing"), {}) == "/pricing"


@pytest.mark.parametrize(
    ("group_by", "key"),
    [
        (("cluster", "namespace"), "prod-1/shop"),
        (("alertname",), "HighErrorRate"),
        (("alert_type", "k8s.namespace.name"), "HighErrorRate/shop"),
        (("service.name",), "checkout"),
        (("cloud_region",), "eu-1"),
        (("cloud.region",), "eu-1"),
        (("absent", "namespace", "service"), "/shop/checkout"),
        (("namespace", "absent"), "shop/"),
    ],
)
def test_any_label_can_group_and_a_missing_one_counts_as_empty(group_by: tuple[str, ...], key: str) -> None:
    labels = {"cluster": "prod-1", "cloud.region": "eu-1"}
    assert Grouping(group_by).key("HighErrorRate", CHECKOUT, labels) == key


@pytest.mark.parametrize("group_by", [("absent",), ("absent", "other")])
def test_an_alert_without_any_of_the_labels_is_a_group_of_its_own(group_by: tuple[str, ...]) -> None:
    grouping = Grouping(group_by)
    first, again = (grouping.key("A", CHECKOUT, {"x": "1", "value": value}) for value in "12")
    assert first == again
    assert first != grouping.key("A", CHECKOUT, {"x": "2"})
    assert first != grouping.key("B", CHECKOUT, {"x": "1"})


def test_a_value_of_a_label_is_no_fingerprint() -> None:
    grouping = Grouping(("cluster",))
    alone = grouping.key("A", CHECKOUT, {})
    assert grouping.key("A", CHECKOUT, {"cluster": alone.lstrip("/")}) != alone


@pytest.mark.parametrize("group_by", [(), ("service", "service"), ("namespace", "severity")])
def test_an_invalid_grouping_is_rejected(group_by: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="group_by"):
        Grouping(group_by)


NAMES = st.text(min_size=1, max_size=60).map(str.strip).filter(bool)


@given(NAMES, NAMES)
def test_a_group_key_can_be_split_into_its_values_again(namespace: str, service: str) -> None:
    key = Grouping().key("a", Subject("service", name_of(namespace), name_of(service)), {})
    parts = key.split("/")
    assert len(parts) == 2
    if all(len(part) < 200 for part in parts):
        assert [unquote(part) for part in parts] == [name_of(namespace), name_of(service)]


@given(st.text(max_size=300), st.text(min_size=1, max_size=300))
def test_a_group_key_is_bounded_and_reserves_the_hash_sign(namespace: str, service: str) -> None:
    key = Grouping().key("a", Subject("service", namespace.strip(), service.strip()), {})
    assert not key.startswith("#")
    assert len(key) <= 401
    assert not any(ord(letter) < 32 or ord(letter) == 127 for letter in key)


def test_long_values_with_a_common_beginning_are_different_groups() -> None:
    grouping = Grouping()
    keys = {grouping.key("a", Subject("service", "shop", "%" * 150 + end), {}) for end in "ab"}
    assert len(keys) == 2


@pytest.mark.parametrize("label", VARYING)
def test_a_measured_value_is_no_part_of_the_identity(label: str) -> None:
    reader, labels = AlertReader(), {"alertname": "CpuHigh", "host": "web-1"}
    first, again = (
        reader.read({"labels": labels | {label: value}, "fingerprint": value}, 0, []) for value in ("94%", "95%")
    )
    assert first.member == again.member
    assert first.group_key == again.group_key
    assert reader.read({"labels": labels, "fingerprint": "f1"}, 0, []).fingerprint == "f1"


@pytest.mark.parametrize("label", ["pod", "podName", "Pod", "k8s.pod.name", "pod-name", "exported_pod"])
def test_the_hashes_of_a_pod_are_no_part_of_the_identity(label: str) -> None:
    pods = ("cart-7d9f8b6c5-x2x4z", "cart-5c6d7f8b9-b5b6b")
    first, again = (fingerprint_of(("A",), "", {label: pod}) for pod in pods)
    assert first == again


def test_the_value_of_a_threshold_is_part_of_the_identity() -> None:
    first, other = (fingerprint_of(("A",), "", {"host": "web-1", "threshold_value": value}) for value in ("80", "90"))
    assert first != other


LABELS = st.dictionaries(
    st.sampled_from(("namespace", "service", "pod", "host", "instance", "job", "Service", "exported_pod", "team")),
    st.sampled_from(("shop", "cart", "web-1:9100", "cart-7d9f8b6c5d-x2k4q", "node-exporter", "")),
    max_size=6,
)
GROUP_BYS = st.sampled_from((("namespace", "service"), ("cluster", "service"), ("cluster",), ("team", "alertname")))


@given(LABELS, GROUP_BYS, st.randoms())
def test_the_group_key_does_not_depend_on_the_order_of_labels(
    labels: dict[str, str], group_by: tuple[str, ...], random: Random
) -> None:
    reader, items = AlertReader(Grouping(group_by)), list(labels.items())
    random.shuffle(items)
    keys = {reader.read({"alertname": "A", "labels": each}, 0, []).group_key for each in (labels, dict(items))}
    assert len(keys) == 1


@given(LABELS, GROUP_BYS, st.sampled_from(VARYING), st.sampled_from(("info", "critical")), st.text(max_size=9))
def test_the_group_key_does_not_depend_on_labels_that_vary(
    labels: dict[str, str], group_by: tuple[str, ...], label: str, severity: str, fingerprint: str
) -> None:
    reader = AlertReader(Grouping(group_by))
    first = {"alertname": "A", "labels": labels | {"pod": "cart-7d9f8b6c5d-x2k4q", label: "1", "severity": "warning"}}
    later = {
        "alertname": "A",
        "labels": labels | {"pod": "cart-5c6d7f8b9-b5b6b", label: "2", "severity": severity},
        "fingerprint": fingerprint,
        "startsAt": "2026-11-22T11:13:04Z",
    }
    assert reader.read(first, 0, []).group_key == reader.read(later, 0, []).group_key
