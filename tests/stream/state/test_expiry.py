"""When a group is forgotten, and what is kept of it until then.

It is forgotten when no reset may reach its records any more, and nothing of it may be on its way.

A closed group needs all of: nothing pending, its state written, `through` below the committed offset and below the
start of the log, and T at least the retention after its last alert.
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
"""When the last alert of the group came, at offset 1."""

AGED = LAST + RETENTION

SETTLED_OTHER = replace(OTHER, firing=False)
"""A record that does nothing but let time pass."""


def closed(fold: Fold = FOLD) -> Partition:
    """A group whose incident has ended, its records at the offsets 0 and 1, and a third that closed it."""
    partition = Partition(fold)
    partition.read(0, FIRES)
    partition.read(LAST, ENDS)
    partition.read(20, SETTLED_OTHER)
    return partition


@pytest.mark.parametrize(
    ("now", "log_start", "forgotten"),
    [(AGED, 2, True), (AGED - 1, 2, False), (AGED, 1, False), (AGED, 0, False)],
)
def test_only_a_group_past_the_retention_and_out_of_the_log_is_forgotten(
    now: int, log_start: int, *, forgotten: bool
) -> None:
    partition = closed()
    partition.commit()
    partition.log_start = log_start
    partition.read(now, SETTLED_OTHER)
    partition.write()
    assert ("g" not in partition.states) is forgotten
    assert ("g" not in partition.ledger.groups) is forgotten


def test_a_group_that_could_not_be_forgotten_yet_is_looked_at_again() -> None:
    partition = closed()
    partition.commit()
    partition.read(AGED, SETTLED_OTHER)
    partition.write()
    partition.log_start = 2
    partition.read(AGED + 60_000, SETTLED_OTHER)
    partition.write()
    assert partition.forgotten == ["g"]


def test_a_restored_group_is_forgotten_too() -> None:
    partition = closed()
    partition.commit()
    partition.log_start = 2
    partition.start()
    partition.read(AGED, SETTLED_OTHER)
    partition.write()
    assert partition.forgotten == ["g"]


@pytest.mark.parametrize(("log_start", "forgotten"), [(5, ["g"]), (4, ["g"]), (3, [])])
def test_a_group_restored_from_its_lineage_is_forgotten_once_the_log_has_lost_all_of_it(
    log_start: int, forgotten: list[str]
) -> None:
    """Nobody knows when its last alert came: it counts from the first time that is known."""
    partition = closed()
    partition.read(30, AGAIN)
    partition.read(34, SETTLED_OTHER)
    partition.commit()
    partition.reset(3)
    assert (partition.state.is_open, partition.state.last_alert_at) == (False, UNKNOWN)
    partition.ledger.skip_to(5)
    partition.read(40, SETTLED_OTHER)
    partition.commit()
    partition.log_start = log_start
    partition.read(39 + RETENTION, SETTLED_OTHER)
    partition.write()
    assert partition.forgotten == []
    partition.read(40 + RETENTION, SETTLED_OTHER)
    partition.write()
    assert partition.forgotten == forgotten


def test_nothing_is_forgotten_between_two_lazy_transactions() -> None:
    partition = closed()
    partition.commit()
    partition.ledger.log_start = 2
    partition.read(AGED, SETTLED_OTHER)
    assert partition.ledger.plan(lazy=False) is None


def test_a_group_whose_end_is_undecided_is_kept() -> None:
    partition = closed()
    partition.log_start = 2
    partition.read(AGED, SETTLED_OTHER)
    partition.write()
    assert partition.forgotten == []
    assert [kind for _, _, kind in partition.commit()] == ["decision", "resolution"]


def test_a_group_whose_last_state_is_not_written_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A state written after its tombstone would bring the group back for good."""
    partition = Partition()
    partition.read(0, FIRES)
    partition.read(LAST, FIRES)
    partition.ledger.tick(LAST + TIMERS.max_silence)
    assert [kind for _, _, kind in partition.commit()] == ["decision", "resolution"]
    partition.read(30, *(replace(OTHER, group_key=f"other{i}") for i in range(3)))
    partition.read(AGED, SETTLED_OTHER)
    partition.log_start = 2
    monkeypatch.setattr(settlement, "_REPEATED_MAX", 1)
    partition.write()
    assert partition.ledger.has_more
    assert partition.forgotten == []


def test_a_group_that_the_committed_offset_has_not_passed_is_kept() -> None:
    """A crash reads its records again, even where the retention overtakes the committed offset."""
    partition = Partition()
    partition.read(0, FIRES)
    partition.read(LAST, ENDS, OTHER)
    partition.read(20)
    ready = partition.ledger.ready
    ready.remove(next(work for work in ready if work.group is partition.ledger.groups["other"]))
    partition.decide()
    partition.write()
    assert partition.committed[0] == 1
    partition.log_start = 3
    partition.read(AGED, SETTLED_OTHER)
    partition.write()
    assert partition.forgotten == []


def test_an_open_incident_is_never_forgotten() -> None:
    """Not where the retention is shorter than the silence that ends it, nor for the end of one before it."""
    partition = closed(replace(FOLD, timers=replace(TIMERS, max_silence=100 * RETENTION)))
    partition.read(30, AGAIN)
    partition.commit()
    partition.log_start = 4
    for now in (AGED, AGED + 60_000):
        partition.read(now, SETTLED_OTHER)
        partition.commit()
    assert partition.state.is_open
    assert partition.forgotten == []


def test_an_incident_that_reopened_is_forgotten_by_its_last_alert() -> None:
    partition = Partition()
    partition.read(0, FIRES)
    partition.read(TIMERS.max_silence, SETTLED_OTHER)
    assert partition.state.status is IncidentStatus.ASSUMED_RESOLVED
    partition.read(100, FIRES)
    partition.read(100 + TIMERS.max_silence, SETTLED_OTHER)
    partition.commit()
    partition.log_start = partition.ledger.position
    for now, forgotten in ((RETENTION, []), (99 + RETENTION, []), (100 + RETENTION, ["g"]), (90_000, ["g"])):
        partition.read(now, SETTLED_OTHER)
        partition.write()
        assert partition.forgotten == forgotten


def test_a_new_incident_after_a_tombstone_has_none_before_it_and_stays() -> None:
    partition = Partition()
    partition.read(0, FIRES)
    partition.read(TIMERS.max_silence, SETTLED_OTHER)
    partition.read(100, FIRES)
    partition.read(100 + TIMERS.max_silence, SETTLED_OTHER)
    partition.commit()
    partition.log_start = partition.ledger.position
    partition.read(100 + RETENTION, SETTLED_OTHER)
    partition.write()
    assert partition.forgotten == ["g"]
    partition.read(101 + RETENTION, AGAIN)
    assert (partition.state.previous_incident_id, len(partition.state.lineage)) == ("", 1)
    partition.read(102 + RETENTION, AGAIN)
    partition.read(200 + RETENTION, SETTLED_OTHER)
    partition.commit()
    assert "g" in partition.states


def test_a_group_that_closes_often_waits_once_to_be_forgotten() -> None:
    partition = Partition()
    for start in range(0, 900, 30):
        partition.read(start, replace(FIRES, starts_at=start + 1))
        partition.read(start + 5, replace(ENDS, starts_at=start + 1, ends_at=start + 5))
        partition.read(start + 20, SETTLED_OTHER)
        partition.commit()
    assert partition.state.opened_offset == 87
    assert partition.ledger._schedule.expiring == 1  # noqa: SLF001 - its size is the point


def test_many_groups_are_forgotten_in_several_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "_EXPIRED_MAX", 2)
    partition = Partition()
    groups = [replace(FIRES, group_key=f"g{i}") for i in range(5)]
    partition.read(0, *groups)
    partition.read(LAST, *(replace(each, firing=False, ends_at=9) for each in groups))
    partition.read(20, SETTLED_OTHER)
    partition.commit()
    partition.log_start = 3
    partition.read(AGED, SETTLED_OTHER)
    forgotten = []
    for _ in range(3):
        partition.write()
        forgotten.append(len(partition.forgotten))
        assert partition.ledger.has_more is (len(partition.forgotten) < 5)
    assert forgotten == [2, 4, 5]


def is_shed(partition: Partition) -> bool:
    """Whether nothing is kept in memory of the evidence, though it is written."""
    written = DecodedState(partition.states["g"]).state
    assert (len(written.exemplars), written.alert_names, written.alert_count) == (1, {"A": 2}, 2)
    state = partition.state
    assert state.alert_count == 2
    return (state.exemplars, state.alert_names, state.firing, state.resolved, state.services) == ((), {}, {}, {}, ())


def test_little_is_kept_of_an_incident_that_is_over_once_it_is_written() -> None:
    partition = closed()
    partition.decide()
    assert len(partition.state.exemplars) == 1
    partition.write()
    assert is_shed(partition)
    partition.start()
    assert is_shed(partition)


def test_all_is_kept_while_an_end_waits_to_be_decided() -> None:
    partition = closed()
    partition.decide_next()
    partition.write()
    assert len(partition.state.exemplars) == 1
    partition.commit()
    assert is_shed(partition)


def test_all_is_kept_of_an_incident_whose_end_was_told_early_until_time_has_closed_it() -> None:
    partition = Partition()
    partition.read(0, FIRES)
    partition.read(LAST, ENDS)
    partition.ledger.tick(20)
    assert [kind for _, _, kind in partition.commit()] == ["decision", "resolution"]
    assert len(partition.state.exemplars) == 1
    partition.read(20, SETTLED_OTHER)
    partition.write()
    assert is_shed(partition)


def test_all_is_kept_of_a_silent_incident_which_may_reopen() -> None:
    partition = Partition()
    partition.read(0, FIRES)
    partition.read(LAST, FIRES)
    partition.read(LAST + TIMERS.max_silence, SETTLED_OTHER)
    partition.commit()
    assert partition.state.status is IncidentStatus.ASSUMED_RESOLVED
    assert not is_shed(partition)
    partition.start()
    assert not is_shed(partition)
