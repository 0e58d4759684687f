from random import Random
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.alerts.identity import (
    Grouping,
    fingerprint_of,
    member_of,
    name_of,
    namespace_of,
    service_of,
    workload_of_pod,
)

HASH = "bcdfghjklmnpqrstvwxz2456789"
FINGERPRINT = "1cdb5a7ade992ec2"


@pytest.mark.parametrize(
    ("pod", "workload"),
    [
        ("checkout-7d9f8b6c5-x2x4z", "checkout"),
        ("checkout-api-v2-7d9f8b6c5d-x2x4z", "checkout-api-v2"),
        ("fluent-bit-x2x4z", "fluent-bit"),
        ("kafka-0", "kafka"),
        ("kafka-12", "kafka"),
        ("backup-28934520-x7k2p", "backup"),
        ("backup-28934520", "backup"),
        ("checkout", "checkout"),
        ("kube-apiserver-node1", "kube-apiserver-node1"),
        ("checkout-abcde", "checkout-abcde"),
        ("x2x4z", "x2x4z"),
        ("", ""),
    ],
)
def test_the_workload_is_derived_from_a_pods_name(pod: str, workload: str) -> None:
    assert workload_of_pod(pod) == workload


@given(
    st.from_regex(r"[a-z][aeiou]{1,8}", fullmatch=True),
    st.text(HASH, min_size=8, max_size=10),
    st.text(HASH, min_size=5, max_size=5),
)
def test_the_workload_is_derived_from_every_pod_of_a_replica_set(name: str, template: str, pod: str) -> None:
    assert workload_of_pod(f"{name}-{template}-{pod}") == name


@pytest.mark.parametrize(
    ("labels", "namespace"),
    [
        ({"namespace": "shop"}, "shop"),
        ({"k8s.namespace.name": "shop"}, "shop"),
        ({"k8s_namespace_name": "shop"}, "shop"),
        ({"kubernetes_namespace": " shop "}, "shop"),
        ({"namespace": "monitoring", "exported_namespace": "shop"}, "shop"),
        ({"namespace": "  "}, ""),
        ({}, ""),
    ],
)
def test_the_namespace_is_found_under_its_usual_labels(labels: dict[str, str], namespace: str) -> None:
    assert namespace_of(labels) == namespace


@pytest.mark.parametrize(
    ("labels", "service"),
    [
        ({"service": "checkout", "deployment": "other"}, "checkout"),
        ({"service.name": "checkout"}, "checkout"),
        ({"service_name": "checkout"}, "checkout"),
        ({"deployment": "checkout", "app": "shop"}, "checkout"),
        ({"k8s.statefulset.name": "kafka"}, "kafka"),
        ({"k8s_daemonset_name": "fluent-bit"}, "fluent-bit"),
        ({"app.kubernetes.io/name": "checkout"}, "checkout"),
        ({"app_kubernetes_io_name": "checkout"}, "checkout"),
        ({"pod": "checkout-7d9f8b6c5-x2x4z"}, "checkout"),
        ({"k8s.pod.name": "kafka-0"}, "kafka"),
        ({"service": "kube-state-metrics", "pod": "checkout-7d9f8b6c5-x2x4z"}, "checkout"),
        ({"service": "prometheus-kube-state-metrics"}, "prometheus-kube-state-metrics"),
        ({"instance": "10.2.3.4:9100"}, ""),
    ],
)
def test_the_service_is_found_or_derived_from_the_workload(labels: dict[str, str], service: str) -> None:
    assert service_of(labels) == service


@pytest.mark.parametrize(
    ("target", "service"),
    [
        ("deployment/checkout", "checkout"),
        ("pod/checkout-7d9f8b6c5-x2x4z", "checkout"),
        ("shop/Pod/checkout-0", "checkout"),
        ("checkout", "checkout"),
        ("", "cart"),
    ],
)
def test_the_target_is_used_before_the_pod(target: str, service: str) -> None:
    assert service_of({"pod": "cart-0"}, target) == service


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


def test_a_fingerprints_hash_is_the_same_in_every_process() -> None:
    assert member_of("1cdb5a7ade992ec2") == 11127899279125228824
    assert member_of("") == 16476032584258269876


@given(st.text(max_size=400))
def test_a_fingerprints_hash_is_an_unsigned_64_bit_number(fingerprint: str) -> None:
    assert 0 <= member_of(fingerprint) < 1 << 64


@given(st.text(max_size=700))
def test_a_long_name_is_cut_and_a_short_one_stays(name: str) -> None:
    assert len(name_of(name)) <= 200
    assert name_of(name_of(name)) == name_of(name)


def test_names_that_differ_only_in_redacted_parts_stay_different() -> None:
    assert name_of("jane@example.org").startswith("[redacted:email]~")
    assert name_of("jane@example.org") != name_of("john@example.org")
    assert name_of("a" * 300) != name_of("a" * 301)


def test_the_group_key_joins_the_values() -> None:
    key = Grouping().key("HighErrorRate", "shop", "checkout", {}, FINGERPRINT)
    assert key == "shop/checkout"


@pytest.mark.parametrize(("namespace", "service"), [("shop", ""), ("", "checkout"), ("", "")])
def test_an_alert_without_a_group_label_is_a_group_of_its_own(namespace: str, service: str) -> None:
    assert Grouping().key("HighErrorRate", namespace, service, {}, FINGERPRINT) == FINGERPRINT


@pytest.mark.parametrize(
    ("group_by", "key"),
    [
        (("cluster", "namespace"), "prod-1/shop"),
        (("alertname",), "HighErrorRate"),
        (("alert_type", "k8s.namespace.name"), "HighErrorRate/shop"),
        (("service.name",), "checkout"),
        (("cloud_region",), "eu-1"),
        (("cloud.region",), "eu-1"),
        (("namespace", "absent"), FINGERPRINT),
    ],
)
def test_any_label_can_group(group_by: tuple[str, ...], key: str) -> None:
    labels = {"cluster": "prod-1", "cloud.region": "eu-1"}
    assert Grouping(group_by).key("HighErrorRate", "shop", "checkout", labels, FINGERPRINT) == key


def test_the_value_of_a_single_label_never_equals_a_fingerprint() -> None:
    grouping = Grouping(("service",))
    assert grouping.key("a", "", "checkout", {}, FINGERPRINT) == "checkout"
    assert grouping.key("a", "", "", {}, "checkout") == "/checkout"


@pytest.mark.parametrize("group_by", [(), ("service", "service"), ("namespace", "severity")])
def test_an_invalid_grouping_is_rejected(group_by: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="group_by"):
        Grouping(group_by)


NAMES = st.text(min_size=1, max_size=60).map(str.strip).filter(bool)


@given(NAMES, NAMES)
def test_a_group_key_can_be_split_into_its_values_again(namespace: str, service: str) -> None:
    key = Grouping().key("a", name_of(namespace), name_of(service), {}, FINGERPRINT)
    parts = key.split("/")
    assert len(parts) == 2
    if all(len(part) < 200 for part in parts):
        assert [unquote(part) for part in parts] == [name_of(namespace), name_of(service)]


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=600))
def test_a_group_key_is_bounded_and_reserves_the_hash_sign(namespace: str, service: str, fingerprint: str) -> None:
    key = Grouping().key("a", namespace.strip(), service.strip(), {}, fingerprint)
    assert not key.startswith("#")
    assert len(key) <= 401
    assert not any(ord(letter) < 32 or ord(letter) == 127 for letter in key)


def test_long_values_with_a_common_beginning_are_different_groups() -> None:
    grouping = Grouping()
    keys = {grouping.key("a", "shop", "%" * 150 + end, {}, FINGERPRINT) for end in "ab"}
    assert len(keys) == 2
