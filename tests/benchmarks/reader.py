"""The baseline: a bare `getmany` loop that validates every record with pydantic, and nothing else.

python -m tests.benchmarks.reader BOOTSTRAP TOPIC RECORDS
"""

import asyncio
import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import BaseModel

from openclaw_stream.alerts.contract import AlertEvent
from tests.benchmarks.workload import PARTITIONS


class WebhookAlert(BaseModel):
    """One alert of a webhook of Alertmanager."""

    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    annotations: dict[str, str]
    startsAt: datetime  # noqa: N815 - the sender's name
    endsAt: datetime  # noqa: N815 - the sender's name
    generatorURL: str  # noqa: N815 - the sender's name
    fingerprint: str


class Webhook(BaseModel):
    """A webhook of Alertmanager."""

    alerts: list[WebhookAlert]


async def read(bootstrap: str, topic: str, records: int) -> float:
    """Return records per second, from a tenth of the topic to its end."""
    consumer = await assigned_consumer(bootstrap, topic)
    seen, started, skipped = 0, 0.0, 0
    validate: Callable[[bytes], Any] | None = None
    while seen < records:
        for batch in (await consumer.getmany(timeout_ms=200, max_records=4000)).values():
            for record in batch:
                validate = validate or validator(record.value)
                validate(record.value)
            seen += len(batch)
        if not started and seen >= records // 10:
            started, skipped = time.perf_counter(), seen
    elapsed = time.perf_counter() - started
    await consumer.stop()
    return (seen - skipped) / elapsed


async def assigned_consumer(bootstrap: str, topic: str) -> AIOKafkaConsumer:
    """Return a consumer at the beginning of all partitions."""
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
    return consumer


def validator(value: bytes) -> Callable[[bytes], Any]:
    """Return how a topic is read whose first record is this one: webhooks, or native alerts."""
    return Webhook.model_validate_json if b'"groupKey"' in value else AlertEvent.model_validate_json


if __name__ == "__main__":
    print(asyncio.run(read(sys.argv[1], sys.argv[2], int(sys.argv[3]))))  # noqa: T201 - read by the benchmark
