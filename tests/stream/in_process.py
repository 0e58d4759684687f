"""The parts of a worker in the process of the test, on a real Kafka."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiokafka import TopicPartition

from openclaw_stream.arbitration.wiring import open_arbiter
from openclaw_stream.errors import FatalError
from openclaw_stream.settings import IncidentSettings, Settings, WorkerSettings
from openclaw_stream.stream.context import WorkerContext
from openclaw_stream.stream.decision_queue import DecisionQueue
from openclaw_stream.stream.kafka.connection import adapt_requests, connection, group_consumer, stop_client
from openclaw_stream.stream.kafka.topics import check_topics
from openclaw_stream.telemetry.metrics import Metrics
from tests.stream.pipeline import Pipeline

LIMIT = 1 << 30


def quick_settings(pipeline: Pipeline) -> Settings:
    """Return the settings of a pipeline, with short times."""
    quick = {
        "incidents": IncidentSettings(group_wait=0.2, group_wait_critical=0.2, group_interval=1, resolve_hold=1),
        "worker": WorkerSettings(commit_interval=0.3),
    }
    return pipeline.settings.model_copy(update=quick)


@asynccontextmanager
async def open_context(
    pipeline: Pipeline,
    limit: Callable[[], int] = lambda: LIMIT,
    on_fatal: Callable[[FatalError], None] = lambda _: None,
) -> AsyncIterator[WorkerContext]:
    """Yield what the partitions of a worker share; its consumer is assigned all partitions, without joining a group."""
    settings, metrics = quick_settings(pipeline), Metrics()
    consumer = group_consumer(settings.kafka)
    await consumer.start()
    adapt_requests(consumer, settings.kafka)
    consumer.assign([source_of(pipeline, number) for number in range(pipeline.partitions)])
    async with open_arbiter(settings, metrics) as arbiter:
        decision_queue = DecisionQueue(arbiter)
        try:
            yield WorkerContext(
                settings=settings,
                connection=connection(settings.kafka),
                facts=(await check_topics(settings)).require(),
                reader=settings.incidents.reader,
                decision_queue=decision_queue,
                metrics=metrics,
                consumer=consumer,
                on_fatal=on_fatal,
                pending_bytes_limit=limit,
                outputs_probed=asyncio.Event(),
            )
        finally:
            await decision_queue.close()
            await stop_client(consumer)


def source_of(pipeline: Pipeline, number: int = 0) -> TopicPartition:
    """Return a partition of the alerts topic."""
    return TopicPartition(pipeline.topics["alerts"], number)


async def eventually(condition: Callable[[], bool], what: str) -> None:
    """Wait until a condition holds that another task brings about."""
    try:
        async with asyncio.timeout(30):
            while not condition():  # noqa: ASYNC110 - the condition has no event
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"waited 30 s for {what}")
