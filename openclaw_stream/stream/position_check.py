"""Checks that fetched records follow the position of their partition.

Where the records at its position are gone (deleted by retention, or the log was truncated), aiokafka continues at
another offset without an error.
"""

from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord

from openclaw_stream.errors import RetryableError
from openclaw_stream.stream.kafka.offsets import fetch_log_starts
from openclaw_stream.stream.partition import Partition


async def follows_position(consumer: AIOKafkaConsumer, partition: Partition, records: Sequence[ConsumerRecord]) -> bool:
    """Return whether records may be processed; the partition is restarted where offsets were lost.

    A gap is normal before transaction markers and compacted records; only then the start of the log is fetched.
    """
    position = partition.position
    if position is None:
        return False
    first: int = records[0].offset
    last: int = records[-1].offset
    if first == position:
        return True
    if first < position:
        if last < position:
            partition.restart(f"records before the position {position} were delivered, from {first}: log truncated")
        return last >= position
    try:
        start = (await fetch_log_starts(consumer, [partition.source]))[partition.source]
    except RetryableError as error:
        partition.restart(str(error))
        return False
    if start > position:
        partition.restart(f"retention has deleted the records from {position} to {start}")
    return start <= position
