"""Numbers in sentences: replicas that run, limits, and the maximum of an autoscaler."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.arbitration.remedies import amounts

MIB = 2**20


@pytest.mark.parametrize(
    ("sentence", "counts"),
    [
        ("cart runs 12 replicas", [12]),
        ("cart has had 1 of 4 replicas for 15 minutes", [4]),
        ("3/5 replicas are ready", [5]),
        ("all three replicas are busy", [3]),
        ("All 4 pods are busy", [4]),
        ("replicas: 4", [4]),
        ("replicas=7", [7]),
        ("目前有 12 個副本", [12]),
        ("副本數為 6", [6]),
        ("2 replicas are not ready", []),
        ("two more replicas", []),
        ("needs 8 replicas", []),
        ("at most 8 replicas", []),
        ("scaled from 3 to 6 replicas", []),
        ("97 replica sets", []),
        ("5 read replicas", []),
        ("Replica of users is 10 min behind", []),
        ("最多 8 個副本", []),
    ],
)
def test_the_replicas_that_run(sentence: str, counts: list[int]) -> None:
    assert list(amounts.replicas(sentence)) == counts


@pytest.mark.parametrize(
    ("sentence", "limit"),
    [
        ("memory limit 512Mi", 512 * MIB),
        ("uses 250Mi of its 256Mi limit", 256 * MIB),
        ("Memory is at its limit of 512 MiB", 512 * MIB),
        ("510Mi/512Mi", 512 * MIB),
        ("95% of 1Gi", 1024 * MIB),
        ("killed for using more than 2 GiB", 2048 * MIB),
        ("memory limit: 1.5Gi", 1536 * MIB),
        ("memory limit is 500MB", 5 * 10**8),
        ("記憶體上限為 512 MiB", 512 * MIB),
        ("512Mi 的記憶體上限", 512 * MIB),
        ("body limit of 10Mi", None),
        ("heap limit 512Mi", None),
        ("memory is at 512Mi", None),
        ("node memory limit 8Gi", None),
    ],
)
def test_the_memory_limit_of_a_container(sentence: str, limit: float | None) -> None:
    assert list(amounts.memory_limits(sentence)) == ([limit] if limit else [])


@pytest.mark.parametrize(
    ("sentence", "cores"),
    [
        ("CPU limit 500m", 0.5),
        ("cpu limit of 2 cores", 2),
        ("CPU limit: 1.5", 1.5),
        ("throttled at its 500m limit", 0.5),
        ("CPU 上限為 2 核", 2),
        ("CPU limit 80%", None),
    ],
)
def test_the_cpu_limit_of_a_container(sentence: str, cores: float | None) -> None:
    assert list(amounts.cpu_limits(sentence)) == ([cores] if cores else [])


@pytest.mark.parametrize(
    ("sentence", "counts"),
    [
        ("at its maximum of 10 replicas", [10]),
        ("maxReplicas: 8", [8]),
        ("max replicas 10", [10]),
        ("已達上限 12 個副本", [12]),
        ("at the maximum of 90%", []),
    ],
)
def test_the_maximum_of_an_autoscaler(sentence: str, counts: list[int]) -> None:
    assert list(amounts.hpa_maximum(sentence)) == counts


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    for read in (amounts.replicas, amounts.hpa_maximum, amounts.memory_limits, amounts.cpu_limits):
        assert all(number >= 0 for number in read(text))
    assert amounts.direction_of("cpu", text) in {-1, 0, 1}
