"""Delivered records are processed in small chunks, whatever their size and timestamps."""

import pytest
from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.alerts.identity import Grouping
from openclaw_stream.alerts.reader import AlertReader
from openclaw_stream.stream.partition_metrics import PartitionMetrics
from openclaw_stream.stream.record_processor import RecordProcessor, in_chunks
from openclaw_stream.telemetry.metrics import Metrics
from tests.stream.bench import FIRES, Partition

NEVER = 1 << 62
SIZES = st.lists(st.none() | st.sampled_from([0, 300, 100_000, 400_000]), max_size=60)


def record(offset: int, size: int | None) -> ConsumerRecord:
    value = None if size is None else bytes(size)
    return ConsumerRecord("t", 0, offset, 0, 0, None, value, None, 0, size or 0, ())


@given(SIZES)
def test_chunks_contain_all_records_in_order_and_none_is_empty(sizes: list[int | None]) -> None:
    records = [record(offset, size) for offset, size in enumerate(sizes)]
    chunks = list(in_chunks(records))
    assert [each for chunk in chunks for each in chunk] == records
    assert all(chunks)


@given(SIZES)
def test_a_chunk_is_small_except_for_its_last_record(sizes: list[int | None]) -> None:
    for chunk in in_chunks([record(offset, size) for offset, size in enumerate(sizes)]):
        assert sum(len(each.value or b"") for each in chunk[:-1]) < 256 * 1024


def test_thousands_of_records_are_several_chunks() -> None:
    assert len(list(in_chunks([record(offset, None) for offset in range(4000)]))) > 3
    assert len(list(in_chunks([record(offset, 500) for offset in range(4000)]))) > 10


@pytest.mark.parametrize("timestamp", [NEVER, NEVER - 1, (1 << 63) - 1, -1])
def test_no_timestamp_stops_the_fold(timestamp: int) -> None:
    partition = Partition()
    partition.read(0, FIRES)
    processor = RecordProcessor(
        partition.ledger, AlertReader(Grouping(("service",))), PartitionMetrics(Metrics(), 0), lambda: False, {}
    )
    assert processor.process([ConsumerRecord("t", 0, 1, timestamp, 0, None, None, None, 0, 0, ())])
    assert 0 <= partition.ledger.stream_time < NEVER
    assert partition.ledger.position == 2
