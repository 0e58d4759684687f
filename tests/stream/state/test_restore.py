"""Which incident a worker finds after a crash, a reset or the retention, and what it makes of it."""

import pytest

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.incidents.state import UNKNOWN
from openclaw_stream.stream.state import commit_metadata as position
from openclaw_stream.stream.state.state_codec import encode
from openclaw_stream.vocabulary import IncidentStatus
from tests.stream.bench import AGAIN, FIRST, LOG, OTHER, SECOND, THIRD, Partition, played


@pytest.fixture(scope="module")
def ids() -> dict[int, str]:
    """The incidents of an undisturbed run by the offset that opened them."""
    return {episode.opened_offset: episode.incident_id for episode in played().state.lineage}


# ---- which incident was open at the offset that was reset to


@pytest.mark.parametrize(
    ("offset", "opened"),
    [(1, FIRST), (2, FIRST), (3, FIRST), (4, SECOND), (5, SECOND), (6, SECOND), (7, THIRD), (8, THIRD)],
)
def test_the_incident_open_at_a_reset_is_restored(offset: int, opened: int, ids: dict[int, str]) -> None:
    """An incident is open up to and including its closed offset: the close comes when that record is read."""
    partition = played()
    partition.reset(offset)
    assert partition.ledger.open_incidents == 1
    assert (partition.state.incident_id, partition.state.is_open) == (ids[opened], True)
    assert partition.state.status is IncidentStatus.FIRING


def test_before_its_first_incident_a_group_has_none() -> None:
    partition = played()
    partition.reset(0)
    assert (partition.state.incident_id, partition.state.is_open, partition.state.through) == ("", False, -1)
    assert len(partition.state.lineage) == 3, "entries beyond the reset are kept"


@pytest.mark.parametrize("offset", range(len(LOG)))
def test_a_replay_opens_and_ends_the_same_incidents(offset: int, ids: dict[int, str]) -> None:
    """Every incident that was open at the reset or opened after it ends again, in its order."""
    partition = played()
    partition.reset(offset)
    told = partition.play()
    expected = [ids[opened] for opened, closed in ((FIRST, 3), (SECOND, 6)) if offset <= closed]
    assert [incident for incident, _, kind in told if kind == "resolution"] == expected
    assert partition.state.incident_id == ids[THIRD]


def test_an_end_is_told_again_after_a_reset_to_the_very_offset_it_came_at(ids: dict[int, str]) -> None:
    partition = played()
    partition.reset(SECOND)
    assert partition.play()[0] == (ids[FIRST], 1, "resolution"), "even if nothing of it was read again"


@pytest.mark.parametrize("offset", range(1 + len(LOG)))
def test_an_incident_follows_the_one_before_it_also_in_a_replay(offset: int, ids: dict[int, str]) -> None:
    partition = played()
    before = {ids[FIRST]: "", ids[SECOND]: ids[FIRST], ids[THIRD]: ids[SECOND]}
    partition.reset(offset)
    for end in range(offset, 1 + len(LOG)):
        partition.play(end)
        if partition.state.incident_id:
            assert partition.state.previous_incident_id == before[partition.state.incident_id], end


def test_a_closed_incident_is_restored_with_the_end_it_had(ids: dict[int, str]) -> None:
    """Between two incidents there is none to join, and none to end again."""
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


def test_an_open_incident_without_evidence_lives_from_the_first_time_that_is_known() -> None:
    """Where nobody knows its last alert, silence is counted from the first record read again."""
    partition = played()
    partition.reset(4)
    assert (partition.state.incident_id, partition.state.last_alert_at) == (partition.state.lineage[1].incident_id, -1)
    partition.ledger.skip_to(5)
    for now in (33, 34):
        partition.read(now)
        assert partition.state.last_alert_at == 33


# ---- members and timers of the incident that was restored


@pytest.mark.parametrize("offset", [1, 2])
def test_members_and_timers_stay_until_re_reading_has_passed_the_old_through(offset: int) -> None:
    partition = played(3)
    old = partition.state.copy()
    partition.reset(offset)
    for end in range(offset, 4):
        partition.fold(end)
        state = partition.state
        assert (state.firing, state.resolved, state.hold_end) == (old.firing, old.resolved, 15)
        assert (state.membership_frozen_at, state.last_alert_at, state.distinct_alerts) == (2, 11, 1)


def test_the_old_through_stays_frozen_over_a_second_reset() -> None:
    """The members are as of the highest offset ever settled, whatever a half-done replay has read again."""
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
    """It needs no alert of its own for that, and the record after the old `through` joins it no more."""
    partition = played(3)
    partition.reset(offset)
    partition.fold(3)
    partition.read(20, following)
    assert partition.state.lineage[0].closed_offset == 3
    assert partition.state.is_open is (following is AGAIN)


def test_a_tick_ends_a_restored_incident_once_its_log_is_read_again() -> None:
    partition = played(3)
    partition.reset(3)
    partition.ledger.apply(3, 12, ())
    partition.ledger.tick(15)
    assert [kind for _, _, kind in partition.commit()] == ["resolution"]


def test_a_restored_incident_takes_what_keeps_it_open() -> None:
    partition = played(2)
    old = partition.state
    old.overflow, old.namespace, old.service = True, "shop", "web"
    partition.states["g"] = encode(old, "group", 1, None)
    partition.reset(1)
    state = partition.state
    assert (state.firing, state.overflow, state.last_alert_at, state.distinct_alerts) == ({1: 1}, True, 10, 1)
    assert (state.namespace, state.service) == ("shop", "web")


def test_an_incident_of_the_lineage_only_has_no_members() -> None:
    partition = played()
    partition.reset(1)
    assert (partition.state.firing, partition.state.resolved, partition.state.membership_frozen_at) == ({}, {}, UNKNOWN)


def test_an_end_that_a_crash_lost_is_told_though_nothing_is_left_to_read(ids: dict[int, str]) -> None:
    """The first record read again reaches the known end; a crash comes before that is decided."""
    partition = played()
    partition.reset(2)
    partition.fold(3)
    partition.write()
    partition.start()
    assert (partition.ledger.position, partition.state.incident_id, partition.state.is_open) == (3, ids[FIRST], True)
    partition.ledger.tick(11)
    assert [(incident, kind) for incident, _, kind in partition.commit()][-1] == (ids[FIRST], "resolution")


def test_a_known_end_comes_though_its_offset_holds_no_record(ids: dict[int, str]) -> None:
    partition = played()
    partition.reset(4)
    partition.read(32)
    partition.ledger.skip_to(6)
    assert [(incident, kind) for incident, _, kind in partition.commit()] == [(ids[SECOND], "resolution")]


# ---- which states count


@pytest.mark.parametrize(("offset", "counts"), [(7, False), (8, True), (9, True)])
def test_a_state_counts_where_it_lies_wholly_before_the_reset(offset: int, *, counts: bool) -> None:
    partition = played()
    partition.reset(offset)
    assert (partition.state.alert_count, partition.state.revision) == ((2, 1) if counts else (0, 0))
    assert partition.state.through == (7 if counts else offset - 1)


def test_a_state_of_the_current_generation_counts_wherever_it_lies() -> None:
    partition = played()
    partition.committed = 2, position.encode(position.CommitMetadata(1, 0, 10, -1))
    partition.start()
    assert (partition.state.through, partition.state.alert_count) == (7, 2)
    partition.fold()
    assert partition.commit() == [], "what is settled is skipped"


def half_replayed(end: int) -> Partition:
    """A replay of the first incident that was given up before the second."""
    partition = played()
    partition.reset(1)
    partition.fold(end)
    partition.ledger.cut_oldest(1)
    partition.commit()
    return partition


@pytest.mark.parametrize("end", [2, 3])
def test_a_later_incident_that_a_reset_forward_passed_over_is_restored(end: int, ids: dict[int, str]) -> None:
    """A replay given up half-way leaves a state that is behind its own lineage."""
    partition = half_replayed(end)
    assert partition.state.incident_id == ids[FIRST]
    partition.reset(5)
    state = partition.state
    assert (state.incident_id, state.is_open, state.through) == (ids[SECOND], True, 4)
    assert (state.previous_incident_id, state.replayed_through) == (ids[FIRST], 7)
    partition.play()
    assert partition.state.incident_id == ids[THIRD]


def test_a_later_incident_whose_beginning_the_retention_took_is_restored(ids: dict[int, str]) -> None:
    partition = half_replayed(2)
    partition.log_start = 5
    partition.start()
    assert (partition.state.incident_id, partition.state.is_open, partition.state.through) == (ids[SECOND], True, 4)


def test_a_later_incident_that_begins_with_the_reset_is_read_again(ids: dict[int, str]) -> None:
    partition = half_replayed(2)
    partition.reset(SECOND)
    assert (partition.state.incident_id, partition.state.alert_count) == (ids[FIRST], 1)
    partition.play()
    assert partition.state.incident_id == ids[THIRD]


def test_a_replay_that_goes_on_is_not_passed_over(ids: dict[int, str]) -> None:
    partition = half_replayed(2)
    partition.start()
    assert (partition.state.incident_id, partition.state.alert_count) == (ids[FIRST], 1)
