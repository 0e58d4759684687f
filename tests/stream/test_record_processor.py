"""What is delivered is folded in small parts."""

import pytest
from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.alerts.identity import Grouping
from openclaw_stream.stream.partition_metrics import PartitionMetrics
from openclaw_stream.stream.record_processor import RecordProcessor, in_parts
from openclaw_stream.telemetry.metrics import Metrics
from tests.stream.bench import FIRES, Partition

FOREVER = 1 << 62
SIZES = st.lists(st.none() | st.sampled_from([0, 300, 100_000, 400_000]), max_size=60)


def record(offset: int, size: int | None) -> ConsumerRecord:
    value = None if size is None else bytes(size)
    return ConsumerRecord("t", 0, offset, 0, 0, None, value, None, 0, size or 0, ())


@given(SIZES)
def test_parts_are_the_records_in_order_and_none_is_empty(sizes: list[int | None]) -> None:
    records = [record(offset, size) for offset, size in enumerate(sizes)]
    parts = list(in_parts(records))
    assert [each for part in parts for each in part] == records
    assert all(parts)


@given(SIZES)
def test_a_part_is_small_but_for_its_last_record(sizes: list[int | None]) -> None:
    for part in in_parts([record(offset, size) for offset, size in enumerate(sizes)]):
        assert sum(len(each.value or b"") for each in part[:-1]) < 256 * 1024


def test_thousands_of_records_are_several_parts() -> None:
    assert len(list(in_parts([record(offset, None) for offset in range(4000)]))) > 3
    assert len(list(in_parts([record(offset, 500) for offset in range(4000)]))) > 10


@pytest.mark.parametrize("timestamp", [FOREVER, FOREVER - 1, (1 << 63) - 1, -1])
def test_no_timestamp_stops_the_fold(timestamp: int) -> None:
    partition = Partition()
    partition.read(0, FIRES)
    intake = RecordProcessor(
        partition.ledger, Grouping(("service",)), PartitionMetrics(Metrics(), 0), lambda: False, {}
    )
    assert intake.feed([ConsumerRecord("t", 0, 1, timestamp, 0, None, None, None, 0, 0, ())])
    assert 0 <= partition.ledger.stream_time < FOREVER
    assert partition.ledger.position == 2
