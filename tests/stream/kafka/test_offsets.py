"""Log offsets and committed offsets on a real broker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata
from confluent_kafka import TopicPartition as Position
from confluent_kafka.admin import AdminClient

from openclaw_stream.errors import RetryableError
from openclaw_stream.settings import KafkaSettings
from openclaw_stream.stream.kafka.connection import connection, stop_client
from openclaw_stream.stream.kafka.offsets import (
    CommittedOffset,
    fetch_committed_offset,
    fetch_log_ends,
    fetch_log_starts,
)
from tests.conftest import OwnKafka
from tests.stream.kafka.broker import create_topic, send


@pytest.fixture
def source(bootstrap: str) -> TopicPartition:
    """Partition 0 of a new topic."""
    return create_topic(bootstrap)


@asynccontextmanager
async def started(bootstrap: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed")
    await consumer.start()
    try:
        yield consumer
    finally:
        await stop_client(consumer)


def delete_records(bootstrap: str, source: TopicPartition, before: int) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for deleted in admin.delete_records([Position(source.topic, source.partition, before)]).values():
        deleted.result(30)


async def test_log_offsets_follow_deleted_and_appended_records(bootstrap: str, source: TopicPartition) -> None:
    async with started(bootstrap) as consumer:
        assert await fetch_log_starts(consumer, [source]) == await fetch_log_ends(consumer, [source]) == {source: 0}
        await send(bootstrap, source, *[(b"k", b"v")] * 3)
        await asyncio.to_thread(delete_records, bootstrap, source, 2)
        assert await fetch_log_starts(consumer, [source]) == {source: 2}
        assert await fetch_log_ends(consumer, [source]) == {source: 3}


async def test_the_error_names_the_partitions_when_no_broker_answers(own_kafka: OwnKafka) -> None:
    kafka = own_kafka()
    source = create_topic(kafka.bootstrap_servers)
    async with started(kafka.bootstrap_servers) as consumer:
        kafka.pause()
        try:
            with pytest.raises(RetryableError, match=f"cannot fetch log start offsets of {source.topic}-0: "):
                await fetch_log_starts(consumer, [source])
            with pytest.raises(RetryableError, match=f"cannot fetch log end offsets of {source.topic}-0: "):
                await fetch_log_ends(consumer, [source])
        finally:
            kafka.resume()


async def test_the_committed_offset_has_its_metadata_and_the_topic_id(bootstrap: str, source: TopicPartition) -> None:
    settings = KafkaSettings(bootstrap_servers=bootstrap, group_id=f"group-{source.topic}")
    async with AIOKafkaConsumer(
        bootstrap_servers=bootstrap, group_id=settings.group_id, enable_auto_commit=False
    ) as consumer:
        consumer.assign([source])
        await consumer.commit({source: OffsetAndMetadata(7, "metadata")})
    fetched = await fetch_committed_offset(connection(settings), settings.group_id, source)
    assert fetched.committed == CommittedOffset(7, "metadata")
    other = await fetch_committed_offset(connection(settings), settings.group_id, create_topic(bootstrap))
    assert other.committed is None
    assert fetched.topic_id
    assert other.topic_id not in {None, fetched.topic_id}


@pytest.mark.io
async def test_the_error_names_the_group_when_no_broker_answers(unused_tcp_port: int) -> None:
    settings = KafkaSettings(bootstrap_servers=f"127.0.0.1:{unused_tcp_port}", group_id="workers")
    with pytest.raises(RetryableError, match="cannot fetch committed offset of group workers on alerts-3: "):
        await fetch_committed_offset(connection(settings), "workers", TopicPartition("alerts", 3))
