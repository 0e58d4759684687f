"""Generations, the floor and the dead letters after a crash, a reset, or retention past the committed offset."""

from collections.abc import Callable

import pytest

from openclaw_stream.errors import FatalError
from openclaw_stream.incidents.state import UNKNOWN, State
from openclaw_stream.stream.state import commit_metadata
from openclaw_stream.stream.state.restore import LogFacts, restore
from openclaw_stream.stream.state.state_codec import GENERATION_KEY, encode, generation_record
from openclaw_stream.stream.state.transaction_plan import DeadLetter
from tests.stream.bench import FOLD, OTHER, SECOND, Partition, played

# ---- generations


def test_everything_an_earlier_generation_settled_is_marked_as_replayed() -> None:
    partition = played()
    for offset in (5, 8):
        partition.reset(offset)
        assert partition.state.replayed_through == 7


def test_an_unfinished_replay_does_not_lower_the_replayed_offset() -> None:
    """Consumers do not page for what any earlier generation has published, however far the last one came."""
    partition = played()
    for offset, end in ((2, 3), (1, 2), (4, 4)):
        partition.reset(offset)
        partition.play(end)
    assert partition.state.replayed_through == 7
    partition.play()
    partition.start()
    assert partition.state.replayed_through == 7


def test_nothing_is_replayed_after_a_crash() -> None:
    """Consumers do not page for a replayed event, so no new event may be marked as replayed."""
    partition = played()
    partition.start()
    assert partition.state.replayed_through == UNKNOWN


def test_a_first_start_is_no_replay() -> None:
    ledger = restore(FOLD, "group", {}, (5, None), LogFacts(0)).ledger
    assert (ledger.generation, ledger.floor, ledger.position) == (1, 5, 5)
    assert ledger.has_output, "the generation is written to the incidents topic"


def test_every_reset_starts_a_generation_that_is_written_once() -> None:
    partition = played()
    partition.reset(8)
    assert partition.ledger.generation == 2
    plan = partition.ledger.plan(lazy=False)
    assert plan
    assert dict(plan.states) == {GENERATION_KEY: generation_record("group", 2, 7)}
    assert partition.ledger.plan(lazy=False) is None


def test_a_generation_that_wrote_only_its_generation_record_is_counted() -> None:
    """A reset after a reset, with nothing written between but the reserved key."""
    state = encode(State("g"), "group", 4, None)
    for generation in (3, 5):
        states = {"g": state, GENERATION_KEY: generation_record("group", generation, -1)}
        ledger = restore(FOLD, "group", states, (0, ""), LogFacts(0)).ledger
        assert ledger.generation == 1 + max(4, generation)
    own = commit_metadata.encode(commit_metadata.CommitMetadata(5, 0, 0, -1))
    assert restore(
        FOLD, "group", {GENERATION_KEY: generation_record("group", 4, -1)}, (0, own), LogFacts(0)
    ).ledger.generation_record_due
    assert not restore(
        FOLD, "group", {GENERATION_KEY: generation_record("group", 5, -1)}, (0, own), LogFacts(0)
    ).ledger.generation_record_due


@pytest.mark.parametrize("value", [encode(State("g"), "other", 1, None), generation_record("other", 1, -1)])
def test_states_of_another_consumer_group_stop_the_worker(value: bytes) -> None:
    with pytest.raises(FatalError, match=r"'other'.*'group'"):
        restore(FOLD, "group", {"g": value}, (0, None), LogFacts(0))


# ---- the start of the log


def test_a_log_start_beyond_the_committed_offset_raises_the_floor() -> None:
    partition = played(5)
    partition.committed = 2, commit_metadata.encode(commit_metadata.CommitMetadata(1, 0, 10, -1))
    partition.log_start = 4
    partition.start()
    ledger = partition.ledger
    assert (ledger.generation, ledger.position, ledger.floor, ledger.stream_time) == (1, 4, 4, 10)
    assert (ledger.log_start, ledger.has_more) == (4, False)
    assert partition.state.alert_count == 2, "the states are kept"
    partition.play(6)
    metadata = commit_metadata.decode(partition.committed[1])
    assert metadata
    assert (metadata.floor, metadata.generation) == (4, 1)


@pytest.mark.parametrize("log_start", [0, 2])
def test_a_log_start_up_to_the_committed_offset_changes_nothing(log_start: int) -> None:
    partition = played(5)
    partition.committed = 2, commit_metadata.encode(commit_metadata.CommitMetadata(1, 1, 10, -1))
    partition.log_start = log_start
    partition.start()
    assert (partition.ledger.position, partition.ledger.floor) == (2, 1)


def test_a_reset_before_the_log_start_is_a_reset_to_the_log_start() -> None:
    partition = played()
    partition.log_start = 4
    partition.reset(1)
    assert (partition.ledger.position, partition.ledger.floor, partition.ledger.generation) == (4, 4, 2)
    assert (partition.state.opened_offset, partition.state.through) == (SECOND, 3)


# ---- dead letters


def _letters(partition: Partition, *offsets: int) -> list[int]:
    for offset in offsets:
        partition.ledger.apply(offset, 60, (), (), DeadLetter(offset, 60, None, b"?", (), "bad"))
    plan = partition.ledger.plan(lazy=True)
    assert plan
    partition.committed = plan.offset, plan.metadata
    return [letter.offset for letter in plan.dead_letters]


@pytest.mark.parametrize(
    ("again", "written"),
    [(lambda partition: partition.start(), [10]), (lambda partition: partition.reset(8), [9, 10])],
)
def test_a_dead_letter_is_written_once_in_a_generation(again: Callable[[Partition], None], written: list[int]) -> None:
    partition = played()
    partition.read(60, OTHER)
    assert _letters(partition, 9) == [9]
    assert partition.committed[0] == 8
    again(partition)
    partition.read(60, OTHER)
    assert _letters(partition, 9, 10) == written


def test_a_dead_letter_is_not_written_again_after_the_broker_lost_its_commit() -> None:
    partition = played()
    before = partition.committed
    partition.ledger.apply(8, 60, (), (), DeadLetter(8, 60, None, b"?", (), "bad"))
    plan = partition.ledger.plan(lazy=True)
    assert plan
    partition.states |= {key: value for key, value in plan.states if value}
    partition.committed = before
    partition.start()
    assert _letters(partition, 8, 9) == [9]
