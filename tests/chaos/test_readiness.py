"""The measurements of readiness, and their limits."""

from collections.abc import Mapping

from tests.chaos.readiness import Flow, Probe, Readiness

FLOWS = Flow(unsettled=0.0, seen=0.5)


def probe(*partitions: int, ready: bool | None, worker: str = "a") -> Probe:
    return Probe(worker, ready, frozenset(partitions), () if ready else ("why",))


def sampled(seconds: int, *probes: Probe, flows: Mapping[int, Flow] | None = None, silent: int = -1) -> Readiness:
    """Sample every second; the partition `silent` has had no decision since the first sample."""
    readiness = Readiness()
    for now in range(seconds + 1):
        own = {0: FLOWS, 1: FLOWS} if flows is None else dict(flows)
        if silent >= 0:
            own[silent] = Flow(float(now), float(now))
        readiness.add(now, probes, own)
    return readiness


def measured(readiness: Readiness) -> tuple[float, float, float]:
    return (
        readiness.ready_while_silent.seconds,
        readiness.ready_without_partitions.seconds,
        readiness.unready_while_flowing.seconds,
    )


def test_a_ready_worker_whose_decisions_are_published_is_right() -> None:
    readiness = sampled(60, probe(0, 1, ready=True))
    assert measured(readiness) == (0, 0, 0)
    assert list(readiness.problems()) == []


def test_ready_while_silent_counts_for_the_owner_of_the_partition() -> None:
    readiness = sampled(11, probe(0, ready=True), probe(1, ready=True, worker="b"), silent=1)
    assert measured(readiness) == (11, 0, 0)
    assert readiness.ready_while_silent.where == "b, partition 1"
    assert ["11.0 s while a due decision" in problem for problem in readiness.problems()] == [True]


def test_ready_while_silent_within_the_limit_is_no_problem() -> None:
    assert list(sampled(10, probe(0, 1, ready=True), silent=1).problems()) == []


def test_the_time_of_a_new_owner_starts_at_its_assignment() -> None:
    readiness = Readiness()
    for now in range(16):
        owner = probe(0, ready=now > 5, worker="a" if now < 12 else "b")
        readiness.add(now, [owner], {0: Flow(float(now), float(now))})
    assert readiness.ready_while_silent.seconds == 5  # from 6 to 11


def test_an_unready_worker_is_right_while_silent() -> None:
    assert measured(sampled(60, probe(0, 1, ready=False), silent=1))[:2] == (0, 0)


def test_without_partitions_a_worker_may_be_ready_while_others_own_all() -> None:
    empty = probe(ready=True, worker="b")
    assert measured(sampled(60, probe(0, 1, ready=True), empty)) == (0, 0, 0)
    readiness = sampled(36, probe(0, ready=True), empty, silent=1)
    assert measured(readiness) == (0, 36, 0)
    assert ["without partitions" in problem for problem in readiness.problems()] == [True]


def test_unready_while_flowing_counts_only_while_all_its_partitions_flow() -> None:
    assert measured(sampled(11, probe(0, 1, ready=False))) == (0, 0, 11)
    assert ["why" in problem for problem in sampled(11, probe(0, 1, ready=False)).problems()] == [True]
    assert measured(sampled(11, probe(0, 1, ready=False), flows={0: FLOWS, 1: Flow(0.0, 9.0)})) == (0, 0, 0)
    assert measured(sampled(11, probe(ready=False))) == (0, 0, 0)


def test_a_worker_that_does_not_answer_is_not_counted() -> None:
    assert measured(sampled(60, probe(0, ready=None), probe(1, ready=True, worker="b"), silent=0)) == (0, 0, 0)
    assert measured(sampled(60, probe(0, 1, ready=None))) == (0, 0, 0)


def test_decisions_of_two_owners_are_not_attributed_to_the_unready_one() -> None:
    readiness = sampled(60, probe(0, 1, ready=False), probe(0, 1, ready=True, worker="b"))
    assert measured(readiness) == (0, 0, 0)
