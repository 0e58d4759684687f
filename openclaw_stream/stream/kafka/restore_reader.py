"""Reads the group states of a partition, from which its ledger is restored."""

from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from openclaw_stream.resilience.deadline import within
from openclaw_stream.stream.kafka.connection import adapt_requests, stop_client
from openclaw_stream.stream.kafka.fetch_errors import fetch_errors
from openclaw_stream.stream.kafka.fetch_size import MAX_FETCH_BYTES, MAX_PARTITION_FETCH_BYTES
from openclaw_stream.stream.kafka.offsets import fetch_log_ends, fetch_log_starts

_RESTORE_SECONDS = 300


class LogRange(NamedTuple):
    """First offset of a log, and the offset after its last record."""

    start: int
    end: int


class StoredStates(NamedTuple):
    """The live group states by key, and the range of the input partition's log.

    `complete` is False where a transaction is open in the partition of the states: it hides the records behind it.
    """

    states: dict[str, bytes]
    log: LogRange
    complete: bool


async def fetch_group_states(
    connection: dict[str, Any], states: TopicPartition, source: TopicPartition
) -> StoredStates:
    """Return the group states in a partition of the incidents topic.

    Raises:
        RetryableError: the brokers did not answer in time.
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
        with fetch_errors(f"group states of {states.topic}-{states.partition}", topic=states.topic):
            return await within(_RESTORE_SECONDS, _fetch_stored(consumer, states, source))
    finally:
        await stop_client(consumer)


async def _fetch_stored(consumer: AIOKafkaConsumer, states: TopicPartition, source: TopicPartition) -> StoredStates:
    await consumer.start()
    adapt_requests(consumer)
    consumer.assign([states])
    await consumer.seek_to_beginning(states)
    latest = await _read_to_end(consumer, states)
    complete = consumer.highwater(states) == consumer.last_stable_offset(states)
    start, end = await fetch_log_starts(consumer, [source]), await fetch_log_ends(consumer, [source])
    return StoredStates(latest, LogRange(start[source], end[source]), complete)


async def _read_to_end(consumer: AIOKafkaConsumer, states: TopicPartition) -> dict[str, bytes]:
    end = (await fetch_log_ends(consumer, [states]))[states]
    latest: dict[str, bytes] = {}
    # An empty partition also needs one fetch: only its response shows whether a transaction is open.
    while await consumer.position(states) < end or consumer.highwater(states) is None:
        for record in (await consumer.getmany(timeout_ms=200)).get(states, ()):
            key = (record.key or b"").decode("utf-8", "replace")
            if record.value is None:
                latest.pop(key, None)
            else:
                latest[key] = record.value
    return latest
