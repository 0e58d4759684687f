"""Growth of a resource is distinguished from a peak and a warm-up."""

import pytest

from tests.chaos.vitals import SLACK, Vitals, trends


def samples(memory: list[float]) -> list[Vitals]:
    return [Vitals(memory=m, files=20, connections=9, threads=3, tasks=50, pending=1) for m in memory]


@pytest.mark.parametrize(
    ("memory", "flat"),
    [
        ([40.0] * 20 + [100.0] * 80, True),  # it warms up
        ([100.0 + n % 7 for n in range(100)], True),
        ([100.0] * 50 + [400.0] + [100.0] * 49, True),  # one peak
        ([100.0 + n for n in range(100)], False),
        ([100.0] * 60 + [130.0] * 40, False),
    ],
)
def test_growth_is_distinguished_from_a_peak(memory: list[float], flat: bool) -> None:  # noqa: FBT001
    trend = trends(samples(memory))[0]
    assert trend.name == "memory"
    assert trend.flat is flat, str(trend)


def test_every_resource_is_compared() -> None:
    assert [trend.name for trend in trends(samples([1.0] * 3))] == list(Vitals._fields) == list(SLACK._fields)
