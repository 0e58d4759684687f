"""The records of a workload contain the alerts that it lists."""

import json
import random
from pathlib import Path

import pytest

from tests.chaos import wire
from tests.chaos.journal import digest, read_journal, write_entry
from tests.chaos.workload import Record, Workload


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return list(Workload(5, 4000, 3))


def test_a_seed_gives_the_same_records(records: list[Record]) -> None:
    assert list(Workload(5, 4000, 3)) == records
    assert list(Workload(6, 4000, 3)) != records


def test_every_group_stays_on_its_partition(records: list[Record]) -> None:
    places: dict[str, set[int]] = {}
    for record in records:
        for sent in record.alerts:
            places.setdefault(sent.group, set()).add(record.partition)
    assert len(places) > 100
    assert all(len(partitions) == 1 for partitions in places.values())


def test_records_contain_their_alerts(records: list[Record]) -> None:
    for record in records:
        if record.dead or record.value is None:
            continue
        document = json.loads(record.value)
        document = document.get("data", document)
        alerts = document.get("alerts", [document])
        services = [alert.get("service") or alert["labels"]["service"] for alert in alerts]
        assert services == [sent.service for sent in record.alerts]


def test_there_are_batches_of_many_groups_a_crowd_and_poison(records: list[Record]) -> None:
    assert any(len({sent.group for sent in record.alerts}) > 5 for record in records)
    assert len({sent.identity for record in records for sent in record.alerts if sent.service == "crowd"}) == 800
    assert any(record.dead and not record.alerts for record in records)
    assert any(record.dead and record.alerts for record in records)
    assert any(record.value is None for record in records)


def test_poison_is_never_an_alert() -> None:
    r = random.Random(1)  # noqa: S311 - a workload, not a secret
    for number in range(500):
        value = wire.poison(r, number)
        try:
            document = json.loads(value)
        except (ValueError, RecursionError):
            continue
        named = type(document) is dict and type(document.get("alert_type")) is str
        assert not named or b"NaN" in value


def test_a_journal_is_read_back(records: list[Record], tmp_path: Path) -> None:
    with (tmp_path / "records.jsonl").open("w") as lines:
        for record in records[:50]:
            write_entry(lines, record)
        lines.write('[1, 2, "cut')
    entries = list(read_journal(tmp_path))
    assert [(m.number, m.partition, m.digest, m.alerts, m.dead) for m in entries] == [
        (r.number, r.partition, digest(r.value), r.alerts, r.dead) for r in records[:50]
    ]


def test_an_added_partition_gets_groups_of_its_own() -> None:
    workload = Workload(5, 600, 2)
    records = iter(workload)
    before = [next(records) for _ in range(100)]
    workload.add_partition()
    after = list(records)
    assert {record.partition for record in before} == {0, 1}
    assert {record.partition for record in after} == {0, 1, 2}
    groups = [{sent.group for r in after if (r.partition == 2) is new for sent in r.alerts} for new in (True, False)]
    assert groups[0]
    assert not groups[0] & groups[1]
