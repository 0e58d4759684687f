#!/usr/bin/env bash
# Two aiokafka consumers with one group_instance_id replace each other again and again, and both consume everything.
#
# aiokafka sends group_instance_id in JoinGroup and SyncGroup, but not in Heartbeat (version 1) and OffsetCommit. When a
# second consumer joins with the same id, the broker can therefore not answer the first with FENCED_INSTANCE_ID, only
# with UNKNOWN_MEMBER_ID. aiokafka takes that as "join again", and by joining replaces the second, which does the same
# at its next heartbeat. This happens when an old and a new instance of a service overlap. (A consumer that is replaced
# between JoinGroup and SyncGroup is fenced, and ends with UnknownError, since errors.py lacks that error: the script
# then tries again.)
#
# Expected: the first consumer ends with a fencing error, as confluent-kafka's does, and one consumer holds the
# partitions. Seen: each joins again and again, and both read the records that are produced meanwhile.
# Run: aiokafka 0.14.0, confluent-kafka 2.16.1. Needs python3 (3.11 or later) with venv.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
source "$(dirname "$0")/lib/kafka.sh"

with_kafka "aiokafka==${1:-0.14.0}" confluent-kafka==2.16.1
"$python" - "$bootstrap" <<'PYTHON'
import asyncio
import logging
import sys
from collections.abc import Callable

import aiokafka
import confluent_kafka
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.admin import AdminClient, NewTopic

BOOTSTRAP, RECORDS, JOINS = sys.argv[1], 20, 3
SERVERS = {"bootstrap.servers": BOOTSTRAP}
logging.disable()  # a warning for each time that a consumer joins again


class Joins(ConsumerRebalanceListener):
    """Counts the assignments of a consumer."""

    count = 0

    def on_partitions_revoked(self, revoked: object) -> None:
        pass

    def on_partitions_assigned(self, assigned: object) -> None:
        self.count += 1


class Member:
    """A consumer of aiokafka that reads a topic all the time, in the group of the same name."""

    def __init__(self, topic: str) -> None:
        self.topic, self.joins, self.values = topic, Joins(), set()
        self.consumer = AIOKafkaConsumer(
            bootstrap_servers=BOOTSTRAP,
            group_id=topic,
            group_instance_id="instance",
            heartbeat_interval_ms=1000,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )

    async def read(self) -> None:
        self.consumer.subscribe([self.topic], listener=self.joins)
        async with self.consumer:
            async for message in self.consumer:
                self.values.add(message.value)


async def until(condition: Callable[[], bool], seconds: float = 60) -> bool:
    """Return whether the condition holds in time."""
    for _ in range(int(seconds * 10)):
        if condition():
            return True
        await asyncio.sleep(0.1)
    return False


async def by_aiokafka(topic: str) -> dict[str, tuple[int, int]]:
    """Return how often each of two consumers was assigned partitions and how many of the records each read."""
    members = {"first": Member(topic), "second": Member(topic)}
    tasks = []
    for member in members.values():
        tasks.append(asyncio.create_task(member.read()))
        await until(lambda member=member: member.joins.count > 0)
    await until(lambda: all(member.joins.count >= JOINS for member in members.values()))
    await asyncio.to_thread(produce, topic)
    await until(lambda: all(len(member.values) == RECORDS for member in members.values()))
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if not isinstance(ended, asyncio.CancelledError):
            print("aiokafka: a consumer ended with", repr(ended))
    return {name: (member.joins.count, len(member.values)) for name, member in members.items()}


def create(topic: str) -> None:
    admin = AdminClient(SERVERS)
    admin.create_topics([NewTopic(topic, 2, 1)])[topic].result(30)


def produce(topic: str) -> None:
    producer = Producer(SERVERS)
    for number in range(RECORDS):
        producer.produce(topic, str(number).encode())
    producer.flush(30)


def by_confluent_kafka(topic: str) -> str:
    """Return the error with which the first of two consumers ends."""
    member = SERVERS | {"group.id": topic, "group.instance.id": "instance", "log_level": 0}
    first, second = Consumer(member), Consumer(member)
    first.subscribe([topic])
    while not first.assignment():
        first.poll(0.1)
    second.subscribe([topic])
    fenced = "none"
    for _ in range(300):
        second.poll(0.1)
        message = first.poll(0.1)
        if message is not None and message.error() and message.error().code() == KafkaError._FATAL:
            fenced = message.error().str()
            break
    second.close()
    first.close()
    return fenced


print("aiokafka", aiokafka.__version__, "confluent-kafka", confluent_kafka.__version__)
for attempt in range(3):
    create(f"aiokafka-{attempt}")
    found = asyncio.run(by_aiokafka(f"aiokafka-{attempt}"))
    as_reported = all(joins >= JOINS and values == RECORDS for joins, values in found.values())
    if as_reported:
        break
for name, (joins, values) in found.items():
    print(f"aiokafka: the {name} consumer was assigned partitions {joins} times and read {values} of {RECORDS} records")
create("confluent-kafka")
fenced = by_confluent_kafka("confluent-kafka")
print("confluent-kafka: the first consumer ended with:", fenced)
if not as_reported:
    sys.exit("changed")
if KafkaError(KafkaError.FENCED_INSTANCE_ID).str() not in fenced:
    sys.exit("changed: confluent-kafka")
print("as reported: neither consumer of aiokafka is fenced, both read everything")
PYTHON
