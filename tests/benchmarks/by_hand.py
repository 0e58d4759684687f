"""A consumer as one writes it by hand: aiokafka, exactly once, states in memory only, a short event for what is new.

python -m tests.benchmarks.by_hand BOOTSTRAP TOPIC RECORDS OUTPUT

It counts repeats by group in a dictionary, publishes an event when a group appears or its status changes, and commits
input offsets and outputs together, every 5,000 records. It restores nothing, decides nothing, and reads no text.
"""

import asyncio
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.benchmarks.reader import assigned_consumer
from tests.benchmarks.workload import PARTITIONS

_PER_TRANSACTION = 5_000

Batches = Mapping[TopicPartition, list["ConsumerRecord[Any, Any]"]]


async def fold(bootstrap: str, topic: str, records: int, output: str) -> float:
    """Return records per second, from a tenth of the topic to the last commit."""
    await _create(bootstrap, output)
    consumer = await assigned_consumer(bootstrap, topic)
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=f"{topic}-by-hand")
    await producer.start()
    states: dict[str, dict[str, Any]] = {}
    seen, started, skipped = 0, 0.0, 0
    while seen < records:
        batches = await consumer.getmany(timeout_ms=200, max_records=_PER_TRANSACTION)
        if batches:
            await _commit(producer, batches, states, (output, f"{topic}-by-hand"))
            seen += sum(map(len, batches.values()))
        if not started and seen >= records // 10:
            started, skipped = time.perf_counter(), seen
    elapsed = time.perf_counter() - started
    await producer.stop()
    await consumer.stop()
    return (seen - skipped) / elapsed


async def _create(bootstrap: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    await admin.close()


async def _commit(
    producer: AIOKafkaProducer, batches: Batches, states: dict[str, dict[str, Any]], names: tuple[str, str]
) -> None:
    output, group = names
    async with producer.transaction():
        for records in batches.values():
            for key, event in _news(records, states):
                await producer.send(output, orjson.dumps(event), key=key.encode())
        offsets = {partition: records[-1].offset + 1 for partition, records in batches.items()}
        await producer.send_offsets_to_transaction(offsets, group)


def _news(
    records: list["ConsumerRecord[Any, Any]"], states: dict[str, dict[str, Any]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for record in records:
        value = orjson.loads(record.value)
        for alert in value.get("alerts") or (value,):
            labels, status = alert["labels"], alert["status"]
            key = f"{alert.get('namespace') or labels.get('namespace')}/{labels['job']}"
            state = states.get(key)
            if state and state["status"] == status:
                state["count"] += 1
            else:
                states[key] = state = {"key": key, "status": status, "count": 1, "labels": labels}
                yield key, state


if __name__ == "__main__":
    print(asyncio.run(fold(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])))  # noqa: T201 - read by the benchmark
