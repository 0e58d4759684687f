"""Checks that fetched records follow the position of their partition.

Where the records at its position are gone (deleted by retention, or the log was truncated), aiokafka continues at
another offset without an error.
"""

from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from openclaw_stream.errors import RetryableError
from openclaw_stream.stream.kafka.offsets import fetch_log_starts


async def find_lost_offsets(
    consumer: AIOKafkaConsumer, source: TopicPartition, position: int, records: Sequence[ConsumerRecord]
) -> str:
    """Return why records do not follow a position; empty where they do.

    A gap of offsets is normal before transaction markers and compacted records; only there the start of the log is
    fetched. Records before the position are normal where the batch also contains the one at the position.
    """
    first, last = records[0].offset, records[-1].offset
    if first <= position <= last:
        return ""
    if last < position:
        return f"records from {first} were delivered, before the position {position}: the log was truncated"
    try:
        start = (await fetch_log_starts(consumer, [source]))[source]
    except RetryableError as error:
        return str(error)
    return f"retention has deleted the records from {position} to {start}" if start > position else ""
