"""When a closed group is dropped, and what is kept of it until then.

It is dropped when no reset can reach its records, and nothing of it is unsettled: no revision is pending, its state is
written, `through` is below the committed offset and below the start of the log, and stream time is at least the
retention after its last alert.
"""

from dataclasses import replace

import pytest

from openclaw_stream.incidents.fold import Fold
from openclaw_stream.incidents.state import UNKNOWN
from openclaw_stream.stream.state import expiry, settlement
from openclaw_stream.stream.state.state_codec import DecodedState
from openclaw_stream.vocabulary import IncidentStatus
from tests.stream.bench import AGAIN, ENDS, FIRES, FOLD, OTHER, RETENTION, TIMERS, Partition

LAST = 11
"""Time of the last alert of the group, at offset 1."""

EXPIRED = LAST + RETENTION

TIME_PASSES = replace(OTHER, firing=False)
"""A record that only advances stream time."""


def closed(fold: Fold = FOLD) -> Partition:
    """Return a partition with a closed incident: its records at offsets 0 and 1, and another that closed it."""
    partition = Partition(fold)
    partition.read(0, FIRES)
    partition.read(LAST, ENDS)
    partition.read(20, TIME_PASSES)
    return partition


@pytest.mark.parametrize(
    ("now", "log_start", "dropped"),
    [(EXPIRED, 2, True), (EXPIRED - 1, 2, False), (EXPIRED, 1, False), (EXPIRED, 0, False)],
)
def test_a_group_is_dropped_only_past_the_retention_and_below_the_log_start(
    now: int, log_start: int, *, dropped: bool
) -> None:
    partition = closed()
    partition.commit()
    partition.log_start = log_start
    partition.read(now, TIME_PASSES)
    partition.write()
    assert ("g" not in partition.states) is dropped
    assert ("g" not in partition.ledger.groups) is dropped


def test_a_group_that_could_not_be_dropped_yet_is_checked_again() -> None:
    partition = closed()
    partition.commit()
    partition.read(EXPIRED, TIME_PASSES)
    partition.write()
    partition.log_start = 2
    partition.read(EXPIRED + 60_000, TIME_PASSES)
    partition.write()
    assert partition.dropped == ["g"]


def test_a_restored_group_is_dropped_too() -> None:
    partition = closed()
    partition.commit()
    partition.log_start = 2
    partition.start()
    partition.read(EXPIRED, TIME_PASSES)
    partition.write()
    assert partition.dropped == ["g"]


@pytest.mark.parametrize(("log_start", "dropped"), [(5, ["g"]), (4, ["g"]), (3, [])])
def test_a_group_restored_from_its_lineage_is_dropped_once_its_records_are_deleted(
    log_start: int, dropped: list[str]
) -> None:
    """The time of its last alert is unknown, so the retention starts at the first known time."""
    partition = closed()
    partition.read(30, AGAIN)
    partition.read(34, TIME_PASSES)
    partition.commit()
    partition.reset(3)
    assert (partition.state.is_open, partition.state.last_alert_at) == (False, UNKNOWN)
    partition.ledger.skip_to(5)
    partition.read(40, TIME_PASSES)
    partition.commit()
    partition.log_start = log_start
    partition.read(39 + RETENTION, TIME_PASSES)
    partition.write()
    assert partition.dropped == []
    partition.read(40 + RETENTION, TIME_PASSES)
    partition.write()
    assert partition.dropped == dropped


def test_no_group_is_dropped_between_two_lazy_transactions() -> None:
    partition = closed()
    partition.commit()
    partition.ledger.record_log_start(2)
    partition.read(EXPIRED, TIME_PASSES)
    assert partition.ledger.plan(lazy=False) is None


def test_a_group_with_an_undecided_resolution_is_kept() -> None:
    partition = closed()
    partition.log_start = 2
    partition.read(EXPIRED, TIME_PASSES)
    partition.write()
    assert partition.dropped == []
    assert [kind for _, _, kind in partition.commit()] == ["decision", "resolution"]


def test_a_group_whose_last_state_is_not_written_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A state written after the tombstone would never be removed."""
    partition = Partition()
    partition.read(0, FIRES)
    partition.read(LAST, FIRES)
    partition.ledger.tick(LAST + TIMERS.max_silence)
    assert [kind for _, _, kind in partition.commit()] == ["decision", "resolution"]
    partition.read(30, *(replace(OTHER, group_key=f"other{i}") for i in range(3)))
    partition.read(EXPIRED, TIME_PASSES)
    partition.log_start = 2
    monkeypatch.setattr(settlement, "_REPEATED_MAX", 1)
    partition.write()
    assert partition.ledger.has_more
    assert partition.dropped == []


def test_a_group_with_records_behind_the_committed_offset_is_kept() -> None:
    """After a crash its records are read again, even if retention has passed the committed offset."""
    partition = Partition()
    partition.read(0, FIRES)
    partition.read(LAST, ENDS, OTHER)
    partition.read(20)
    ready = partition.ledger.ready
    ready.remove(next(revision for revision in ready if revision.group is partition.ledger.groups["other"]))
    partition.decide()
    partition.write()
    assert partition.committed[0] == 1
    partition.log_start = 3
    partition.read(EXPIRED, TIME_PASSES)
    partition.write()
    assert partition.dropped == []


def test_an_open_incident_is_never_dropped() -> None:
    """Even if the retention is shorter than the silence that ends it, and an earlier incident has expired."""
    partition = closed(replace(FOLD, timers=replace(TIMERS, max_silence=100 * RETENTION)))
    partition.read(30, AGAIN)
    partition.commit()
    partition.log_start = 4
    for now in (EXPIRED, EXPIRED + 60_000):
        partition.read(now, TIME_PASSES)
        partition.commit()
    assert partition.state.is_open
    assert partition.dropped == []


def test_a_reopened_incident_expires_after_its_last_alert() -> None:
    partition = Partition()
    partition.read(0, FIRES)
    partition.read(TIMERS.max_silence, TIME_PASSES)
    assert partition.state.status is IncidentStatus.ASSUMED_RESOLVED
    partition.read(100, FIRES)
    partition.read(100 + TIMERS.max_silence, TIME_PASSES)
    partition.commit()
    partition.log_start = partition.ledger.position
    for now, dropped in ((RETENTION, []), (99 + RETENTION, []), (100 + RETENTION, ["g"]), (90_000, ["g"])):
        partition.read(now, TIME_PASSES)
        partition.write()
        assert partition.dropped == dropped


def test_a_new_incident_after_a_tombstone_has_no_previous_incident_and_is_kept() -> None:
    partition = Partition()
    partition.read(0, FIRES)
    partition.read(TIMERS.max_silence, TIME_PASSES)
    partition.read(100, FIRES)
    partition.read(100 + TIMERS.max_silence, TIME_PASSES)
    partition.commit()
    partition.log_start = partition.ledger.position
    partition.read(100 + RETENTION, TIME_PASSES)
    partition.write()
    assert partition.dropped == ["g"]
    partition.read(101 + RETENTION, AGAIN)
    assert (partition.state.previous_incident_id, len(partition.state.lineage)) == ("", 1)
    partition.read(102 + RETENTION, AGAIN)
    partition.read(200 + RETENTION, TIME_PASSES)
    partition.commit()
    assert "g" in partition.states


def test_a_group_that_closes_often_has_one_entry_to_expire() -> None:
    partition = Partition()
    for start in range(0, 900, 30):
        partition.read(start, replace(FIRES, starts_at=start + 1))
        partition.read(start + 5, replace(ENDS, starts_at=start + 1, ends_at=start + 5))
        partition.read(start + 20, TIME_PASSES)
        partition.commit()
    assert partition.state.opened_offset == 87
    assert partition.ledger._schedule.expiring == 1  # noqa: SLF001 - its size is the point


def test_many_groups_are_dropped_in_several_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "_EXPIRED_MAX", 2)
    partition = Partition()
    groups = [replace(FIRES, group_key=f"g{i}") for i in range(5)]
    partition.read(0, *groups)
    partition.read(LAST, *(replace(each, firing=False, ends_at=9) for each in groups))
    partition.read(20, TIME_PASSES)
    partition.commit()
    partition.log_start = 3
    partition.read(EXPIRED, TIME_PASSES)
    dropped = []
    for _ in range(3):
        partition.write()
        dropped.append(len(partition.dropped))
        assert partition.ledger.has_more is (len(partition.dropped) < 5)
    assert dropped == [2, 4, 5]


def evidence_is_dropped(partition: Partition) -> bool:
    """Whether the evidence is written, and not kept in memory."""
    written = DecodedState(partition.states["g"]).state
    assert (len(written.exemplars), written.alert_names, written.alert_count) == (1, {"A": 2}, 2)
    state, last = partition.state, partition.group.last_decision
    assert state.alert_count == 2
    assert last
    assert bool(last.judgement) is bool(state.exemplars)
    return (state.exemplars, state.alert_names, state.firing, state.resolved, state.services) == ((), {}, {}, {}, ())


def test_the_evidence_of_a_final_incident_is_dropped_once_it_is_written() -> None:
    partition = closed()
    partition.decide()
    assert len(partition.state.exemplars) == 1
    partition.write()
    assert evidence_is_dropped(partition)
    partition.start()
    assert evidence_is_dropped(partition)


def test_evidence_is_kept_while_a_resolution_is_undecided() -> None:
    partition = closed()
    partition.decide_next()
    partition.write()
    assert len(partition.state.exemplars) == 1
    partition.commit()
    assert evidence_is_dropped(partition)


def test_evidence_is_kept_after_a_published_end_until_stream_time_closes_the_incident() -> None:
    partition = Partition()
    partition.read(0, FIRES)
    partition.read(LAST, ENDS)
    partition.ledger.tick(20)
    assert [kind for _, _, kind in partition.commit()] == ["decision", "resolution"]
    assert len(partition.state.exemplars) == 1
    partition.read(20, TIME_PASSES)
    partition.write()
    assert evidence_is_dropped(partition)


def test_evidence_is_kept_of_an_incident_that_may_reopen() -> None:
    partition = Partition()
    partition.read(0, FIRES)
    partition.read(LAST, FIRES)
    partition.read(LAST + TIMERS.max_silence, TIME_PASSES)
    partition.commit()
    assert partition.state.status is IncidentStatus.ASSUMED_RESOLVED
    assert not evidence_is_dropped(partition)
    partition.start()
    assert not evidence_is_dropped(partition)
