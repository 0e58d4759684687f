"""Numbers and resource quantities: formats, ranges and the limit of a request."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.arbitration.kubectl.command import RefusedCommand
from openclaw_stream.arbitration.kubectl.quantities import RESOURCES, check_requests, number, resource_list, size

FLAG = "--replicas"


@given(st.integers(-5, 2000))
def test_a_whole_number_passes_only_within_its_range(value: int) -> None:
    check = number(2, 1000)
    if 2 <= value <= 1000:
        assert check(FLAG, str(value)) == str(value)
        return
    with pytest.raises(RefusedCommand, match=r"^--replicas must be a plain whole number from 2 to 1000, not '-?\d+'$"):
        check(FLAG, str(value))


@pytest.mark.parametrize(
    "text", ["", "+2", "-2", "02", "010", "0x2", "2.0", "2e0", " 2", "2\n", "2_0", "\uff12", "\u0662", "1" * 5000]
)
def test_other_spellings_of_a_number_are_refused(text: str) -> None:
    with pytest.raises(RefusedCommand) as refused:
        number(0, 10**9)(FLAG, text)
    assert len(str(refused.value)) < 120
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("resource", "text", "value"),
    [
        ("cpu", "1m", Fraction(1, 1000)),
        ("cpu", "1.5m", Fraction(3, 2000)),
        ("cpu", "0.25", Fraction(1, 4)),
        ("cpu", "256", Fraction(256)),
        ("memory", "4Mi", Fraction(4 * 2**20)),
        ("memory", "4Ti", Fraction(2**42)),
        ("memory", "1.5Gi", Fraction(3 * 2**29)),
        ("memory", "512M", Fraction(512_000_000)),
        ("memory", "8000000k", Fraction(8 * 10**9)),
        ("memory", "536870912000m", Fraction(2**29)),
        ("ephemeral-storage", "10G", Fraction(10**10)),
        ("ephemeral-storage", "4194304", Fraction(2**22)),
    ],
)
def test_a_quantity_is_exact_in_cores_or_bytes(resource: str, text: str, value: Fraction) -> None:
    assert size(resource, text) == value


@pytest.mark.parametrize(
    ("resource", "text", "reason"),
    [
        ("cpu", "0", "cpu=0 is outside 1m to 256 cores"),
        ("cpu", "0.9m", "cpu=0.9m is outside 1m to 256 cores"),
        ("cpu", "256.001", "outside 1m to 256 cores"),
        ("memory", "4095Ki", "memory=4095Ki is outside 4Mi to 4Ti"),
        ("memory", "4.001Ti", "outside 4Mi to 4Ti"),
        ("ephemeral-storage", "512m", "ephemeral-storage=512m is outside 4Mi to 4Ti"),
        ("nvidia.com/gpu", "1", "'nvidia.com/gpu' is not one of cpu, memory, ephemeral-storage"),
        ("", "1", "'' is not one of cpu, memory, ephemeral-storage"),
    ],
)
def test_an_amount_out_of_range_or_of_another_resource_is_refused(resource: str, text: str, reason: str) -> None:
    with pytest.raises(RefusedCommand) as refused:
        size(resource, text)
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1",
        "+1",
        "01",
        "1.",
        ".5",
        "1.2345",
        "1e3",
        "1 Gi",
        "1gi",
        "1GB",
        "1Pi",
        "1Gi\n",
        "\uff11",
        "1" * 16,
        "1m\0",
    ],
)
@pytest.mark.parametrize("resource", RESOURCES)
def test_a_malformed_quantity_is_refused_in_a_short_printable_message(resource: str, text: str) -> None:
    with pytest.raises(RefusedCommand, match=r"is not a Kubernetes quantity such as 500m or 512Mi$") as refused:
        size(resource, text)
    assert len(str(refused.value)) < 150
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("text", "ordered"),
    [
        ("memory=512Mi,cpu=500m", "cpu=500m,memory=512Mi"),
        ("ephemeral-storage=1Gi,memory=1.50Gi,cpu=1", "cpu=1,memory=1.50Gi,ephemeral-storage=1Gi"),
        ("cpu=1", "cpu=1"),
    ],
)
def test_a_resource_list_is_ordered_and_its_quantities_keep_their_spelling(text: str, ordered: str) -> None:
    assert resource_list("--limits", text) == ordered


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("cpu=1,cpu=1", "--limits repeats cpu"),
        ("", "'' is not one of"),
        ("cpu=1,", "'' is not one of"),
        ("cpu", "cpu '' is not a Kubernetes quantity"),
        ("cpu=1=2", "cpu '1=2' is not a Kubernetes quantity"),
        ("CPU=1", "'CPU' is not one of"),
        ("cpu=1, memory=1Gi", "' memory' is not one of"),
    ],
)
def test_an_invalid_resource_list_is_refused(text: str, reason: str) -> None:
    with pytest.raises(RefusedCommand) as refused:
        resource_list("--limits", text)
    assert reason in str(refused.value)


def test_a_request_may_equal_its_limit_in_another_unit() -> None:
    check_requests({"cpu": "1", "memory": "1Gi"}, {"cpu": "1000m", "memory": "1024Mi"})
    with pytest.raises(RefusedCommand, match=r"^the cpu request 1001m is above its limit 1$"):
        check_requests({"cpu": "1", "memory": "1Gi"}, {"cpu": "1001m", "memory": "1024Mi"})


def test_a_request_without_a_limit_has_none_to_exceed() -> None:
    check_requests({"cpu": "1m"}, {"memory": "1Ti"})
    check_requests({}, {"cpu": "256"})
    with pytest.raises(RefusedCommand, match="'gpu' is not one of"):
        check_requests({"gpu": "1"}, {"gpu": "1"})
