#!/usr/bin/env bash
# The classic DescribeGroups request shows an active group of the new consumer protocol, or a share group, as dead.
#
# For a group of another type than classic (KIP-848, KIP-932) the broker answers DescribeGroups up to version 5 with the
# state Dead, no members and no error, the same as for a group that does not exist; version 6 has an error for that.
# ListGroups shows these groups. aiokafka describes by version 3 at most. confluent-kafka's describe_consumer_groups()
# asks by ConsumerGroupDescribe first, but shows a share group as dead as well.
#
# Expected: Stable with one member, or an error. Seen: Dead without members, so a program that looks for active members
# before it changes the offsets of a group finds none. Known for AKHQ and the consumer protocol: its issue 2720.
# Run: aiokafka 0.14.0, confluent-kafka 2.16.1. Needs python3 (3.11 or later) with venv.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
source "$(dirname "$0")/lib/kafka.sh"

properties="share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=2"
with_kafka "aiokafka==${1:-0.14.0}" confluent-kafka==2.16.1
"$python" - "$bootstrap" <<'PYTHON'
import asyncio
import sys
from typing import NamedTuple

import aiokafka
import confluent_kafka
from aiokafka.admin import AIOKafkaAdminClient
from confluent_kafka import Consumer, ShareConsumer
from confluent_kafka.admin import AdminClient, NewTopic

BOOTSTRAP, TOPIC = sys.argv[1], "records"
SERVERS = {"bootstrap.servers": BOOTSTRAP, "log_level": 0}
GROUPS = ("classic", "consumer", "share", "missing")


class Described(NamedTuple):
    """State and number of members of a group."""

    state: str
    members: int


def member(protocol: str) -> Consumer:
    """Return a consumer that has joined a group named as its protocol."""
    consumer = Consumer(SERVERS | {"group.id": protocol, "group.protocol": protocol})
    consumer.subscribe([TOPIC])
    while not consumer.assignment():
        consumer.poll(0.2)
    return consumer


def share_member() -> ShareConsumer:
    """Return a share consumer that has received a record."""
    consumer = ShareConsumer(SERVERS | {"group.id": "share"})
    consumer.subscribe([TOPIC])
    for _ in range(60):
        produce()
        if consumer.poll(0.5):
            return consumer
    sys.exit("the share consumer received no record")


def produce() -> None:
    producer = confluent_kafka.Producer(SERVERS)
    producer.produce(TOPIC, b"record")
    producer.flush(30)


async def by_aiokafka() -> tuple[dict[str, str], dict[str, Described]]:
    """Return the listed groups with their protocol types, and the described ones."""
    admin = AIOKafkaAdminClient(bootstrap_servers=BOOTSTRAP)
    await admin.start()
    listed = dict(await admin.list_consumer_groups())
    described = {}
    for group in GROUPS:
        [answer] = await admin.describe_consumer_groups([group])
        [(error, _, state, _, _, members)] = answer.groups
        assert not error
        described[group] = Described(state, len(members))
    await admin.close()
    return listed, described


def by_confluent_kafka(admin: AdminClient) -> dict[str, Described]:
    futures = admin.describe_consumer_groups(list(GROUPS))
    groups = {group: future.result(30) for group, future in futures.items()}
    return {group: Described(found.state.name.title(), len(found.members)) for group, found in groups.items()}


print("aiokafka", aiokafka.__version__, "confluent-kafka", confluent_kafka.__version__)
admin = AdminClient(SERVERS)
admin.create_topics([NewTopic(TOPIC, 1, 1)])[TOPIC].result(30)
members = [member("classic"), member("consumer"), share_member()]
listed, found = asyncio.run(by_aiokafka())
compared = by_confluent_kafka(admin)
for consumer in members:
    consumer.close()
print("listed:", listed)
for group in GROUPS:
    print(f"{group}: aiokafka describes {tuple(found[group])}, confluent-kafka {tuple(compared[group])}")
dead, stable = Described("Dead", 0), Described("Stable", 1)
if found != {"classic": stable, "consumer": dead, "share": dead, "missing": dead}:
    sys.exit("changed")
if compared != found | {"consumer": stable}:
    sys.exit("changed: confluent-kafka")
print("as reported: groups with an active member look like one that does not exist")
PYTHON
