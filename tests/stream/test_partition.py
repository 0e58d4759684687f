"""One assigned partition in the process of the test, on a real Kafka: its states, and the records it accepts."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from aiokafka import ConsumerRecord

from openclaw_stream.stream.context import WorkerContext
from openclaw_stream.stream.partition import Partition
from openclaw_stream.stream.partition_state import PartitionState
from tests.stream.conftest import NewPipeline
from tests.stream.in_process import LIMIT, eventually, open_context, source_of
from tests.stream.pipeline import Pipeline, alert


@asynccontextmanager
async def running(
    pipeline: Pipeline, limit: Callable[[], int] = lambda: LIMIT
) -> AsyncIterator[tuple[WorkerContext, Partition]]:
    """Yield a partition that is restored, and accepts records."""
    async with open_context(pipeline, limit) as context:
        context.consumer.pause(source_of(pipeline))
        partition = Partition(context, source_of(pipeline))
        try:
            await serve_again(partition)
            yield context, partition
        finally:
            await partition.close(0)


async def serve_again(partition: Partition) -> None:
    await eventually(lambda: partition.epoch > 0, "the restore")
    partition.start_processing()
    assert partition.state is PartitionState.RUNNING


def now(partition: Partition) -> tuple[PartitionState, int | None]:
    """Return its state and position."""
    return partition.state, partition.position


def record(offset: int, value: bytes, headers: Sequence[tuple[str, object]] = ()) -> ConsumerRecord:
    return ConsumerRecord("t", 0, offset, 1000 + offset, 0, None, value, None, 0, len(value), headers)


FIRES = json.dumps(alert("cart")).encode()


async def test_a_partition_accepts_records_once_restored_and_until_closed(new_pipeline: NewPipeline) -> None:
    pipeline = await asyncio.to_thread(new_pipeline, 1)
    async with open_context(pipeline) as context:
        partition = Partition(context, source_of(pipeline))
        assert (partition.state, partition.position, partition.epoch) == (PartitionState.RESTORING, None, 0)
        assert list(partition.reasons()) == ["it is being restored"]
        partition.start_processing()
        assert partition.process([record(0, FIRES)]) is False
        await serve_again(partition)
        assert (partition.position, list(partition.reasons())) == (0, [])
        assert partition.process([record(0, FIRES)])
        assert partition.position == 1
        partition.tick(2, 2, 2)
        assert partition.position == 2, "an offset without a record"
        await eventually(lambda: partition.committed is not None, "the commit")
        assert await partition.close(30)
        assert now(partition) == (PartitionState.CLOSED, None)
        assert partition.process([record(2, FIRES)]) is False
        assert context.metrics.registry.get_sample_value("openclaw_lag_records", {"partition": "0"}) is None


async def test_a_restart_discards_what_is_not_committed(new_pipeline: NewPipeline) -> None:
    pipeline = await asyncio.to_thread(new_pipeline, 1)
    await asyncio.to_thread(pipeline.produce, [(0, alert("cart"))] * 3)
    async with running(pipeline) as (context, partition):
        assert partition.process([record(n, FIRES) for n in range(3)])
        assert partition.position == 3
        before = partition.epoch
        partition.restart("offsets were lost")
        assert now(partition) == (PartitionState.RESTORING, None)
        await eventually(lambda: partition.epoch > before, "the restore")
        await serve_again(partition)
        assert partition.position == 0
        aborted = context.metrics.registry.get_sample_value("openclaw_transactions_total", {"result": "aborted"})
        assert aborted == 1
        await eventually(lambda: list(partition.reasons()) == [], "a commit")


async def test_a_partition_at_its_limit_is_paused_and_resumes_at_the_record_left_out(new_pipeline: NewPipeline) -> None:
    pipeline = await asyncio.to_thread(new_pipeline, 1)
    await asyncio.to_thread(pipeline.produce, [(0, alert("cart"))] * 2)
    limits = [1]
    async with running(pipeline, lambda: limits[0]) as (context, partition):
        assert partition.process([record(0, FIRES), record(1, FIRES)]) is False
        assert now(partition) == (PartitionState.PAUSED, 1)
        assert context.consumer.paused() == {partition.source}
        limits[0] = LIMIT
        partition.tick(2, 2, 2)
        assert now(partition) == (PartitionState.RUNNING, 1)
        assert context.consumer.paused() == set()
        assert await context.consumer.position(partition.source) == 1


async def test_a_blocked_partition_reads_nothing_and_names_the_reason(new_pipeline: NewPipeline) -> None:
    pipeline = await asyncio.to_thread(new_pipeline, 1)
    async with running(pipeline) as (context, partition):
        partition.block("the log is damaged at offset 0")
        assert partition.state is PartitionState.BLOCKED
        assert list(partition.reasons()) == ["the log is damaged at offset 0"]
        assert context.consumer.paused() == {partition.source}
        assert partition.process([record(0, FIRES)]) is False


class Undecodable(bytes):
    """A header value that no record of Kafka has: the fold raises, as it would with a defect."""

    def decode(self, *_: object) -> str:
        raise RuntimeError("a defect")


async def test_a_record_on_which_this_program_fails_becomes_a_dead_letter(new_pipeline: NewPipeline) -> None:
    pipeline = await asyncio.to_thread(new_pipeline, 1)
    await asyncio.to_thread(pipeline.produce, [(0, alert("cart"))] * 2)
    trace = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    async with running(pipeline) as (_, partition):
        before = partition.epoch
        assert partition.process([record(0, FIRES, [("traceparent", Undecodable(trace))])]) is False
        await eventually(lambda: partition.epoch > before, "the restore")
        await serve_again(partition)
        assert partition.process([record(0, FIRES, [("traceparent", trace)]), record(1, FIRES)])
        assert partition.position == 2
        assert await partition.close(30)
    [letter] = await asyncio.to_thread(pipeline.read, "dead_letter")
    assert letter.value() == FIRES
    headers = dict(letter.headers() or [])
    assert headers["openclaw-dlq-offset"] == b"0"
    assert "internal error, please report: offset 0" in str(headers["openclaw-dlq-reason"])
