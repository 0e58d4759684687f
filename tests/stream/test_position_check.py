"""Which fetched records follow a position, on a real log that has lost its start."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from openclaw_stream.stream.kafka.connection import stop_client
from openclaw_stream.stream.position_check import find_lost_offsets
from tests.stream.pipeline import Pipeline, alert

NewPipeline = Callable[..., Pipeline]


@pytest.fixture
async def log(new_pipeline: NewPipeline) -> AsyncIterator[tuple[AIOKafkaConsumer, TopicPartition]]:
    """A consumer of a log with the offsets 4 to 9: retention has deleted those before."""
    pipeline = await asyncio.to_thread(new_pipeline, 1)
    pipeline.produce([(0, alert("cart"))] * 10)
    pipeline.delete_records(0, 4)
    consumer = AIOKafkaConsumer(bootstrap_servers=pipeline.bootstrap)
    await consumer.start()
    yield consumer, TopicPartition(pipeline.topics["alerts"], 0)
    await stop_client(consumer)


def records(*offsets: int) -> Sequence[ConsumerRecord]:
    return [ConsumerRecord("t", 0, offset, 0, 0, None, b"", None, 0, 0, ()) for offset in offsets]


@pytest.mark.parametrize(
    ("position", "offsets"),
    [(5, (5, 6)), (5, (3, 4, 5)), (5, (4, 6)), (5, (7, 8)), (4, (9,))],
    ids=["next", "from before", "around", "behind markers", "behind markers at the start"],
)
async def test_records_that_follow_a_position(
    log: tuple[AIOKafkaConsumer, TopicPartition], position: int, offsets: tuple[int, ...]
) -> None:
    assert not await find_lost_offsets(*log, position, records(*offsets))


async def test_records_behind_deleted_ones_do_not_follow(log: tuple[AIOKafkaConsumer, TopicPartition]) -> None:
    assert await find_lost_offsets(*log, 2, records(4, 5)) == "retention has deleted the records from 2 to 4"


async def test_only_records_before_a_position_mean_that_the_log_was_truncated(
    log: tuple[AIOKafkaConsumer, TopicPartition],
) -> None:
    assert "the log was truncated" in await find_lost_offsets(*log, 8, records(5, 6))


async def test_without_an_answer_about_the_log_start_the_reason_is_the_error(
    log: tuple[AIOKafkaConsumer, TopicPartition],
) -> None:
    consumer, source = log
    unknown = source._replace(partition=99)
    assert "log start offsets" in await find_lost_offsets(consumer, unknown, 2, records(4))
