"""What the random schedules do not reach: sizes, and the bounds on one transaction."""

from dataclasses import replace

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.incidents.fold import Fold
from openclaw_stream.incidents.timers import Timers
from openclaw_stream.stream.state.ledger import Ledger
from openclaw_stream.stream.state.restore import LogFacts, restore
from openclaw_stream.stream.state.transaction_plan import DeadLetter, TransactionPlan
from openclaw_stream.vocabulary import Severity

SECOND = 1000
TIMERS = Timers(group_wait=SECOND, group_wait_critical=SECOND, group_interval=3600 * SECOND)
BASE = Alert("A", Severity.WARNING, True, 1, 0, "f", 1, "g")  # noqa: FBT003


def ledger() -> Ledger:
    return restore(Fold("alerts", 0, TIMERS), "group", {}, (0, None), LogFacts(0)).ledger


def read(folded: Ledger, now: int, alert: Alert) -> None:
    folded.apply(folded.position, now, (alert,))


def of(group: int, name: str = "A") -> Alert:
    return replace(BASE, group_key=f"g{group}", member=group, name=name)


def decide(folded: Ledger) -> None:
    while folded.ready:
        folded.complete(folded.ready.popleft(), "decided", None)


def plans(folded: Ledger) -> list[TransactionPlan]:
    made = []
    while plan := folded.plan(lazy=True):
        made.append(plan)
    return made


def test_a_burst_of_decisions_is_published_in_several_transactions() -> None:
    folded = ledger()
    for group in range(1000):
        read(folded, 0, of(group))
    folded.tick(10 * SECOND)
    decide(folded)
    made = plans(folded)
    assert sum(len(plan.revisions) for plan in made) == 1000
    assert max(len(plan.revisions) for plan in made) <= 200
    assert made[-1].offset == 1000
    assert (folded.pending, folded.pending_bytes) == (0, 0)


def test_a_tick_does_not_do_everything_at_once() -> None:
    folded = ledger()
    for group in range(5000):
        read(folded, 0, of(group))
    folded.tick(10 * SECOND)
    assert 0 < len(folded.ready) < 5000
    for _ in range(10):
        folded.tick(10 * SECOND)
    assert len(folded.ready) == 5000


def test_repeats_of_many_groups_are_written_in_several_transactions() -> None:
    folded = ledger()
    for group in range(9000):
        read(folded, 0, of(group))
    for _ in range(10):
        folded.tick(10 * SECOND)
    decide(folded)
    plans(folded)
    for group in range(9000):
        read(folded, 0, of(group))
    first = folded.plan(lazy=True)
    assert first is not None
    assert len(first.states) < 9000
    assert folded.has_more
    assert plans(folded)[-1].offset == 18_000
    assert not folded.has_more


def test_repeats_of_one_group_between_two_transactions_are_owed_once() -> None:
    folded = ledger()
    for _ in range(1000):
        read(folded, 0, of(1))
    assert folded._offsets.unwritten == 1  # noqa: SLF001 - its size is the point


def test_groups_that_gather_for_long_cost_no_memory_for_the_others() -> None:
    folded = ledger()
    for group in range(50):
        read(folded, 0, of(group))
    folded.tick(10 * SECOND)
    decide(folded)
    plans(folded)
    read(folded, 20 * SECOND, of(49, "Another"))
    read(folded, 20 * SECOND, of(0, "Another"))
    for _ in range(200):
        for group in range(1, 49):
            read(folded, 20 * SECOND, of(group))
        plan = folded.plan(lazy=True)
        assert plan is not None
        assert plan.offset == 50
    assert len(folded._offsets._heap) < 2000  # noqa: SLF001 - its size is the point


def test_dead_letters_count_as_pending_until_they_are_written() -> None:
    folded = ledger()
    folded.apply(0, 0, (), (), DeadLetter(0, 0, None, b"x" * 5000, (), "bad"))
    assert folded.pending_bytes > 5000
    [plan] = plans(folded)
    assert [letter.offset for letter in plan.dead_letters] == [0]
    assert folded.pending_bytes == 0


def test_pressure_cuts_the_oldest_only_where_nothing_else_is_to_be_waited_for() -> None:
    folded = ledger()
    for group in range(10):
        read(folded, 0, of(group))
    assert folded.cut_oldest(3) == 3
    assert [work.group.state.group_key for work in folded.ready] == ["g0", "g1", "g2"]
    assert folded.cut_oldest(3) == 0


def test_a_timestamp_in_microseconds_can_be_written() -> None:
    folded = ledger()
    read(folded, 1_795_300_000_000_000, of(1))
    folded.tick(1_795_300_000_000_000 + 10 * SECOND)
    decide(folded)
    [plan] = plans(folded)
    assert plan.offset == 1


def test_a_resolved_alert_of_an_unknown_group_leaves_nothing() -> None:
    folded = ledger()
    read(folded, 0, replace(of(1), firing=False))
    assert (folded.groups, folded.position) == ({}, 1)
    [plan] = plans(folded)
    assert plan.offset == 1


def test_offsets_without_a_record_are_passed_and_never_gone_back_to() -> None:
    folded = ledger()
    read(folded, 0, of(1))
    folded.skip_to(7)
    folded.skip_to(3)
    assert folded.position == 7
    folded.tick(10 * SECOND)
    decide(folded)
    assert plans(folded)[-1].offset == 7


def test_an_incident_carries_the_trace_of_the_record_that_opened_it() -> None:
    folded = ledger()
    traces = [f"00-{n:032x}-{n:016x}-01" for n in (1, 2)]
    for offset, trace in enumerate(traces):
        folded.apply(offset, 0, (of(1, f"N{offset}"),), [("traceparent", trace.encode())])
    folded.apply(2, 0, (of(2),))
    assert [group.state.traceparent for group in folded.groups.values()] == [traces[0], ""]
