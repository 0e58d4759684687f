"""What the random schedules do not reach: sizes, and the limits of one transaction."""

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


def new_ledger() -> Ledger:
    return restore(Fold("alerts", 0, TIMERS), "group", {}, (0, None), LogFacts(0)).ledger


def read(ledger: Ledger, now: int, alert: Alert) -> None:
    ledger.apply(ledger.position, now, (alert,))


def of(group: int, name: str = "A") -> Alert:
    return replace(BASE, group_key=f"g{group}", member=group, name=name)


def decide(ledger: Ledger) -> None:
    while ledger.ready:
        ledger.complete(ledger.ready.popleft(), "decided", None)


def plans(ledger: Ledger) -> list[TransactionPlan]:
    found = []
    while plan := ledger.plan(lazy=True):
        found.append(plan)
    return found


def test_a_burst_of_decisions_is_published_in_several_transactions() -> None:
    ledger = new_ledger()
    for group in range(1000):
        read(ledger, 0, of(group))
    ledger.tick(10 * SECOND)
    decide(ledger)
    transactions = plans(ledger)
    assert sum(len(plan.revisions) for plan in transactions) == 1000
    assert max(len(plan.revisions) for plan in transactions) <= 200
    assert transactions[-1].offset == 1000
    assert (ledger.pending, ledger.pending_bytes) == (0, 0)


def test_a_tick_processes_a_limited_number_of_groups() -> None:
    ledger = new_ledger()
    for group in range(5000):
        read(ledger, 0, of(group))
    ledger.tick(10 * SECOND)
    assert 0 < len(ledger.ready) < 5000
    for _ in range(10):
        ledger.tick(10 * SECOND)
    assert len(ledger.ready) == 5000


def test_repeats_of_many_groups_are_written_in_several_transactions() -> None:
    ledger = new_ledger()
    for group in range(9000):
        read(ledger, 0, of(group))
    for _ in range(10):
        ledger.tick(10 * SECOND)
    decide(ledger)
    plans(ledger)
    for group in range(9000):
        read(ledger, 0, of(group))
    first = ledger.plan(lazy=True)
    assert first is not None
    assert len(first.states) < 9000
    assert ledger.has_more
    assert plans(ledger)[-1].offset == 18_000
    assert not ledger.has_more


def test_repeats_of_one_group_between_two_transactions_are_written_once() -> None:
    ledger = new_ledger()
    for _ in range(1000):
        read(ledger, 0, of(1))
    assert ledger._offsets.unwritten == 1  # noqa: SLF001 - its size is the point


def test_a_group_that_gathers_for_long_costs_no_memory_for_others() -> None:
    ledger = new_ledger()
    for group in range(50):
        read(ledger, 0, of(group))
    ledger.tick(10 * SECOND)
    decide(ledger)
    plans(ledger)
    read(ledger, 20 * SECOND, of(49, "Another"))
    read(ledger, 20 * SECOND, of(0, "Another"))
    for _ in range(200):
        for group in range(1, 49):
            read(ledger, 20 * SECOND, of(group))
        plan = ledger.plan(lazy=True)
        assert plan is not None
        assert plan.offset == 50
    assert len(ledger._offsets._heap) < 2000  # noqa: SLF001 - its size is the point


def test_dead_letters_count_as_pending_until_they_are_written() -> None:
    ledger = new_ledger()
    ledger.apply(0, 0, (), (), DeadLetter(0, 0, None, b"x" * 5000, (), "bad"))
    assert ledger.pending_bytes > 5000
    [plan] = plans(ledger)
    assert [letter.offset for letter in plan.dead_letters] == [0]
    assert ledger.pending_bytes == 0


def test_pressure_cuts_the_oldest_revisions_only_while_none_is_undecided() -> None:
    ledger = new_ledger()
    for group in range(10):
        read(ledger, 0, of(group))
    assert ledger.cut_oldest(3) == 3
    assert [revision.group.state.group_key for revision in ledger.ready] == ["g0", "g1", "g2"]
    assert ledger.cut_oldest(3) == 0


def test_a_state_with_a_timestamp_in_microseconds_is_written() -> None:
    ledger = new_ledger()
    read(ledger, 1_795_300_000_000_000, of(1))
    ledger.tick(1_795_300_000_000_000 + 10 * SECOND)
    decide(ledger)
    [plan] = plans(ledger)
    assert plan.offset == 1


def test_a_resolved_alert_of_an_unknown_group_creates_no_group() -> None:
    ledger = new_ledger()
    read(ledger, 0, replace(of(1), firing=False))
    assert (ledger.groups, ledger.position) == ({}, 1)
    [plan] = plans(ledger)
    assert plan.offset == 1


def test_offsets_without_a_record_are_skipped_and_the_position_never_goes_back() -> None:
    ledger = new_ledger()
    read(ledger, 0, of(1))
    ledger.skip_to(7)
    ledger.skip_to(3)
    assert ledger.position == 7
    ledger.tick(10 * SECOND)
    decide(ledger)
    assert plans(ledger)[-1].offset == 7


def test_an_incident_has_the_trace_context_of_the_record_that_opened_it() -> None:
    ledger = new_ledger()
    traces = [f"00-{n:032x}-{n:016x}-01" for n in (1, 2)]
    for offset, trace in enumerate(traces):
        ledger.apply(offset, 0, (of(1, f"N{offset}"),), [("traceparent", trace.encode())])
    ledger.apply(2, 0, (of(2),))
    assert [group.state.traceparent for group in ledger.groups.values()] == [traces[0], ""]
