"""Revisions and ends as the ledger makes them of time: cut, told early, cancelled, forced by pressure."""

from dataclasses import replace

import pytest

from openclaw_stream.incidents.state import State
from openclaw_stream.stream.state import commit_metadata as position
from openclaw_stream.stream.state.state_codec import DecodedState
from openclaw_stream.vocabulary import EventType, IncidentStatus, Severity
from tests.stream.bench import AGAIN, ENDS, FIRES, FIRST, OTHER, SECOND, TIMERS, Partition, Told, played

NEWS = replace(FIRES, name="B")
SILENCE = TIMERS.max_silence


def kinds(told: list[Told]) -> list[tuple[int, str]]:
    return [(revision, kind) for _, revision, kind in told]


def decided(*times: int) -> Partition:
    """An incident that fired at 0, decided at 4, and repeated at `times`."""
    partition = Partition()
    partition.read(0, FIRES)
    for now in (4, *times):
        partition.read(now, FIRES)
    assert kinds(partition.commit()) == [(1, "decision")]
    return partition


# ---- when a revision is cut, and what it sees


def test_a_revision_sees_what_was_due_and_not_what_came_with_the_record_after() -> None:
    partition = Partition()
    partition.read(0, FIRES)
    partition.read(3, FIRES)
    partition.read(4, FIRES)
    [work] = partition.decide()
    assert work.snapshot
    assert (work.due, work.snapshot.alert_count, partition.state.alert_count) == (4, 2, 3)


def test_a_revision_sees_the_whole_record_that_asked_for_it() -> None:
    partition = Partition()
    partition.read(0, FIRES)
    partition.read(20, FIRES, NEWS, replace(FIRES, member=2))
    works = partition.decide()
    assert [work.snapshot.alert_count for work in works if work.snapshot] == [1, 4]


def test_the_earliest_of_two_triggers_is_when_it_is_due() -> None:
    partition = Partition()
    partition.read(0, FIRES)
    partition.read(1, replace(FIRES, severity=Severity.CRITICAL))
    partition.read(1, NEWS)
    partition.ledger.tick(2)
    [work] = partition.decide()
    assert (work.due, partition.ledger.pending) == (2, 1)


def test_until_a_revision_is_published_the_state_before_its_record_is_written() -> None:
    """So a crash reads the record again that asked for it."""
    partition = decided(10)
    partition.read(11, FIRES)
    partition.read(12, NEWS)
    partition.read(13, FIRES)
    assert partition.write() == []
    assert partition.committed == (4, position.encode(position.CommitMetadata(1, 0, 11, -1)))
    partition.start()
    assert (partition.state.through, partition.state.alert_count) == (3, 4)


@pytest.mark.parametrize(("now", "due"), [(10, 0), (14, 1)])
def test_the_stream_time_committed_is_that_before_the_first_record_to_read_again(now: int, due: int) -> None:
    partition = Partition()
    partition.read(10, OTHER)
    partition.read(now, FIRES)
    partition.decide()
    partition.write()
    told = position.decode(partition.committed[1])
    assert told
    assert (partition.committed[0], told.stream_time) == ((1, 10) if due else (0, -1))


# ---- who decides it


def test_rules_decide_what_ends_before_its_first_revision() -> None:
    partition = Partition()
    partition.ledger.apply(0, 0, (FIRES, ENDS))
    partition.state.hold_end = 3
    partition.read(20)
    first, end = partition.decide()
    assert (first.rules_only, first.due, first.event_type) == (True, 3, "decision")
    assert (end.due, end.event_type) == (3, "resolution")
    assert kinds(partition.write()) == [(1, "decision"), (2, "resolution")]


def test_no_rules_decide_where_a_revision_before_was_decided() -> None:
    partition = decided(5)
    partition.read(6, NEWS)
    partition.read(6, ENDS)
    partition.state.hold_end = 8
    partition.read(20)
    second, end = partition.decide()
    assert (second.rules_only, second.due, end.rules_only) == (False, 8, False)
    assert kinds(partition.write()) == [(2, "decision"), (3, "resolution")]


def test_a_revision_due_at_the_very_end_is_not_early() -> None:
    partition = Partition()
    partition.ledger.apply(0, 0, (FIRES, ENDS))
    partition.read(20)
    first, _ = partition.decide()
    assert (first.rules_only, first.due) == (False, 4)


def test_a_resolution_knows_the_last_decision_of_its_incident_only() -> None:
    partition = decided(5)
    partition.read(6, NEWS)
    partition.read(6, ENDS)
    partition.read(20, AGAIN)
    partition.read(30, AGAIN)
    ledger = partition.ledger
    known = []
    while ledger.ready:
        known.append(ledger.previous_decision(ledger.ready[0]))
        partition.decide_next()
    assert [last and last.revision for last in known] == [1, 2, None]


def test_the_state_of_an_ended_incident_tells_its_last_decision() -> None:
    partition = decided(5)
    partition.read(6, NEWS)
    partition.read(6, ENDS)
    partition.read(20, AGAIN)
    partition.read(30, AGAIN)
    while partition.decide_next().event_type is EventType.DECISION:
        pass
    partition.write()
    written = DecodedState(partition.states["g"])
    assert (written.state.is_open, written.state.revision) == (False, 3)
    assert written.last_decision
    assert written.last_decision.revision == 2


def test_one_decision_of_a_group_is_in_flight_at_a_time() -> None:
    partition = Partition()
    partition.read(0, FIRES)
    partition.read(10, NEWS)
    partition.read(30, replace(FIRES, name="C"))
    ledger = partition.ledger
    assert (len(ledger.ready), ledger.pending, ledger.undecided) == (1, 3, 3)
    partition.decide_next()
    assert len(ledger.ready) == 1


# ---- ends that a tick tells early


def test_an_end_told_early_is_told_again_after_an_alert_that_came_in_time() -> None:
    """A record before the close time reopens the incident, and its end is the revision after the next."""
    partition = decided(5)
    partition.ledger.tick(5 + SILENCE)
    assert kinds(partition.commit()) == [(2, "resolution")]
    assert (partition.state.is_open, partition.state.end_published) == (True, True)
    assert partition.state.status is IncidentStatus.ASSUMED_RESOLVED
    first = partition.state.incident_id
    partition.read(4 + SILENCE, FIRES)
    assert (partition.state.incident_id, partition.state.end_published) == (first, False)
    partition.read(200)
    assert partition.commit() == [(first, 3, "decision"), (first, 4, "resolution")]
    assert not partition.state.is_open


def test_an_end_told_early_is_told_once_and_stream_time_closes_it() -> None:
    partition = decided(5)
    for _ in range(3):
        partition.ledger.tick(100)
    assert kinds(partition.commit()) == [(2, "resolution")]
    assert partition.ledger.open_incidents == 1
    partition.read(100)
    assert partition.commit() == []
    assert (partition.state.is_open, partition.ledger.open_incidents) == (False, 0)
    assert [episode.closed_offset for episode in partition.state.lineage] == [3]
    partition.start()
    assert not partition.state.is_open, "what has closed it is written"


def test_a_restored_end_that_was_told_early_is_not_told_again() -> None:
    partition = decided(5)
    partition.ledger.tick(100)
    partition.commit()
    partition.start()
    partition.ledger.tick(200)
    partition.read(200)
    assert partition.commit() == []
    assert not partition.state.is_open


def test_a_tick_publishes_early_and_decides_no_membership() -> None:
    partition = decided(5)
    partition.ledger.tick(1000)
    first = partition.state.incident_id
    partition.read(6, replace(FIRES, member=2))
    assert partition.state.incident_id == first
    assert sorted(partition.state.firing) == [1, 2]


def test_a_tick_before_the_first_record_does_nothing() -> None:
    partition = Partition()
    partition.ledger.tick(1000)
    assert partition.ledger.stream_time == -1
    assert not partition.ledger.ready


# ---- pressure


def test_pressure_cuts_nothing_while_a_revision_is_undecided() -> None:
    """A full queue drains by itself: only a partition paused with nothing queued cuts what gathers."""
    partition = Partition()
    partition.read(0, FIRES)
    partition.ledger.tick(4)
    partition.read(1, OTHER)
    ledger = partition.ledger
    work = ledger.ready.popleft()
    assert ledger.cut_oldest(1) == 0, "the arbiter has it"
    ledger.complete(work, "decided", None)
    assert ledger.cut_oldest(1) == 0, "it is to be published"
    partition.write()
    assert ledger.cut_oldest(1) == 1
    assert [w.group.state.group_key for w in ledger.ready] == ["other"]


def test_pressure_cuts_a_re_decision_at_the_current_time() -> None:
    partition = decided(5)
    partition.read(6, NEWS)
    assert partition.ledger.cut_oldest(9) == 1
    [work] = partition.decide()
    assert (work.due, partition.state.last_due, partition.state.revision) == (6, 6, 2)
    assert partition.ledger.cut_oldest(9) == 0


def test_an_incident_cut_by_pressure_still_ends() -> None:
    partition = Partition()
    partition.read(0, FIRES)
    partition.ledger.cut_oldest(1)
    partition.commit()
    partition.read(SILENCE)
    assert kinds(partition.commit()) == [(2, "resolution")]


# ---- what is counted


def test_open_and_opened_incidents_are_counted() -> None:
    partition = Partition()
    seen = []
    for now, alert in ((0, FIRES), (1, OTHER), (10, ENDS), (20, AGAIN), (100, OTHER)):
        partition.read(now, alert)
        seen.append((partition.ledger.open_incidents, partition.ledger.incidents_opened))
    assert seen == [(1, 1), (2, 2), (2, 2), (2, 3), (1, 3)]


def test_what_is_pending_is_released_with_its_transaction() -> None:
    partition = Partition()
    partition.read(0, FIRES)
    gathering = partition.ledger.pending_bytes
    partition.read(10, NEWS)
    assert 0 < gathering < partition.ledger.pending_bytes
    partition.read(30)
    partition.commit()
    assert (partition.ledger.pending, partition.ledger.undecided, partition.ledger.pending_bytes) == (0, 0, 0)


def test_an_unchanged_state_is_not_written_again() -> None:
    partition = decided(5)
    partition.states.clear()
    partition.read(6)
    partition.read(7, replace(OTHER, firing=False))
    partition.write()
    assert partition.states == {}
    partition.read(8, FIRES)
    partition.write()
    assert list(partition.states) == ["g"]
    partition.read(8 + SILENCE)
    assert kinds(partition.commit()) == [(2, "resolution")], "the repeat has not cancelled the end"


def written_states(partition: Partition) -> list[State]:
    partition.decide()
    plan = partition.ledger.plan(lazy=True)
    assert plan
    return [DecodedState(value).state for key, value in plan.states if key == "g" and value]


def test_the_last_state_of_an_incident_is_written_though_the_next_is_told_with_it() -> None:
    """States sum to the alerts only where none is passed over."""
    partition = Partition()
    partition.fold(5)
    partition.ledger.tick(100)
    states = written_states(partition)
    assert [(state.opened_offset, state.alert_count) for state in states] == [(FIRST, 3), (SECOND, 2)]
    assert states[0].incident_id == states[1].previous_incident_id


def test_a_last_state_is_written_once() -> None:
    partition = played(SECOND)
    partition.read(20, OTHER)
    partition.commit()
    partition.read(20, AGAIN)
    partition.ledger.tick(100)
    assert [(state.opened_offset, state.alert_count) for state in written_states(partition)] == [(SECOND + 1, 1)]


def test_revisions_of_one_incident_told_together_write_one_state() -> None:
    partition = Partition()
    partition.read(0, FIRES)
    partition.read(10, NEWS)
    partition.ledger.tick(20)
    assert [(state.revision, state.alert_count) for state in written_states(partition)] == [(2, 2)]


def test_the_lowest_offset_that_is_not_settled_is_committed() -> None:
    """Behind a group that was settled and is not any more, others wait since before."""
    partition = Partition()
    partition.read(0, FIRES)
    partition.read(4, OTHER)
    partition.read(4, NEWS)
    assert [work.due for work in partition.decide()] == [4]
    partition.write()
    assert partition.committed[0] == 1
