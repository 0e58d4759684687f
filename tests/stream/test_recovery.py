"""Recovery of a partition from what is committed, on a real Kafka."""

import asyncio

import pytest
from confluent_kafka import Producer

from openclaw_stream.errors import RetryableError
from openclaw_stream.stream.context import WorkerContext
from openclaw_stream.stream.kafka.transactional_producer import FencedError
from openclaw_stream.stream.partition_metrics import PartitionMetrics
from openclaw_stream.stream.publisher import Publisher
from openclaw_stream.stream.recovery import Recovery
from tests.stream.conftest import NewPipeline
from tests.stream.in_process import open_context, source_of
from tests.stream.pipeline import Pipeline


def recovery_of(pipeline: Pipeline, context: WorkerContext) -> tuple[Recovery, Publisher]:
    source = source_of(pipeline)
    publisher = Publisher(context, source)
    return Recovery(context, source, publisher, PartitionMetrics(context.metrics, 0)), publisher


async def test_a_partition_is_restored_from_its_last_commit_and_proves_after_a_failure_that_it_commits(
    new_pipeline: NewPipeline,
) -> None:
    pipeline = await asyncio.to_thread(new_pipeline, 1)
    async with open_context(pipeline) as context:
        recovery, publisher = recovery_of(pipeline, context)
        first = await recovery.restore()
        assert (first.committed, first.ledger.position, first.ledger.generation) == (None, 0, 1)
        plan = first.ledger.plan(lazy=True)
        assert plan
        await publisher.commit(plan, first.ledger)
        second = await recovery.restore()
        assert (second.committed, second.ledger.generation) == (0, 1)
        assert second.epoch > first.epoch
        assert not second.ledger.has_output
        recovery.record_failure(RetryableError("no coordinator"))
        assert (await recovery.restore()).ledger.has_output, "a record to commit, though no alert was read"
        await publisher.abandon()


async def test_the_pause_before_a_restore_grows_with_failures_in_a_row(new_pipeline: NewPipeline) -> None:
    pipeline = await asyncio.to_thread(new_pipeline, 1)
    async with open_context(pipeline) as context:
        recovery, _ = recovery_of(pipeline, context)
        pauses = [recovery.backoff]
        for _ in range(6):
            recovery.record_failure(RetryableError("no coordinator"))
            pauses.append(recovery.backoff)
        assert pauses == [0.2, 0.2, 0.5, 1.0, 2.0, 3.0, 3.0]
        recovery.record_success()
        assert recovery.backoff == 0.2
        recovery.record_failure(FencedError("it belongs to another worker now"))
        assert recovery.backoff == 2.0, "fencing the other worker at once would only alternate"


async def test_missing_outputs_are_reported_by_every_restore_until_they_exist(new_pipeline: NewPipeline) -> None:
    pipeline = await asyncio.to_thread(new_pipeline, 1)
    async with open_context(pipeline) as context:
        recovery, publisher = recovery_of(pipeline, context)
        await asyncio.to_thread(pipeline.delete, "tuning")
        for _ in range(2):
            with pytest.raises(RetryableError, match=f"topic {pipeline.topics['tuning']} is missing"):
                await recovery.restore()
            assert not context.outputs_probed.is_set()
        await asyncio.to_thread(pipeline.create)
        await recovery.restore()
        assert context.outputs_probed.is_set()
        await publisher.abandon()


async def test_states_behind_an_open_transaction_are_not_restored(new_pipeline: NewPipeline) -> None:
    """It hides states that are committed after it: without them their alerts would be decided again."""
    pipeline = await asyncio.to_thread(new_pipeline, 1)
    producer = Producer({"bootstrap.servers": pipeline.bootstrap, "transactional.id": f"{pipeline.name}-foreign"})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(pipeline.topics["incidents"], b"{}", key=b"g", partition=0)
    assert producer.flush(30) == 0
    async with open_context(pipeline) as context:
        recovery, publisher = recovery_of(pipeline, context)
        with pytest.raises(RetryableError, match="a transaction was left open in "):
            await recovery.restore()
        producer.abort_transaction(30)
        assert (await recovery.restore()).ledger.groups == {}
        await publisher.abandon()
