"""Canaries are due once the brokers have them, seen by a reader, and settled by either a reader or the group."""

import json

import pytest

from tests.chaos.canaries import WAIT_SECONDS, Canaries, Delay, partition_of
from tests.chaos.journal import Run
from tests.chaos.workload import Record


def run(partitions: int = 2) -> Run:
    return Run(1, "", "g", {}, partitions, 100)


def first(canaries: Canaries) -> tuple[Record, str]:
    record = next(canaries.records(100.0))
    return record, record.alerts[0].group


def test_each_partition_has_a_fresh_group_every_second() -> None:
    canaries = Canaries(run())
    records = [*canaries.records(100.0), *canaries.records(100.5), *canaries.records(101.0)]
    assert [record.partition for record in records] == [0, 1, 0, 1]
    assert len({record.alerts[0].group for record in records}) == len({record.number for record in records}) == 4
    assert all(partition_of(record.alerts[0].group) == record.partition for record in records)
    document = json.loads(records[0].value or b"")
    assert (f"chaos/{document['service']}", document["severity"]) == (records[0].alerts[0].group, "critical")


def test_an_added_partition_has_canaries_and_ended_ones_stop() -> None:
    of = run(1)
    canaries = Canaries(of)
    assert len(list(canaries.records(1.0))) == 1
    of.partitions = 2
    assert [record.partition for record in canaries.records(1.5)] == [1]
    canaries.ended.set()
    assert list(canaries.records(9.0)) == []


def test_a_canary_is_due_a_group_wait_after_its_delivery_and_until_it_is_seen() -> None:
    canaries = Canaries(run())
    record, group = first(canaries)
    assert canaries.unseen_seconds(0, 200.0) == 0
    canaries.deliver(record, 7, 200.0)
    assert canaries.unseen_seconds(0, 200.0) == 0
    assert canaries.unseen_seconds(0, 203.0) == pytest.approx(3 - WAIT_SECONDS)
    assert (canaries.waiting, canaries.unseen_seconds(1, 203.0), canaries.last_seen(0)) == (1, 0, 0)
    canaries.see(group, 204.0)
    assert (canaries.waiting, canaries.unseen_seconds(0, 205.0), canaries.last_seen(0)) == (0, 0, 204.0)
    assert canaries.delays == [Delay(0, 200 + WAIT_SECONDS, 204.0)]


def test_a_committed_offset_settles_what_readers_are_kept_from() -> None:
    canaries = Canaries(run())
    record, _ = first(canaries)
    canaries.deliver(record, 7, 200.0)
    canaries.settle(0, 7)
    assert canaries.unsettled_seconds(0, 203.0) > 0
    canaries.settle(0, 8)
    assert canaries.unsettled_seconds(0, 203.0) == 0
    assert canaries.unseen_seconds(0, 203.0) > 0


def test_a_decision_may_be_seen_before_its_alert_is_acknowledged() -> None:
    canaries = Canaries(run())
    record, group = first(canaries)
    canaries.see(group, 199.0)
    canaries.deliver(record, 7, 200.0)
    assert (canaries.waiting, canaries.unsettled_seconds(0, 300.0)) == (0, 0)
    assert canaries.delays == [Delay(0, 199.0, 199.0)]
