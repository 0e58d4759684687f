"""Fetches offsets: where logs start and end, and what a consumer group has committed.

All raise `RetryableError` (the brokers did not answer, or answered with an error) and `DeniedError` (a right is
missing).
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import CoordinatorLoadInProgressError, for_code
from aiokafka.protocol.commit import OffsetFetchRequest

from openclaw_stream.resilience.deadline import within
from openclaw_stream.stream.kafka.connection import stop_client
from openclaw_stream.stream.kafka.fetch_errors import fetch_errors
from openclaw_stream.stream.kafka.topic_ids import topic_ids

_COMMITTED_SECONDS = 30.0
_LOG_SECONDS = 5.0


class CommittedOffset(NamedTuple):
    """An offset that a group has committed, and the metadata committed with it."""

    offset: int
    metadata: str


class GroupOffset(NamedTuple):
    """What a group has committed on a partition, None for nothing; the topic's id, None where brokers have no ids."""

    committed: CommittedOffset | None
    topic_id: str | None


async def fetch_log_starts(
    consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]
) -> Mapping[TopicPartition, int]:
    """Return the log start offset of each partition."""
    with fetch_errors(f"log start offsets of {_names(partitions)}", topic=_topics(partitions)):
        starts: Mapping[TopicPartition, int] = await within(_LOG_SECONDS, consumer.beginning_offsets(list(partitions)))
    return starts


async def fetch_log_ends(
    consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]
) -> Mapping[TopicPartition, int]:
    """Return the offset after the last record of each partition; with `read_committed` the last stable offset."""
    with fetch_errors(f"log end offsets of {_names(partitions)}", topic=_topics(partitions)):
        ends: Mapping[TopicPartition, int] = await within(_LOG_SECONDS, consumer.end_offsets(list(partitions)))
    return ends


async def fetch_committed_offset(connection: dict[str, Any], group_id: str, source: TopicPartition) -> GroupOffset:
    """Return the group's committed offset on a partition.

    Fetch it only after the partition's transactional producer has started: until then it may be stale.
    """
    admin = AIOKafkaAdminClient(**connection)
    try:
        with fetch_errors(
            f"committed offset of group {group_id} on {_names([source])}", topic=source.topic, group_id=group_id
        ):
            return await within(_COMMITTED_SECONDS, _fetch_committed_offset(admin, group_id, source))
    finally:
        await stop_client(admin)


async def _fetch_committed_offset(admin: AIOKafkaAdminClient, group_id: str, source: TopicPartition) -> GroupOffset:
    await admin.start()
    # Not aiokafka's own call: for an error of a partition it raises `NoError`, and for one of the group nothing.
    coordinator = await admin.find_coordinator(group_id)
    request = OffsetFetchRequest(group_id, [(source.topic, [source.partition])])
    response = await admin._send_request(request, coordinator)  # noqa: SLF001
    [(_, offset, metadata, code)] = [
        fetched for topic, partitions in response.topics for fetched in partitions if topic == source.topic
    ] or [(source.partition, -1, "", response.error_code or CoordinatorLoadInProgressError.errno)]
    if code:
        raise for_code(code)
    ids = await topic_ids(admin._client, [source.topic])  # noqa: SLF001
    return GroupOffset(CommittedOffset(offset, metadata) if offset >= 0 else None, ids.get(source.topic))


def _names(partitions: Collection[TopicPartition]) -> str:
    return ", ".join(f"{each.topic}-{each.partition}" for each in sorted(partitions))


def _topics(partitions: Collection[TopicPartition]) -> str:
    return ", ".join(sorted({each.topic for each in partitions}))
