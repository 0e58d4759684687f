"""Which incident is restored after a crash, a reset, or retention past the committed offset, and how it continues."""

import pytest

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.incidents.state import UNKNOWN
from openclaw_stream.stream.state import commit_metadata
from openclaw_stream.stream.state.state_codec import encode
from openclaw_stream.vocabulary import IncidentStatus
from tests.stream.bench import AGAIN, FIRST, LOG, OTHER, SECOND, THIRD, TIMERS, Partition, played


@pytest.fixture(scope="module")
def ids() -> dict[int, str]:
    """The incident ids of an undisturbed run by the offset that opened them."""
    return {entry.opened_offset: entry.incident_id for entry in played().state.lineage}


# ---- which incident was open at the offset of the reset


@pytest.mark.parametrize(
    ("offset", "opened"),
    [(1, FIRST), (2, FIRST), (3, FIRST), (4, SECOND), (5, SECOND), (6, SECOND), (7, THIRD), (8, THIRD)],
)
def test_the_incident_open_at_a_reset_is_restored(offset: int, opened: int, ids: dict[int, str]) -> None:
    """An incident is open up to and including its closed offset: reading that record closes it."""
    partition = played()
    partition.reset(offset)
    assert partition.ledger.open_incidents == 1
    assert (partition.state.incident_id, partition.state.is_open) == (ids[opened], True)
    assert partition.state.status is IncidentStatus.FIRING


def test_a_reset_before_the_first_incident_restores_none() -> None:
    partition = played()
    partition.reset(0)
    assert (partition.state.incident_id, partition.state.is_open, partition.state.through) == ("", False, -1)
    assert len(partition.state.lineage) == 3, "entries beyond the reset are kept"


@pytest.mark.parametrize("offset", range(len(LOG)))
def test_a_replay_opens_and_closes_the_same_incidents(offset: int, ids: dict[int, str]) -> None:
    """Every incident that was open at the reset or opened after it ends again, in its order."""
    partition = played()
    partition.reset(offset)
    published = partition.play()
    expected = [ids[opened] for opened, closed in ((FIRST, 3), (SECOND, 6)) if offset <= closed]
    assert [incident for incident, _, kind in published if kind == "resolution"] == expected
    assert partition.state.incident_id == ids[THIRD]


def test_an_end_is_published_again_after_a_reset_to_its_closed_offset(ids: dict[int, str]) -> None:
    partition = played()
    partition.reset(SECOND)
    assert partition.play()[0] == (ids[FIRST], 1, "resolution"), "even though none of its alerts is read again"


@pytest.mark.parametrize("offset", range(1 + len(LOG)))
def test_a_replayed_incident_has_the_same_previous_incident(offset: int, ids: dict[int, str]) -> None:
    partition = played()
    before = {ids[FIRST]: "", ids[SECOND]: ids[FIRST], ids[THIRD]: ids[SECOND]}
    partition.reset(offset)
    for end in range(offset, 1 + len(LOG)):
        partition.play(end)
        if partition.state.incident_id:
            assert partition.state.previous_incident_id == before[partition.state.incident_id], end


def test_a_closed_incident_is_restored_with_its_status(ids: dict[int, str]) -> None:
    """Between two incidents there is none to join, and no end to publish again."""
    partition = played(3)
    for now in (20, 30, 40):
        partition.read(now, OTHER)
        partition.commit()
    for now in (50, 60):
        partition.read(now, AGAIN)
    partition.commit()
    partition.reset(5)
    assert (partition.state.incident_id, partition.state.is_open) == (ids[FIRST], False)
    assert partition.state.status is IncidentStatus.RESOLVED
    assert partition.ledger.open_incidents == 1, "the other's"


def test_the_silence_of_an_incident_without_evidence_starts_at_the_first_known_time() -> None:
    """The time of its last alert is unknown, so its silence starts at the first record read again."""
    partition = played()
    partition.reset(4)
    assert (partition.state.incident_id, partition.state.last_alert_at) == (partition.state.lineage[1].incident_id, -1)
    partition.ledger.skip_to(5)
    for now in (33, 34):
        partition.read(now)
        assert partition.state.last_alert_at == 33


# ---- members and timers of a restored incident


@pytest.mark.parametrize("offset", [1, 2])
def test_members_and_timers_are_frozen_until_re_reading_has_passed_the_old_through(offset: int) -> None:
    partition = played(3)
    old = partition.state.copy()
    partition.reset(offset)
    for end in range(offset, 4):
        partition.fold(end)
        state = partition.state
        assert (state.firing, state.resolved, state.hold_end) == (old.firing, old.resolved, 15)
        assert (state.membership_frozen_at, state.last_alert_at, state.distinct_alerts) == (2, 11, 1)


def test_a_second_reset_keeps_the_offset_at_which_the_membership_is_frozen() -> None:
    """The members are as of the highest offset ever settled, however far an unfinished replay has read."""
    partition = played(3)
    for _ in range(2):
        partition.reset(1)
        assert partition.state.membership_frozen_at == 2
        partition.fold(2)
        partition.ledger.cut_oldest(1)
        partition.commit()
        assert partition.state.through == 1


@pytest.mark.parametrize("offset", [1, 2])
@pytest.mark.parametrize("following", [OTHER, AGAIN])
def test_a_restored_incident_closes_as_soon_as_re_reading_has_passed_the_old_through(
    offset: int, following: Alert
) -> None:
    """No alert of its own is needed for that, and the record after the old `through` does not join it."""
    partition = played(3)
    partition.reset(offset)
    partition.fold(3)
    partition.read(20, following)
    assert partition.state.lineage[0].closed_offset == 3
    assert partition.state.is_open is (following is AGAIN)


def test_a_tick_ends_a_restored_incident_once_its_records_are_read_again() -> None:
    partition = played(3)
    partition.reset(3)
    partition.ledger.apply(3, 12, ())
    partition.ledger.tick(15)
    assert [kind for _, _, kind in partition.commit()] == ["resolution"]


def test_a_restored_incident_has_the_members_and_timers_that_keep_it_open() -> None:
    partition = played(2)
    old = partition.state
    old.overflow, old.namespace, old.service = True, "shop", "web"
    partition.states["g"] = encode(old, "group", 1, None)
    partition.reset(1)
    state = partition.state
    assert (state.firing, state.overflow, state.last_alert_at, state.distinct_alerts) == ({1: 1}, True, 10, 1)
    assert (state.namespace, state.service) == ("shop", "web")


def test_an_incident_restored_from_the_lineage_alone_has_no_members() -> None:
    partition = played()
    partition.reset(1)
    assert (partition.state.firing, partition.state.resolved, partition.state.membership_frozen_at) == ({}, {}, UNKNOWN)


def test_an_end_lost_in_a_crash_is_published_by_a_tick(ids: dict[int, str]) -> None:
    """The first record read again reaches the recorded end; a crash follows before its resolution is decided."""
    partition = played()
    partition.reset(2)
    partition.fold(3)
    partition.write()
    partition.start()
    assert (partition.ledger.position, partition.state.incident_id, partition.state.is_open) == (3, ids[FIRST], True)
    partition.ledger.tick(11)
    assert [(incident, kind) for incident, _, kind in partition.commit()][-1] == (ids[FIRST], "resolution")


def test_an_incident_closes_at_its_recorded_end_even_without_a_record_there(ids: dict[int, str]) -> None:
    partition = played()
    partition.reset(4)
    partition.read(32)
    partition.ledger.skip_to(6)
    assert [(incident, kind) for incident, _, kind in partition.commit()] == [(ids[SECOND], "resolution")]


# ---- which states count


@pytest.mark.parametrize(("offset", "counts"), [(7, False), (8, True), (9, True)])
def test_a_state_counts_if_it_lies_wholly_before_the_reset(offset: int, *, counts: bool) -> None:
    partition = played()
    partition.reset(offset)
    assert (partition.state.alert_count, partition.state.revision) == ((2, 1) if counts else (0, 0))
    assert partition.state.through == (7 if counts else offset - 1)


def test_a_state_of_the_current_generation_counts_wherever_it_lies() -> None:
    partition = played()
    partition.committed = 2, commit_metadata.encode(commit_metadata.CommitMetadata(1, 0, 10, -1))
    partition.start()
    assert (partition.state.through, partition.state.alert_count) == (7, 2)
    partition.fold()
    assert partition.commit() == [], "settled records are skipped"


def half_replayed(end: int) -> Partition:
    """Return a partition with a replay of the first incident that ended before the second."""
    partition = played()
    partition.reset(1)
    partition.fold(end)
    partition.ledger.cut_oldest(1)
    partition.commit()
    return partition


@pytest.mark.parametrize("end", [2, 3])
def test_a_later_incident_before_a_forward_reset_is_restored(end: int, ids: dict[int, str]) -> None:
    """An unfinished replay leaves a state that is behind its own lineage."""
    partition = half_replayed(end)
    assert partition.state.incident_id == ids[FIRST]
    partition.reset(5)
    state = partition.state
    assert (state.incident_id, state.is_open, state.through) == (ids[SECOND], True, 4)
    assert (state.previous_incident_id, state.replayed_through) == (ids[FIRST], 7)
    partition.play()
    assert partition.state.incident_id == ids[THIRD]


def test_a_later_incident_whose_first_records_are_deleted_is_restored(ids: dict[int, str]) -> None:
    partition = half_replayed(2)
    partition.log_start = 5
    partition.start()
    assert (partition.state.incident_id, partition.state.is_open, partition.state.through) == (ids[SECOND], True, 4)


def test_an_incident_opened_at_the_offset_of_the_reset_is_opened_again(ids: dict[int, str]) -> None:
    partition = half_replayed(2)
    partition.reset(SECOND)
    assert (partition.state.incident_id, partition.state.alert_count) == (ids[FIRST], 1)
    partition.play()
    assert partition.state.incident_id == ids[THIRD]


def test_a_replay_continues_with_the_incident_it_was_at_after_a_crash(ids: dict[int, str]) -> None:
    partition = half_replayed(2)
    partition.start()
    assert (partition.state.incident_id, partition.state.alert_count) == (ids[FIRST], 1)


def test_an_incident_that_ends_before_it_is_decided_again_repeats_the_decision_before_the_reset(
    ids: dict[int, str],
) -> None:
    partition = played()
    partition.reset(len(LOG) - 1)
    partition.read(LOG[-1][0], OTHER)
    partition.read(LOG[-1][0] + TIMERS.max_silence, OTHER)
    [revision] = [each for each in partition.ledger.ready if each.group is partition.group]
    last = partition.ledger.previous_decision(revision)
    assert last
    assert (revision.event_type, partition.state.revision) == ("resolution", 1)
    assert (last.incident_id, last.judgement) == (ids[THIRD], b"judgement")
