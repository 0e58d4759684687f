"""Transactions of one partition on a real Kafka: all or nothing, by one publisher at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.protocol.produce import ProduceRequest_v7, ProduceResponse_v7

from openclaw_stream.errors import RetryableError
from openclaw_stream.stream.context import WorkerContext
from openclaw_stream.stream.kafka.offsets import CommittedOffset, fetch_committed_offset
from openclaw_stream.stream.kafka.transactional_producer import FencedError, RefusedError
from openclaw_stream.stream.publisher import Publisher
from openclaw_stream.stream.state.ledger import Ledger
from openclaw_stream.stream.state.transaction_plan import TransactionPlan
from tests.kafka_proxy import PRODUCE, Action, Answer, Forward, KafkaProxy, Request, forward
from tests.stream.bench import FIRES, Partition
from tests.stream.conftest import NewPipeline
from tests.stream.in_process import open_context, source_of
from tests.stream.pipeline import Pipeline
from tests.stream.results import result


def decided() -> tuple[TransactionPlan, Ledger]:
    """Return a plan that publishes one decision and commits offset 2, and its ledger."""
    partition = Partition()
    for now in (0, 10):
        partition.read(now, FIRES)
    ledger = partition.ledger
    ledger.complete(ledger.ready.popleft(), result(), None)
    plan = ledger.plan(lazy=True)
    assert plan
    return plan, ledger


@asynccontextmanager
async def publishers(context: WorkerContext, *sources: TopicPartition) -> AsyncIterator[list[Publisher]]:
    """Start a publisher for each of these partitions, in order."""
    started = [Publisher(context, source) for source in sources]
    try:
        for publisher in started:
            await publisher.start()
        yield started
    finally:
        for publisher in started:
            await publisher.abandon()


async def test_a_plan_is_published_with_its_offset_and_metadata(new_pipeline: NewPipeline) -> None:
    pipeline = await asyncio.to_thread(new_pipeline, 2)
    source, (plan, ledger) = source_of(pipeline, 1), decided()
    async with open_context(pipeline) as context, publishers(context, source) as [publisher]:
        await publisher.commit(plan, ledger)
        assert (publisher.began_at, publisher.step) == (None, "")
        await publisher.start()  # a committed offset may be stale until then
        fetched = await fetch_committed_offset(context.connection, pipeline.name, source)
    assert fetched.committed == CommittedOffset(2, plan.metadata)
    [decision] = await asyncio.to_thread(pipeline.decisions)
    assert decision["source"]["partition"] == 1
    states = await asyncio.to_thread(pipeline.read, "incidents")
    assert {message.partition() for message in states} == {1}
    assert {(message.key() or b"").decode() for message in states} == {key for key, _ in plan.states}


async def test_without_a_started_producer_nothing_is_committed(new_pipeline: NewPipeline) -> None:
    pipeline = await asyncio.to_thread(new_pipeline, 1)
    async with open_context(pipeline) as context, publishers(context, source_of(pipeline)) as [publisher]:
        await publisher.abandon()
        with pytest.raises(RetryableError, match="the producer is not started"):
            await publisher.commit(*decided())
        assert (publisher.began_at, publisher.step) == (None, "")


async def test_a_publisher_that_starts_later_fences_the_earlier_one_of_its_partition(new_pipeline: NewPipeline) -> None:
    pipeline = await asyncio.to_thread(new_pipeline, 2)
    first, second = source_of(pipeline, 0), source_of(pipeline, 1)
    async with open_context(pipeline) as context, publishers(context, first, second, first) as [earlier, other, later]:
        with pytest.raises(FencedError, match="belongs to another worker now"):
            await earlier.commit(*decided())
        assert (earlier.began_at, earlier.step) == (None, "")
        for publisher in (later, other):
            await publisher.commit(*decided())
    decisions = await asyncio.to_thread(pipeline.decisions)
    assert sorted(decision["source"]["partition"] for decision in decisions) == [0, 1]


async def test_a_probe_names_a_missing_output_and_publishes_nothing(new_pipeline: NewPipeline) -> None:
    pipeline = await asyncio.to_thread(new_pipeline, 1)
    async with open_context(pipeline) as context, publishers(context, source_of(pipeline)) as [publisher]:
        with pytest.raises(RetryableError, match="topic nowhere is missing"):
            await publisher.probe_outputs([pipeline.topics["decisions"], "nowhere"])
        await publisher.probe_outputs([pipeline.topics["decisions"]])
        assert (publisher.began_at, publisher.step) == (None, "")
    assert await asyncio.to_thread(pipeline.decisions) == []
    assert await asyncio.to_thread(pipeline.committed) < [0]


def answer_unknown_error(request: Request) -> Action:
    """Answer every produce request with error -1, as a faulty broker does."""
    if request.api_key != PRODUCE:
        return Forward()
    response = [
        (topic, [(partition, -1, -1, -1, -1) for partition, _ in partitions])
        for topic, partitions in ProduceRequest_v7.decode(request.body).topics
    ]
    return Answer(ProduceResponse_v7(response, 0).encode())


async def test_records_refused_with_an_error_of_a_faulty_broker_are_not_replaced(
    proxied: tuple[str, KafkaProxy], tmp_path: Path
) -> None:
    """The broker may recover, and then the same transaction commits unchanged."""
    bootstrap, proxy = proxied
    pipeline = await asyncio.to_thread(lambda: Pipeline(bootstrap, tmp_path, 1).create())
    async with open_context(pipeline) as context, publishers(context, source_of(pipeline)) as [publisher]:
        proxy.policy = answer_unknown_error
        try:
            with pytest.raises(RefusedError) as caught:
                await publisher.commit(*decided())
        finally:
            proxy.policy = forward
        assert not caught.value.certain
        await publisher.start()
        await publisher.commit(*decided())
    assert len(await asyncio.to_thread(pipeline.decisions)) == 1
    assert await asyncio.to_thread(pipeline.read, "dead_letter") == []
    pipeline.close()
