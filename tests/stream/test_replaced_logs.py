"""States about another log: the topic was created again, or the log was truncated."""

import pytest

from openclaw_stream.stream.state import commit_metadata
from openclaw_stream.stream.state.restore import OutOfRangeError
from openclaw_stream.stream.state.state_codec import GENERATION_KEY, DecodedState
from tests.stream.bench import LOG, Partition, played


def with_topic_id(topic_id: str | None) -> Partition:
    """Return a worker that has read `LOG` from a topic with this id."""
    partition = Partition()
    partition.topic_id = topic_id
    partition.start()
    partition.play()
    return partition


def test_the_topic_id_is_kept_with_the_generation() -> None:
    partition = with_topic_id("one")
    assert DecodedState(partition.states[GENERATION_KEY]).log == ("one", 1)
    partition.reset(3)
    partition.play()
    assert DecodedState(partition.states[GENERATION_KEY]).log == ("one", 1), "another generation of the same log"


@pytest.mark.parametrize("records", [1, len(LOG), 3 * len(LOG)])
def test_alerts_of_a_topic_created_again_are_new(records: int) -> None:
    """Whatever the length of the log: with ids, logs are distinguished without their offsets."""
    partition = with_topic_id("one")
    partition.topic_id, partition.log_end = "two", records
    partition.committed = 0, None  # deleted with the topic
    outcome = partition.start()
    assert (outcome.foreign_states, outcome.ledger.generation) == (1, 2)
    published = partition.play()
    assert published[0][1:] == (1, "decision")
    assert partition.state.replayed_through == -1
    assert DecodedState(partition.states[GENERATION_KEY]).log == ("two", 2)


def test_an_offset_committed_while_the_topic_was_replaced_is_ignored() -> None:
    """The last transaction on the old topic may commit after its offsets were deleted with it."""
    partition = with_topic_id("one")
    assert partition.committed[0] == len(LOG)
    partition.topic_id, partition.log_end = "two", 3
    outcome = partition.start()
    assert (outcome.ledger.position, outcome.ledger.generation) == (0, 2)
    partition.log_end = len(LOG)
    partition.play()
    assert partition.start().foreign_states == 0
    assert partition.ledger.position == len(LOG), "the offset of the new topic is"


def test_states_about_the_old_topic_are_published_without_their_incident() -> None:
    partition = with_topic_id("one")
    assert DecodedState(partition.states["g"]).state.incident_id
    partition.topic_id = "two"
    partition.committed = 0, None
    partition.start()
    partition.write()
    assert not DecodedState(partition.states["g"]).state.incident_id
    assert partition.start().foreign_states == 0


def test_without_topic_ids_states_beyond_the_end_are_about_another_log() -> None:
    partition = played()
    partition.log_end = 5
    partition.committed = 0, None
    outcome = partition.start()
    assert outcome.foreign_states == 1
    partition.play(5)
    assert partition.state.replayed_through == -1
    assert not partition.state.lineage[0].opened_offset


def test_alerts_at_offsets_of_a_truncated_log_are_not_skipped() -> None:
    """An unclean leader election may truncate a log: later records at those offsets are not settled."""
    partition = with_topic_id("one")
    partition.log_end = 6
    own = commit_metadata.encode(commit_metadata.CommitMetadata(1, 0, 31, -1))
    partition.committed = 5, own
    assert partition.start().foreign_states == 1
    partition.play()
    assert partition.state.through == len(LOG) - 1
    assert partition.state.alert_count > 0


def test_an_upgrade_records_the_id_of_the_topic() -> None:
    partition = played()
    partition.topic_id = "one"
    outcome = partition.start()
    assert (outcome.foreign_states, outcome.offset_shift, outcome.ledger.generation) == (0, None, 1)
    assert partition.ledger.generation_record_due
    partition.write()
    assert DecodedState(partition.states[GENERATION_KEY]).log == ("one", 1)


def test_an_offset_beyond_the_end_of_the_same_log_stops_the_partition() -> None:
    partition = with_topic_id("one")
    partition.log_end = len(LOG) - 1
    with pytest.raises(OutOfRangeError, match="lies beyond the end of the log"):
        partition.start()


# ---- offsets that another program has set


@pytest.mark.parametrize(("offset", "shift"), [(len(LOG) + 25, 25), (len(LOG), 0), (2, 2 - len(LOG))])
def test_the_shift_of_an_offset_set_by_another_program_is_reported(offset: int, shift: int) -> None:
    partition = played()
    partition.committed = offset, "set by a tool"
    assert partition.start().offset_shift == shift


def test_an_own_offset_and_a_first_start_have_no_offset_shift() -> None:
    assert played().start().offset_shift is None
    assert Partition().start().offset_shift is None
