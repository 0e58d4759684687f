#!/usr/bin/env bash
# confluent-kafka commits metadata with a NUL appended.
#
# py_to_c_parts in confluent_kafka.c sets `metadata_size = strlen(metadata) + 1`, and librdkafka writes that many bytes.
# Any other client reads the NUL as the last character, so a program that compares or parses the metadata, or one that
# copies a group's offsets by confluent-kafka for another client, meets a text that differs from what was given.
#
# Expected: 'abc' is committed as 'abc'. Seen: as 'abc\x00', by Consumer.commit and alter_consumer_group_offsets.
# Run: confluent-kafka 2.12.0 and 2.16.1. Needs python3 (3.11 or later) with venv.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
source "$(dirname "$0")/lib/kafka.sh"

with_kafka "confluent-kafka==${1:-2.16.1}" aiokafka==0.14.0
"$python" - "$bootstrap" <<'PYTHON'
import asyncio
import sys

import confluent_kafka
from aiokafka import TopicPartition as Source
from aiokafka.admin import AIOKafkaAdminClient
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

BOOTSTRAP, TOPIC, METADATA = sys.argv[1], "commits", "abc"


async def stored(group: str) -> str:
    admin = AIOKafkaAdminClient(bootstrap_servers=BOOTSTRAP)
    await admin.start()
    offsets = await admin.list_consumer_group_offsets(group)
    await admin.close()
    return offsets[Source(TOPIC, 0)].metadata


print("confluent-kafka", confluent_kafka.__version__, "librdkafka", confluent_kafka.libversion())
admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
admin.create_topics([NewTopic(TOPIC, 1, 1)])[TOPIC].result(30)
offset = TopicPartition(TOPIC, 0, 1, METADATA)

consumer = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": "committed", "enable.auto.commit": False})
consumer.commit(offsets=[offset], asynchronous=False)
consumer.close()
admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions("altered", [offset])])["altered"].result(30)

found = {group: asyncio.run(stored(group)) for group in ("committed", "altered")}
print(f"given {METADATA!r}, stored by the broker:", found)
if set(found.values()) != {METADATA + "\0"}:
    sys.exit("changed")
print("as reported: a NUL is appended")
PYTHON
