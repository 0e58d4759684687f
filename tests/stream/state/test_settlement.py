"""What a transaction publishes, writes and commits of the groups."""

from dataclasses import replace

import pytest

from openclaw_stream.incidents.state import State
from openclaw_stream.stream.state import commit_metadata
from openclaw_stream.stream.state.state_codec import DecodedState
from openclaw_stream.vocabulary import EventType
from tests.stream.bench import AGAIN, ENDS, FIRES, FIRST, OTHER, SECOND, Partition, played
from tests.stream.state.revisions import NEW_NAME, SILENCE, decided, kinds


def test_until_a_revision_is_published_the_state_before_its_record_is_written() -> None:
    """So the record that triggered it is read again after a crash."""
    partition = decided(10)
    partition.read(11, FIRES)
    partition.read(12, NEW_NAME)
    partition.read(13, FIRES)
    assert partition.write() == []
    assert partition.committed == (4, commit_metadata.encode(commit_metadata.CommitMetadata(1, 0, 11, -1)))
    partition.start()
    assert (partition.state.through, partition.state.alert_count) == (3, 4)


@pytest.mark.parametrize(("now", "due"), [(10, 0), (14, 1)])
def test_the_committed_stream_time_is_that_before_the_first_record_to_read_again(now: int, due: int) -> None:
    partition = Partition()
    partition.read(10, OTHER)
    partition.read(now, FIRES)
    partition.decide()
    partition.write()
    metadata = commit_metadata.decode(partition.committed[1])
    assert metadata
    assert (partition.committed[0], metadata.stream_time) == ((1, 10) if due else (0, -1))


def test_the_state_of_a_closed_incident_contains_its_last_decision() -> None:
    partition = decided(5)
    partition.read(6, NEW_NAME)
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
    """Decide everything, and return the states of the group that the next transaction writes."""
    partition.decide()
    plan = partition.ledger.plan(lazy=True)
    assert plan
    return [DecodedState(value).state for key, value in plan.states if key == "g" and value]


def test_the_last_state_of_an_incident_is_written_even_in_the_transaction_of_the_next_incident() -> None:
    """Otherwise its alerts after the last written state would be counted in none."""
    partition = Partition()
    partition.fold(5)
    partition.ledger.tick(100)
    states = written_states(partition)
    assert [(state.opened_offset, state.alert_count) for state in states] == [(FIRST, 3), (SECOND, 2)]
    assert states[0].incident_id == states[1].previous_incident_id


def test_the_last_state_of_an_incident_is_written_once() -> None:
    partition = played(SECOND)
    partition.read(20, OTHER)
    partition.commit()
    partition.read(20, AGAIN)
    partition.ledger.tick(100)
    assert [(state.opened_offset, state.alert_count) for state in written_states(partition)] == [(SECOND + 1, 1)]


def test_revisions_of_one_incident_in_one_transaction_write_one_state() -> None:
    partition = Partition()
    partition.read(0, FIRES)
    partition.read(10, NEW_NAME)
    partition.ledger.tick(20)
    assert [(state.revision, state.alert_count) for state in written_states(partition)] == [(2, 2)]


def test_the_lowest_unsettled_offset_is_committed() -> None:
    """A group is settled and then has an unsettled record; another one has an earlier unsettled record."""
    partition = Partition()
    partition.read(0, FIRES)
    partition.read(4, OTHER)
    partition.read(4, NEW_NAME)
    assert [revision.due for revision in partition.decide()] == [4]
    partition.write()
    assert partition.committed[0] == 1
