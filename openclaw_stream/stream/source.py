"""What a partition is restored from: the committed offset, the ends of its log, and its group states."""

import asyncio
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError

from openclaw_stream.errors import FatalError, RetryableError
from openclaw_stream.stream.client import stop, within

_REQUEST_SECONDS = 30
_RESTORE_SECONDS = 300


class Committed(NamedTuple):
    """A group's offset on a partition, and what was committed with it."""

    offset: int
    metadata: str


class Log(NamedTuple):
    """First offset of a log, and the offset after its last."""

    start: int
    end: int


async def read_committed(connection: dict[str, Any], group_id: str, source: TopicPartition) -> Committed | None:
    """Return what the group has committed on a partition, None for nothing.

    Read it only after the partition's transactional producer has started: until then it may be stale.

    Raises:
        RetryableError: the coordinator is not there.
    """
    admin = AIOKafkaAdminClient(**connection)
    try:
        offsets = await within(_REQUEST_SECONDS, _list_offsets(admin, group_id, source))
    except GroupAuthorizationFailedError as error:
        raise FatalError(f"not allowed to read the offsets of the group {group_id!r}; grant Read on it") from error
    except (KafkaError, TimeoutError, OSError) as error:
        raise RetryableError(f"the committed offset of {source} cannot be read: {error!r}") from error
    finally:
        await stop(admin)
    found = offsets.get(source)
    if found is None:
        # A coordinator that is loading answers without the partition, and the client takes that for an answer: to
        # believe it would replay all history.
        raise RetryableError(f"the coordinator of the group {group_id!r} does not tell its offset of {source} yet")
    return Committed(found.offset, found.metadata) if found.offset >= 0 else None


class Stored(NamedTuple):
    """The live group states by key, and the ends of the input partition.

    `settled` tells whether no transaction is open in the states' partition, where records would be hidden behind it.
    """

    states: dict[str, bytes]
    log: Log
    settled: bool


async def read_states(connection: dict[str, Any], states: TopicPartition, source: TopicPartition) -> Stored:
    """Return what is stored in a partition of the incidents topic.

    Raises:
        RetryableError: the brokers did not deliver.
        FatalError: not allowed.
    """
    # Not `latest`, the default: with it a seek to the beginning reads nothing.
    consumer = AIOKafkaConsumer(
        **connection,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        isolation_level="read_committed",
        fetch_max_wait_ms=100,
        max_partition_fetch_bytes=2 * 1024 * 1024,
    )
    try:
        return await within(_RESTORE_SECONDS, _read_stored(consumer, states, source))
    except TopicAuthorizationFailedError as error:
        raise FatalError(f"not allowed to read {states.topic}: {error}; grant Read on it") from error
    except (KafkaError, TimeoutError, OSError) as error:
        raise RetryableError(f"the group states of {source} cannot be read: {error!r}") from error
    finally:
        await stop(consumer)


async def _list_offsets(admin: AIOKafkaAdminClient, group_id: str, source: TopicPartition) -> dict[TopicPartition, Any]:
    await admin.start()
    return await admin.list_consumer_group_offsets(group_id, partitions=[source])  # type: ignore[no-any-return]


async def _read_stored(consumer: AIOKafkaConsumer, states: TopicPartition, source: TopicPartition) -> Stored:
    await consumer.start()
    consumer.assign([states])
    await consumer.seek_to_beginning(states)
    latest = await _read_to_end(consumer, states)
    settled = consumer.highwater(states) == consumer.last_stable_offset(states)
    return Stored(latest, await _log(consumer, source), settled)


async def _log(consumer: AIOKafkaConsumer, source: TopicPartition) -> Log:
    starts, ends = await asyncio.gather(consumer.beginning_offsets([source]), consumer.end_offsets([source]))
    return Log(starts[source], ends[source])


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
