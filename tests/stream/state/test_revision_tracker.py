"""Revisions from trigger to publication: order, pressure, and what is pending."""

from dataclasses import replace

from tests.stream.bench import AGAIN, ENDS, FIRES, OTHER, Partition
from tests.stream.state.revisions import NEW_NAME, SILENCE, decided, kinds


def test_the_previous_decision_is_one_of_the_same_incident() -> None:
    partition = decided(5)
    partition.read(6, NEW_NAME)
    partition.read(6, ENDS)
    partition.read(20, AGAIN)
    partition.read(30, AGAIN)
    ledger = partition.ledger
    previous = []
    while ledger.ready:
        previous.append(ledger.previous_decision(ledger.ready[0]))
        partition.decide_next()
    assert [last and last.revision for last in previous] == [1, 2, None]


def test_one_decision_of_a_group_is_in_flight_at_a_time() -> None:
    partition = Partition()
    partition.read(0, FIRES)
    partition.read(10, NEW_NAME)
    partition.read(30, replace(FIRES, name="C"))
    ledger = partition.ledger
    assert (len(ledger.ready), ledger.pending, ledger.undecided) == (1, 3, 3)
    partition.decide_next()
    assert len(ledger.ready) == 1


def test_pressure_cuts_nothing_while_a_revision_is_undecided() -> None:
    """A full queue drains by itself: only a partition paused with nothing queued cuts revisions that gather."""
    partition = Partition()
    partition.read(0, FIRES)
    partition.ledger.tick(4)
    partition.read(1, OTHER)
    ledger = partition.ledger
    revision = ledger.ready.popleft()
    assert ledger.cut_oldest(1) == 0, "one is in flight"
    ledger.complete(revision, "decided", None)
    assert ledger.cut_oldest(1) == 0, "one is decided and not published"
    partition.write()
    assert ledger.cut_oldest(1) == 1
    assert [each.group.state.group_key for each in ledger.ready] == ["other"]


def test_pressure_cuts_a_later_revision_at_the_current_stream_time() -> None:
    partition = decided(5)
    partition.read(6, NEW_NAME)
    assert partition.ledger.cut_oldest(9) == 1
    [revision] = partition.decide()
    assert (revision.due, partition.state.last_due, partition.state.revision) == (6, 6, 2)
    assert partition.ledger.cut_oldest(9) == 0


def test_an_incident_cut_by_pressure_still_ends() -> None:
    partition = Partition()
    partition.read(0, FIRES)
    partition.ledger.cut_oldest(1)
    partition.commit()
    partition.read(SILENCE)
    assert kinds(partition.commit()) == [(2, "resolution")]


def test_pending_bytes_return_to_zero_with_the_transaction() -> None:
    partition = Partition()
    partition.read(0, FIRES)
    gathering = partition.ledger.pending_bytes
    partition.read(10, NEW_NAME)
    assert 0 < gathering < partition.ledger.pending_bytes
    partition.read(30)
    partition.commit()
    assert (partition.ledger.pending, partition.ledger.undecided, partition.ledger.pending_bytes) == (0, 0, 0)
