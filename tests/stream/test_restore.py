"""What a worker knows after a crash, a reset or the retention, and what it makes of it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from openclaw_stream.errors import FatalError
from openclaw_stream.events.vocabulary import IncidentStatus, Severity
from openclaw_stream.incidents.alert import Alert
from openclaw_stream.incidents.fold import Fold
from openclaw_stream.incidents.state import UNKNOWN, State
from openclaw_stream.incidents.timers import Timers
from openclaw_stream.stream import position
from openclaw_stream.stream.ledger import Ledger
from openclaw_stream.stream.restore import restore
from openclaw_stream.stream.statecodec import MARKER_KEY, encode, marker
from openclaw_stream.stream.work import DeadLetter, LastDecision

TIMERS = Timers(group_wait=4, group_wait_critical=1, group_interval=5, max_interval=20, resolve_hold=4, max_silence=50)
FOLD = Fold("alerts", 0, TIMERS, retention=1000)
FIRES = Alert("A", Severity.WARNING, True, 1, 0, "f", 1, "g")  # noqa: FBT003
ENDS = replace(FIRES, firing=False, ends_at=9)
AGAIN = replace(FIRES, starts_at=2)
ONCE_MORE = replace(FIRES, starts_at=3)

LOG = (
    (0, FIRES),  # opens the first incident
    (10, FIRES),
    (11, ENDS),  # its hold ends at 15
    (20, AGAIN),  # closes the first, opens the second
    (30, AGAIN),
    (31, replace(AGAIN, firing=False)),
    (40, ONCE_MORE),  # closes the second, opens the third
    (50, ONCE_MORE),
)
FIRST, SECOND, THIRD = 0, 3, 6

Told = tuple[str, int, str]


class Partition:
    """A worker on `LOG`, and what survives it: the incidents topic and the committed offset."""

    def __init__(self) -> None:
        self.states: dict[str, bytes] = {}
        self.committed: tuple[int, str | None] = (0, None)
        self.log_start = 0
        self.start()

    @property
    def state(self) -> State:
        return self.ledger.groups["g"].state

    def start(self) -> None:
        self.ledger = restore(FOLD, "group", self.states, self.committed, self.log_start)

    def reset(self, offset: int) -> None:
        self.committed = offset, None
        self.start()

    def fold(self, end: int = len(LOG)) -> None:
        for offset in range(self.ledger.position, end):
            self.ledger.read(offset, LOG[offset][0], LOG[offset][1:])

    def commit(self) -> list[Told]:
        """Decide and commit all there is; returns incident, revision and kind of what was told."""
        while self.ledger.ready:
            work = self.ledger.ready.popleft()
            assert work.snapshot
            last = LastDecision(work.snapshot.incident_id, work.snapshot.revision, "DB", (), "low", 0.8, "rules")
            self.ledger.complete(work, "decided", last)
        plan = self.ledger.plan(lazy=True)
        if plan is None:
            return []
        self.committed = plan.offset, plan.metadata
        for key, value in plan.states:
            if value is not None:
                self.states[key] = value
        snapshots = [(work.snapshot, work.event_type) for work in plan.revisions]
        return [(seen.incident_id, seen.revision, str(kind)) for seen, kind in snapshots if seen]

    def play(self, end: int = len(LOG)) -> list[Told]:
        self.fold(end)
        return self.commit()


def played(end: int = len(LOG)) -> Partition:
    partition = Partition()
    partition.play(end)
    return partition


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
    assert (partition.state.incident_id, partition.state.open) == (ids[opened], True)
    assert partition.state.status is IncidentStatus.FIRING


def test_before_its_first_incident_a_group_has_none() -> None:
    partition = played()
    partition.reset(0)
    assert (partition.state.incident_id, partition.state.open, partition.state.through) == ("", False, -1)
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
            assert partition.state.previous_id == before[partition.state.incident_id], end


def test_a_closed_incident_is_restored_with_the_end_it_had(ids: dict[int, str]) -> None:
    """Between two incidents there is none to join, and none to end again."""
    partition = played(3)
    partition.ledger.read(3, 20, (replace(FIRES, group_key="other"),))
    partition.commit()
    for now in (30, 40):
        partition.ledger.read(partition.ledger.position, now, (replace(FIRES, group_key="other"),))
    partition.ledger.read(6, 50, (AGAIN,))
    partition.commit()
    partition.reset(5)
    assert (partition.state.incident_id, partition.state.open) == (ids[FIRST], False)
    assert partition.state.status is IncidentStatus.RESOLVED
    assert partition.ledger.open_incidents == 1, "the other's"


def test_an_open_incident_without_evidence_lives_from_the_first_time_that_is_known() -> None:
    """Where nobody knows its last alert, silence is counted from the first record read again."""
    partition = played()
    partition.reset(4)
    assert (partition.state.incident_id, partition.state.last_alert_at) == (partition.state.lineage[1].incident_id, -1)
    partition.ledger.read(4, 33, ())
    assert partition.state.last_alert_at == 33
    partition.ledger.read(5, 34, ())
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
        assert (state.frozen, state.last_alert_at, state.distinct) == (2, 11, 1)


def test_the_old_through_stays_frozen_over_a_second_reset() -> None:
    """The members are as of the highest offset ever settled, whatever a half-done replay has read again."""
    partition = played(3)
    partition.reset(1)
    partition.play(2)
    partition.reset(1)
    assert partition.state.frozen == 2


def test_a_restored_incident_closes_as_soon_as_re_reading_has_passed_the_old_through(ids: dict[int, str]) -> None:
    partition = played(3)
    partition.reset(1)
    partition.play(4)
    assert [episode.closed_offset for episode in partition.state.lineage] == [3, None]
    assert partition.state.incident_id == ids[SECOND]


def test_a_tick_ends_a_restored_incident_once_its_log_is_read_again() -> None:
    partition = played(3)
    partition.reset(3)
    partition.ledger.read(3, 12, ())
    partition.ledger.tick(15)
    assert [kind for _, _, kind in partition.commit()] == ["resolution"]


def test_an_incident_of_the_lineage_only_has_no_members() -> None:
    partition = played()
    partition.reset(1)
    assert (partition.state.firing, partition.state.resolved, partition.state.frozen) == ({}, {}, UNKNOWN)


# ---- which states count


@pytest.mark.parametrize(("offset", "counts"), [(7, False), (8, True), (9, True)])
def test_a_state_counts_where_it_lies_wholly_before_the_reset(offset: int, *, counts: bool) -> None:
    partition = played()
    partition.reset(offset)
    assert (partition.state.alert_count, partition.state.revision) == ((2, 1) if counts else (0, 0))
    assert partition.state.through == (7 if counts else offset - 1)


def test_a_state_of_the_current_generation_counts_wherever_it_lies() -> None:
    partition = played()
    partition.committed = 2, position.encode(position.Position(1, 0, 10, -1))
    partition.start()
    assert (partition.state.through, partition.state.alert_count) == (7, 2)
    partition.fold()
    assert partition.commit() == [], "what is settled is skipped"


def half_replayed(end: int) -> Partition:
    """A replay of the first incident that was given up before the second."""
    partition = played()
    partition.reset(1)
    partition.fold(end)
    partition.ledger.relieve(1)
    partition.commit()
    return partition


@pytest.mark.parametrize("end", [2, 3])
def test_a_later_incident_that_a_reset_forward_passed_over_is_restored(end: int, ids: dict[int, str]) -> None:
    """A replay given up half-way leaves a state that is behind its own lineage."""
    partition = half_replayed(end)
    assert partition.state.incident_id == ids[FIRST]
    partition.reset(5)
    state = partition.state
    assert (state.incident_id, state.open, state.through) == (ids[SECOND], True, 4)
    assert (state.previous_id, state.replayed_through) == (ids[FIRST], 7)
    partition.play()
    assert partition.state.incident_id == ids[THIRD]


def test_a_later_incident_whose_beginning_the_retention_took_is_restored(ids: dict[int, str]) -> None:
    partition = half_replayed(2)
    partition.log_start = 5
    partition.start()
    assert (partition.state.incident_id, partition.state.open, partition.state.through) == (ids[SECOND], True, 4)


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


# ---- generations


def test_what_an_earlier_generation_settled_is_replayed() -> None:
    partition = played()
    for offset in (5, 8):
        partition.reset(offset)
        assert partition.state.replayed_through == 7


def test_a_replay_given_up_half_way_makes_nothing_new() -> None:
    """What any earlier generation has told pages nobody, however far the last one came."""
    partition = played()
    for offset, end in ((2, 3), (1, 2), (4, 4)):
        partition.reset(offset)
        partition.play(end)
    assert partition.state.replayed_through == 7
    partition.play()
    partition.start()
    assert partition.state.replayed_through == 7


def test_a_crash_makes_nothing_replayed() -> None:
    """A consumer pages nobody on what is replayed, so nothing may be called so that is new."""
    partition = played()
    partition.start()
    assert partition.state.replayed_through == UNKNOWN


def test_a_first_start_is_no_replay() -> None:
    ledger = restore(FOLD, "group", {}, (5, None), 0)
    assert (ledger.generation, ledger.floor, ledger.position) == (1, 5, 5)
    assert ledger.anything_to_publish, "the generation goes to the incidents topic"


def test_every_reset_is_a_generation_of_its_own_and_is_told_once() -> None:
    partition = played()
    partition.reset(8)
    assert partition.ledger.generation == 2
    plan = partition.ledger.plan(lazy=False)
    assert plan
    assert dict(plan.states) == {MARKER_KEY: marker("group", 2)}
    assert partition.ledger.plan(lazy=False) is None


def test_a_generation_that_told_nothing_but_itself_is_counted() -> None:
    """A reset after a reset, with nothing between but the reserved key."""
    state = encode(State("g"), "group", 4, None)
    for told in (3, 5):
        ledger = restore(FOLD, "group", {"g": state, MARKER_KEY: marker("group", told)}, (0, ""), 0)
        assert ledger.generation == 1 + max(4, told)
    own = position.encode(position.Position(5, 0, 0, -1))
    assert restore(FOLD, "group", {MARKER_KEY: marker("group", 4)}, (0, own), 0).marker_due
    assert not restore(FOLD, "group", {MARKER_KEY: marker("group", 5)}, (0, own), 0).marker_due


@pytest.mark.parametrize("value", [encode(State("g"), "other", 1, None), marker("other", 1)])
def test_another_consumer_groups_states_stop_the_worker(value: bytes) -> None:
    with pytest.raises(FatalError, match=r"'other'.*'group'"):
        restore(FOLD, "group", {"g": value}, (0, None), 0)


# ---- the start of the log


def test_a_start_of_the_log_beyond_the_committed_offset_raises_the_floor() -> None:
    partition = played(5)
    partition.committed = 2, position.encode(position.Position(1, 0, 10, -1))
    partition.log_start = 4
    partition.start()
    ledger = partition.ledger
    assert (ledger.generation, ledger.position, ledger.floor, ledger.now) == (1, 4, 4, 10)
    assert partition.state.alert_count == 2, "the states are kept"
    partition.play(6)
    told = position.decode(partition.committed[1])
    assert told
    assert (told.floor, told.generation) == (4, 1)


@pytest.mark.parametrize("log_start", [0, 2])
def test_a_start_of_the_log_that_is_not_beyond_changes_nothing(log_start: int) -> None:
    partition = played(5)
    partition.committed = 2, position.encode(position.Position(1, 1, 10, -1))
    partition.log_start = log_start
    partition.start()
    assert (partition.ledger.position, partition.ledger.floor) == (2, 1)


def test_a_reset_before_the_start_of_the_log_is_one_to_its_start(ids: dict[int, str]) -> None:
    partition = played()
    partition.log_start = 4
    partition.reset(1)
    assert (partition.ledger.position, partition.ledger.floor, partition.ledger.generation) == (4, 4, 2)
    assert (partition.state.incident_id, partition.state.through) == (ids[SECOND], 3)


# ---- dead letters


def _letters(ledger: Ledger, *offsets: int) -> list[int]:
    for offset in offsets:
        ledger.read(offset, 60, (), (), DeadLetter(offset, 60, None, b"?", (), "bad"))
    plan = ledger.plan(lazy=True)
    return [letter.offset for letter in plan.dead_letters] if plan else []


@pytest.mark.parametrize(
    ("again", "written"),
    [(lambda partition: partition.start(), [9]), (lambda partition: partition.reset(8), [8, 9])],
)
def test_a_dead_letter_is_written_once_in_a_generation(again: Callable[[Partition], None], written: list[int]) -> None:
    partition = played()
    assert _letters(partition.ledger, 8) == [8]
    partition.committed = 8, position.encode(position.Position(1, 0, 50, 8))
    again(partition)
    assert _letters(partition.ledger, 8, 9) == written
