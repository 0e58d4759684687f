"""When revisions are cut and incidents end: by stream time, an offset or a tick."""

from dataclasses import replace

from openclaw_stream.vocabulary import IncidentStatus, Severity
from tests.stream.bench import AGAIN, ENDS, FIRES, OTHER, Partition
from tests.stream.state.revisions import NEW_NAME, SILENCE, decided, kinds


def test_a_revision_is_cut_at_its_due_time_and_not_after_the_next_record() -> None:
    partition = Partition()
    partition.read(0, FIRES)
    partition.read(3, FIRES)
    partition.read(4, FIRES)
    [revision] = partition.decide()
    assert revision.snapshot
    assert (revision.due, revision.snapshot.alert_count, partition.state.alert_count) == (4, 2, 3)


def test_a_revision_covers_the_whole_record_that_triggered_it() -> None:
    partition = Partition()
    partition.read(0, FIRES)
    partition.read(20, FIRES, NEW_NAME, replace(FIRES, member=2))
    revisions = partition.decide()
    assert [revision.snapshot.alert_count for revision in revisions if revision.snapshot] == [1, 4]


def test_a_revision_is_due_at_the_earliest_of_its_triggers() -> None:
    partition = Partition()
    partition.read(0, FIRES)
    partition.read(1, replace(FIRES, severity=Severity.CRITICAL))
    partition.read(1, NEW_NAME)
    partition.ledger.tick(2)
    [revision] = partition.decide()
    assert (revision.due, partition.ledger.pending) == (2, 1)


def test_rules_decide_an_incident_that_ends_before_its_first_revision() -> None:
    partition = Partition()
    partition.ledger.apply(0, 0, (FIRES, ENDS))
    partition.state.hold_end = 3
    partition.read(20)
    first, resolution = partition.decide()
    assert (first.rules_only, first.due, first.event_type) == (True, 3, "decision")
    assert (resolution.due, resolution.event_type) == (3, "resolution")
    assert kinds(partition.write()) == [(1, "decision"), (2, "resolution")]


def test_the_arbiter_decides_the_second_revision_of_an_incident_that_ends() -> None:
    partition = decided(5)
    partition.read(6, NEW_NAME)
    partition.read(6, ENDS)
    partition.state.hold_end = 8
    partition.read(20)
    second, resolution = partition.decide()
    assert (second.rules_only, second.due, resolution.rules_only) == (False, 8, False)
    assert kinds(partition.write()) == [(2, "decision"), (3, "resolution")]


def test_a_first_revision_due_at_the_end_of_its_incident_is_decided_by_the_arbiter() -> None:
    partition = Partition()
    partition.ledger.apply(0, 0, (FIRES, ENDS))
    partition.read(20)
    first, _ = partition.decide()
    assert (first.rules_only, first.due) == (False, 4)


def test_a_published_end_is_published_again_after_an_alert_cancelled_it() -> None:
    """A record with a stream time before the close time joins; the end is published again as a later revision."""
    partition = decided(5)
    partition.ledger.tick(5 + SILENCE)
    assert kinds(partition.commit()) == [(2, "resolution")]
    assert (partition.state.is_open, partition.state.end_published) == (True, True)
    assert partition.state.status is IncidentStatus.ASSUMED_RESOLVED
    incident_id = partition.state.incident_id
    partition.read(4 + SILENCE, FIRES)
    assert (partition.state.incident_id, partition.state.end_published) == (incident_id, False)
    partition.read(200)
    assert partition.commit() == [(incident_id, 3, "decision"), (incident_id, 4, "resolution")]
    assert not partition.state.is_open


def test_an_end_is_published_once_and_closed_by_stream_time() -> None:
    partition = decided(5)
    for _ in range(3):
        partition.ledger.tick(100)
    assert kinds(partition.commit()) == [(2, "resolution")]
    partition.read(100)
    assert partition.commit() == []
    assert not partition.state.is_open
    assert [entry.closed_offset for entry in partition.state.lineage] == [3]
    partition.start()
    assert not partition.state.is_open, "the close is written"


def test_a_published_end_is_not_published_again_after_a_crash() -> None:
    partition = decided(5)
    partition.ledger.tick(100)
    partition.commit()
    partition.start()
    partition.ledger.tick(200)
    partition.read(200)
    assert partition.commit() == []
    assert not partition.state.is_open


def test_a_tick_publishes_an_end_and_does_not_close_the_incident() -> None:
    partition = decided(5)
    partition.ledger.tick(1000)
    incident_id = partition.state.incident_id
    partition.read(6, replace(FIRES, member=2))
    assert partition.state.incident_id == incident_id
    assert sorted(partition.state.firing) == [1, 2]


def test_a_tick_before_the_first_record_does_nothing() -> None:
    partition = Partition()
    partition.ledger.tick(1000)
    assert partition.ledger.stream_time == -1
    assert not partition.ledger.ready


def test_open_and_opened_incidents_are_counted() -> None:
    partition = Partition()
    seen = []
    for now, alert in ((0, FIRES), (1, OTHER), (10, ENDS), (20, AGAIN), (100, OTHER)):
        partition.read(now, alert)
        seen.append((partition.ledger.open_incidents, partition.ledger.incidents_opened))
    assert seen == [(1, 1), (2, 2), (2, 2), (2, 3), (1, 3)]


def test_an_incident_whose_end_is_published_is_not_counted_as_open() -> None:
    """A quiet topic: the ends are published by ticks, and no record comes that closes the incidents."""
    partition = decided(5)
    partition.ledger.tick(100)
    assert (partition.state.is_open, partition.ledger.open_incidents) == (True, 0)
    partition.commit()
    partition.start()
    assert (partition.state.is_open, partition.ledger.open_incidents) == (True, 0), "after a restart"
    partition.read(200)
    assert (partition.state.is_open, partition.ledger.open_incidents) == (False, 0), "closed by stream time"


def test_an_incident_that_continues_after_its_end_counts_as_open_again() -> None:
    partition = decided(5)
    partition.ledger.tick(5 + SILENCE)
    assert partition.ledger.open_incidents == 0
    partition.read(4 + SILENCE, FIRES)
    assert partition.ledger.open_incidents == 1
    partition.ledger.tick(200)
    assert partition.ledger.open_incidents == 0
