import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.alerts.resource_names import (
    job_without_time,
    member_of,
    name_of,
    workload_of_claim,
    workload_of_pod,
    workload_of_replica_set,
)

HASH = "bcdfghjklmnpqrstvwxz2456789"


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
        ("pod-1", "pod-1"),
        ("kube-apiserver-node1", "kube-apiserver-node1"),
        ("checkout-abcde", "checkout-abcde"),
        ("x2x4z", "x2x4z"),
        ("cart-7f8b9c6d5e-x1y2z", "cart"),
        ("cart-1564180365-x7k2p", "cart"),
        ("feed-deadbeef-cafes", "feed-deadbeef-cafes"),
        ("", ""),
    ],
)
def test_the_name_of_a_pod_contains_its_workload(pod: str, workload: str) -> None:
    assert workload_of_pod(pod) == workload


@given(
    st.from_regex(r"[a-z][aeiou]{1,8}", fullmatch=True),
    st.text(HASH, min_size=8, max_size=10),
    st.text(HASH, min_size=5, max_size=5),
)
def test_the_name_of_any_pod_of_a_replica_set_contains_its_workload(name: str, template: str, pod: str) -> None:
    assert workload_of_pod(f"{name}-{template}-{pod}") == name


def test_the_time_of_a_job_is_removed() -> None:
    assert job_without_time("invoice-export-29177885") == "invoice-export"
    assert job_without_time("migrate-12") == "migrate-12"


@pytest.mark.parametrize(
    ("claim", "workload"),
    [
        ("data-queue-0", "queue"),
        ("redis-data-cache-2", "cache"),
        ("data-0-events-kafka-1", "events-kafka"),
        ("elasticsearch-data-logs-es-default-0", "logs-es-default"),
        ("prometheus-mon-db-prometheus-mon-0", "prometheus-mon"),
        ("uploads", "uploads"),
        ("data-archive", "data-archive"),
    ],
)
def test_the_name_of_a_claim_contains_its_stateful_set(claim: str, workload: str) -> None:
    assert workload_of_claim(claim) == workload


def test_the_name_of_a_replica_set_contains_its_deployment() -> None:
    assert workload_of_replica_set("cart-7d9f8b6c5d") == "cart"
    assert workload_of_replica_set("cart-v2") == "cart-v2"


def test_the_hash_of_a_fingerprint_is_the_same_in_every_process() -> None:
    assert member_of("1cdb5a7ade992ec2") == 11127899279125228824
    assert member_of("") == 16476032584258269876


@given(st.text(max_size=400))
def test_the_hash_of_a_fingerprint_is_an_unsigned_64_bit_number(fingerprint: str) -> None:
    assert 0 <= member_of(fingerprint) < 1 << 64


@given(st.text(max_size=700))
def test_a_name_is_capped_and_unchanged_where_it_is_short(name: str) -> None:
    assert len(name_of(name)) <= 200
    assert name_of(name_of(name)) == name_of(name)


def test_names_that_differ_only_in_redacted_parts_stay_different() -> None:
    assert name_of("jane@example.org").startswith("[redacted:email]~")
    assert name_of("jane@example.org") != name_of("john@example.org")
    assert name_of("a" * 300) != name_of("a" * 301)
