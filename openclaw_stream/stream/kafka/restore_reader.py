"""What a partition is restored from: the committed offset, the ends of its log, and its group states."""

import asyncio
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    CoordinatorLoadInProgressError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
    for_code,
)
from aiokafka.protocol.commit import OffsetFetchRequest

from openclaw_stream.errors import RetryableError
from openclaw_stream.resilience.deadline import within
from openclaw_stream.stream.kafka.connection import adapt_requests, stop_client
from openclaw_stream.stream.kafka.fetch_size import MAX_FETCH_BYTES, MAX_PARTITION_FETCH_BYTES
from openclaw_stream.stream.kafka.permissions import denied_error
from openclaw_stream.stream.kafka.topic_ids import topic_ids

_REQUEST_SECONDS = 30
_RESTORE_SECONDS = 300


class CommittedOffset(NamedTuple):
    """A group's offset on a partition, and what was committed with it."""

    offset: int
    metadata: str


class LogRange(NamedTuple):
    """First offset of a log, and the offset after its last."""

    start: int
    end: int


class GroupOffset(NamedTuple):
    """What the group has committed on a partition, None for nothing; the topic's id, None where brokers have none."""

    committed: CommittedOffset | None
    topic_id: str | None


async def fetch_committed_offset(connection: dict[str, Any], group_id: str, source: TopicPartition) -> GroupOffset:
    """Return the group's offset on a partition.

    Read it only after the partition's transactional producer has started: until then it may be stale.

    Raises:
        RetryableError: the coordinator does not answer, or the topic is missing.
        DeniedError: the user lacks a right.
    """
    admin = AIOKafkaAdminClient(**connection)
    try:
        return await within(_REQUEST_SECONDS, _fetch_committed_offset(admin, group_id, source))
    except GroupAuthorizationFailedError as error:
        raise denied_error(error, "Read", f"group {group_id}") from error
    except TopicAuthorizationFailedError as error:
        raise denied_error(error, "Read", f"topic {source.topic}") from error
    except (KafkaError, TimeoutError, OSError) as error:
        raise RetryableError(f"cannot fetch the committed offset of group {group_id} on {source}: {error!r}") from error
    finally:
        await stop_client(admin)


async def _fetch_committed_offset(admin: AIOKafkaAdminClient, group_id: str, source: TopicPartition) -> GroupOffset:
    await admin.start()
    # Not aiokafka's own call: for an error of a partition it raises `NoError`, and for one of the group nothing.
    coordinator = await admin.find_coordinator(group_id)
    request = OffsetFetchRequest(group_id, [(source.topic, [source.partition])])
    response = await admin._send_request(request, coordinator)  # noqa: SLF001
    [(_, offset, metadata, code)] = [
        found for topic, partitions in response.topics for found in partitions if topic == source.topic
    ] or [(source.partition, -1, "", response.error_code or CoordinatorLoadInProgressError.errno)]
    if code:
        raise for_code(code)
    ids = await topic_ids(admin._client, [source.topic])  # noqa: SLF001
    return GroupOffset(CommittedOffset(offset, metadata) if offset >= 0 else None, ids.get(source.topic))


class StoredStates(NamedTuple):
    """The live group states by key, and the ends of the input partition.

    `settled` says whether no transaction is open in the states' partition, which would hide the records behind it.
    """

    states: dict[str, bytes]
    log: LogRange
    settled: bool


async def fetch_group_states(
    connection: dict[str, Any], states: TopicPartition, source: TopicPartition
) -> StoredStates:
    """Return what is stored in a partition of the incidents topic.

    Raises:
        RetryableError: the brokers did not deliver.
        DeniedError: the user may not read the topic of the states, or that of the alerts.
    """
    # Not `latest`, the default: with it a seek to the beginning reads nothing.
    consumer = AIOKafkaConsumer(
        **connection,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        isolation_level="read_committed",
        fetch_max_wait_ms=100,
        fetch_max_bytes=MAX_FETCH_BYTES,
        max_partition_fetch_bytes=MAX_PARTITION_FETCH_BYTES,
    )
    try:
        return await within(_RESTORE_SECONDS, _read_stored(consumer, states, source))
    except TopicAuthorizationFailedError as error:
        raise denied_error(error, "Read", f"topic {states.topic}") from error
    except (KafkaError, TimeoutError, OSError) as error:
        raise RetryableError(f"cannot fetch the group states in {states}: {error!r}") from error
    finally:
        await stop_client(consumer)


async def _read_stored(consumer: AIOKafkaConsumer, states: TopicPartition, source: TopicPartition) -> StoredStates:
    await consumer.start()
    adapt_requests(consumer)
    consumer.assign([states])
    await consumer.seek_to_beginning(states)
    latest = await _read_to_end(consumer, states)
    settled = consumer.highwater(states) == consumer.last_stable_offset(states)
    return StoredStates(latest, await _log(consumer, source), settled)


async def _log(consumer: AIOKafkaConsumer, source: TopicPartition) -> LogRange:
    starts, ends = await asyncio.gather(consumer.beginning_offsets([source]), consumer.end_offsets([source]))
    return LogRange(starts[source], ends[source])


async def _read_to_end(consumer: AIOKafkaConsumer, states: TopicPartition) -> dict[str, bytes]:
    end = (await consumer.end_offsets([states]))[states]
    latest: dict[str, bytes] = {}
    # Of an empty partition, too, one answer is awaited: it tells whether a transaction is open.
    while await consumer.position(states) < end or consumer.highwater(states) is None:
        for record in (await consumer.getmany(timeout_ms=200)).get(states, ()):
            key = (record.key or b"").decode("utf-8", "replace")
            if record.value is None:
                latest.pop(key, None)
            else:
                latest[key] = record.value
    return latest
