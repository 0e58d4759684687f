#!/usr/bin/env bash
# A running consumer skips the first records of a topic that is deleted and created again with the same name.
#
# The new topic has another topic id and starts at offset 0, but aiokafka keeps the position that it had in the old one:
# it fetches by name (Fetch up to version 11) and does not look at topic ids. Where the new topic is already longer than
# that position when it is fetched next, nothing is out of range: auto_offset_reset does not apply, nothing is logged.
# (The consumers here are paused meanwhile, so that no fetch finds the new topic empty.) confluent-kafka, which fetches
# by topic id, keeps the position too after assign(), and after subscribe() unless its metadata showed meanwhile that
# the topic was missing.
#
# Expected: with auto_offset_reset earliest, the new topic is read from offset 0. Seen: 10 records were read of the old
# topic, and 25 are written to the new one: offsets 0 to 9 are skipped. With 5 in the new one, all 5 are read.
# Known for librdkafka: issue 3255, closed.
# Run: aiokafka 0.14.0, confluent-kafka 2.16.1. Needs python3 (3.11 or later) with venv.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
source "$(dirname "$0")/lib/kafka.sh"

with_kafka "aiokafka==${1:-0.14.0}" confluent-kafka==2.16.1
"$python" - "$bootstrap" <<'PYTHON'
import asyncio
import logging
import sys
import time
from collections.abc import Iterator

import aiokafka
import confluent_kafka
from aiokafka import AIOKafkaConsumer
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

BOOTSTRAP, OLD = sys.argv[1], 10
SERVERS = {"bootstrap.servers": BOOTSTRAP}
ADMIN = AdminClient(SERVERS)
logging.disable()  # aiokafka logs a warning when it finds an offset out of range, which is one of the cases


def create(topic: str, records: int) -> None:
    """Create a topic of one partition, as soon as a former one of that name is gone, and fill it."""
    for _ in range(60):
        try:
            ADMIN.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)
            break
        except KafkaException:
            time.sleep(0.5)
    producer = Producer(SERVERS | {"linger.ms": 100})
    for number in range(records):
        producer.produce(topic, str(number).encode(), partition=0)
    producer.flush(30)


def recreate(topic: str, records: int) -> None:
    ADMIN.delete_topics([topic])[topic].result(30)
    create(topic, records)


async def by_aiokafka(topic: str, records: int) -> list[int]:
    """Return the offsets that a subscribed consumer reads of the new topic."""
    create(topic, OLD)
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=BOOTSTRAP,
        group_id=topic,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        metadata_max_age_ms=2000,
    )
    async with consumer:
        for _ in range(OLD):
            await consumer.getone()
        consumer.pause(*consumer.assignment())
        await asyncio.to_thread(recreate, topic, records)
        consumer.resume(*consumer.assignment())
        offsets = [(await asyncio.wait_for(consumer.getone(), 60)).offset]
        while offsets[-1] < records - 1:
            offsets.append((await asyncio.wait_for(consumer.getone(), 60)).offset)
    return offsets


def by_confluent_kafka(topic: str, records: int) -> list[int]:
    """Return the offsets that a consumer with an assigned partition reads of the new topic."""
    create(topic, OLD)
    refresh = {"topic.metadata.refresh.interval.ms": 2000, "auto.offset.reset": "earliest"}
    consumer = Consumer(SERVERS | refresh | {"group.id": topic, "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0)])
    read = offsets_read(consumer)
    for _ in range(OLD):
        next(read)
    consumer.pause(consumer.assignment())
    recreate(topic, records)
    consumer.resume(consumer.assignment())
    offsets = [next(read)]
    while offsets[-1] < records - 1:
        offsets.append(next(read))
    consumer.close()
    return offsets


def offsets_read(consumer: Consumer) -> Iterator[int]:
    for _ in range(1000):
        message = consumer.poll(0.1)
        if message is not None and not message.error():
            yield message.offset()


print("aiokafka", aiokafka.__version__, "confluent-kafka", confluent_kafka.__version__)
found = {}
for records in (5, 25):
    found["aiokafka", records] = asyncio.run(by_aiokafka(f"aiokafka-{records}", records))
    found["confluent-kafka", records] = by_confluent_kafka(f"confluent-kafka-{records}", records)
for (client, records), offsets in found.items():
    print(f"{client}: {OLD} read of the old topic, {records} in the new: read offsets {offsets[0]} to {offsets[-1]}")
if any(offsets[0] != (OLD if records > OLD else 0) for (_, records), offsets in found.items()):
    sys.exit("changed")
print("as reported: as many records as were read before are skipped")
PYTHON
