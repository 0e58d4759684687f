#!/usr/bin/env bash
# aiokafka's list_consumer_group_offsets raises NoError for a refused topic, and returns {} for a refused group.
#
# The errors of OffsetFetch are per partition and, since version 2, one for the whole answer. For the error of a
# partition the method raises the class that belongs to the error of the whole answer, which is 0, and that of the whole
# answer it never looks at (list_consumer_group_offsets in admin/client.py). A refused group goes unnoticed when
# group_coordinator_id is given; without it the search for the coordinator is refused before.
#
# Expected: TopicAuthorizationFailedError and GroupAuthorizationFailedError; the documentation says that any error is
# raised at once. Seen: NoError, and an empty dictionary, as for a group without offsets. confluent-kafka names both.
# Run: aiokafka 0.14.0, confluent-kafka 2.16.1. Needs python3 (3.11 or later) with venv.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
source "$(dirname "$0")/lib/kafka.sh"

properties="authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true"
with_kafka "aiokafka==${1:-0.14.0}" confluent-kafka==2.16.1
"$python" - "$bootstrap" <<'PYTHON'
import asyncio
import logging
import sys

import aiokafka
import confluent_kafka
from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as Source
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

BOOTSTRAP, COORDINATOR = sys.argv[1], 1
CASES = {"refused topic": ("group", "refused"), "refused group": ("refused", "topic")}
"""Which group is asked for its offset in which topic; each has committed one."""
logging.disable()  # a new broker has no group coordinator at first, and aiokafka logs that


async def commit(group: str, topic: str) -> None:
    async with AIOKafkaConsumer(bootstrap_servers=BOOTSTRAP, group_id=group, enable_auto_commit=False) as consumer:
        consumer.assign([Source(topic, 0)])
        await consumer.commit({Source(topic, 0): 1})


def refuse(admin: AdminClient) -> None:
    """Let another user only read the topic and the group named refused."""
    other = (ResourcePatternType.LITERAL, "User:other", "*", AclOperation.READ, AclPermissionType.ALLOW)
    acls = [AclBinding(kind, "refused", *other) for kind in (ResourceType.TOPIC, ResourceType.GROUP)]
    for future in admin.create_acls(acls).values():
        future.result(30)


async def by_aiokafka(group: str, topic: str) -> str:
    admin = AIOKafkaAdminClient(bootstrap_servers=BOOTSTRAP)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(group, COORDINATOR, [Source(topic, 0)])
    except KafkaError as error:
        return f"raises {type(error).__name__}"
    finally:
        await admin.close()
    return f"returns {offsets}"


def by_confluent_kafka(admin: AdminClient, group: str, topic: str) -> str:
    asked = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0)])
    try:
        [offset] = admin.list_consumer_group_offsets([asked])[group].result(30).topic_partitions
    except KafkaException as error:
        return error.args[0].name()
    return offset.error.name() if offset.error else str(offset.offset)


print("aiokafka", aiokafka.__version__, "confluent-kafka", confluent_kafka.__version__)
admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
for future in admin.create_topics([NewTopic(topic, 1, 1) for _, topic in CASES.values()]).values():
    future.result(30)
for case in CASES.values():
    asyncio.run(commit(*case))
print("aiokafka, nothing refused:", [asyncio.run(by_aiokafka(*case)) for case in CASES.values()])
refuse(admin)
found = {name: asyncio.run(by_aiokafka(*case)) for name, case in CASES.items()}
compared = {name: by_confluent_kafka(admin, *case) for name, case in CASES.items()}
print("aiokafka:", found)
print("confluent-kafka:", compared)
if found != {"refused topic": "raises NoError", "refused group": "returns {}"}:
    sys.exit("changed")
if compared != {"refused topic": "TOPIC_AUTHORIZATION_FAILED", "refused group": "GROUP_AUTHORIZATION_FAILED"}:
    sys.exit("changed: confluent-kafka")
print("as reported: neither refusal is named")
PYTHON
