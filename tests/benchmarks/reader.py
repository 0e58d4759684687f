"""The baseline: a bare `getmany` loop that validates every record with pydantic, and nothing else.

python -m tests.benchmarks.reader BOOTSTRAP TOPIC RECORDS
"""

import asyncio
import sys
import time

from aiokafka import AIOKafkaConsumer, TopicPartition

from openclaw_stream.alerts.contract import AlertEvent
from tests.benchmarks.workload import PARTITIONS


async def read(bootstrap: str, topic: str, records: int) -> float:
    """Return records per second, from a tenth of the topic to its end."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    await consumer.start()
    assigned = [TopicPartition(topic, p) for p in range(PARTITIONS)]
    consumer.assign(assigned)
    await consumer.seek_to_beginning(*assigned)
    seen, started, skipped = 0, 0.0, 0
    validate = AlertEvent.model_validate_json
    while seen < records:
        for batch in (await consumer.getmany(timeout_ms=200, max_records=4000)).values():
            for record in batch:
                validate(record.value)
            seen += len(batch)
        if not started and seen >= records // 10:
            started, skipped = time.perf_counter(), seen
    elapsed = time.perf_counter() - started
    await consumer.stop()
    return (seen - skipped) / elapsed


if __name__ == "__main__":
    print(asyncio.run(read(sys.argv[1], sys.argv[2], int(sys.argv[3]))))  # noqa: T201 - read by the benchmark
