"""States that are about another log: of a topic that was created again, or of one that lost its end."""

import pytest

from openclaw_stream.stream.state import commit_metadata as position
from openclaw_stream.stream.state.restore import OutOfRangeError
from openclaw_stream.stream.state.state_codec import GENERATION_KEY, DecodedState
from tests.stream.bench import LOG, Partition, played


def named(topic_id: str | None) -> Partition:
    """Return a worker that has read `LOG` from a topic with this id."""
    partition = Partition()
    partition.topic_id = topic_id
    partition.start()
    partition.play()
    return partition


def test_the_topic_id_is_kept_with_the_generation() -> None:
    partition = named("one")
    assert DecodedState(partition.states[GENERATION_KEY]).log == ("one", 1)
    partition.reset(3)
    partition.play()
    assert DecodedState(partition.states[GENERATION_KEY]).log == ("one", 1), "another generation of the same log"


@pytest.mark.parametrize("records", [1, len(LOG), 3 * len(LOG)])
def test_alerts_of_a_topic_created_again_are_new(records: int) -> None:
    """Whatever its length: with an id, offsets are not what tells the logs apart."""
    partition = named("one")
    partition.topic_id, partition.log_end = "two", records
    partition.committed = 0, None  # deleted with the topic
    outcome = partition.start()
    assert (outcome.foreign_states, outcome.ledger.generation) == (1, 2)
    told = partition.play()
    assert told[0][1:] == (1, "decision")
    assert partition.state.replayed_through == -1
    assert DecodedState(partition.states[GENERATION_KEY]).log == ("two", 2)


def test_an_offset_committed_while_the_topic_was_replaced_is_not_believed() -> None:
    """The last transaction on the old topic may commit after its offsets were deleted with it."""
    partition = named("one")
    assert partition.committed[0] == len(LOG)
    partition.topic_id, partition.log_end = "two", 3
    outcome = partition.start()
    assert (outcome.ledger.position, outcome.ledger.generation) == (0, 2)
    partition.log_end = len(LOG)
    partition.play()
    assert partition.start().foreign_states == 0
    assert partition.ledger.position == len(LOG), "the offset of the new topic is"


def test_states_of_the_old_topic_lose_their_incident_for_readers_too() -> None:
    partition = named("one")
    assert DecodedState(partition.states["g"]).state.incident_id
    partition.topic_id = "two"
    partition.committed = 0, None
    partition.start()
    partition.write()
    assert not DecodedState(partition.states["g"]).state.incident_id
    assert partition.start().foreign_states == 0


def test_without_ids_offsets_beyond_the_end_say_it() -> None:
    partition = played()
    partition.log_end = 5
    partition.committed = 0, None
    outcome = partition.start()
    assert outcome.foreign_states == 1
    partition.play(5)
    assert partition.state.replayed_through == -1
    assert not partition.state.lineage[0].opened_offset


def test_alerts_at_offsets_that_a_log_has_lost_are_not_skipped() -> None:
    """The end of a log may be lost (an unclean election): what comes there later is not what was settled."""
    partition = named("one")
    partition.log_end = 6
    own = position.encode(position.CommitMetadata(1, 0, 31, -1))
    partition.committed = 5, own
    assert partition.start().foreign_states == 1
    partition.play()
    assert partition.state.through == len(LOG) - 1
    assert partition.state.alert_count > 0


def test_an_upgrade_adopts_the_id_of_the_topic() -> None:
    partition = played()
    partition.topic_id = "one"
    outcome = partition.start()
    assert (outcome.foreign_states, outcome.offset_shift, outcome.ledger.generation) == (0, None, 1)
    assert partition.ledger.generation_record_due
    partition.write()
    assert DecodedState(partition.states[GENERATION_KEY]).log == ("one", 1)


def test_an_offset_beyond_the_end_of_the_same_log_stops_the_partition() -> None:
    partition = named("one")
    partition.log_end = len(LOG) - 1
    with pytest.raises(OutOfRangeError, match="lies beyond the end of the log"):
        partition.start()


# ---- offsets that another program has set


@pytest.mark.parametrize(("offset", "jump"), [(len(LOG) + 25, 25), (len(LOG), 0), (2, 2 - len(LOG))])
def test_how_many_records_an_offset_of_another_program_skips_or_repeats(offset: int, jump: int) -> None:
    partition = played()
    partition.committed = offset, "of a tool"
    assert partition.start().offset_shift == jump


def test_an_own_offset_and_a_first_start_are_no_jump() -> None:
    assert played().start().offset_shift is None
    assert Partition().start().offset_shift is None
