#!/usr/bin/env bash
# aiokafka's abort_transaction() sends nothing after a refused request, and the next commit publishes what was aborted.
#
# When the broker refuses a request of a transaction as not authorized, TransactionManager.error_transaction clears the
# set of partitions that belong to the transaction. abort_transaction() then takes the transaction as empty
# (is_empty_transaction in _do_txn_commit, sender.py) and returns without EndTxn. For the broker the transaction is
# still open: readers with read_committed wait at it until it times out, and the producer's next transaction continues
# it, so the commit of that one includes the records that the program aborted.
#
# Expected: after abort_transaction() returned, a reader with read_committed never sees the aborted record.
# Seen: the group's refusal, abort, one more transaction with commit: both records are committed. confluent-kafka in the
# same steps: only the second. A new producer with the same transactional id aborts what was left open.
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
from aiokafka import AIOKafkaProducer
from aiokafka import TopicPartition as Source
from aiokafka.errors import GroupAuthorizationFailedError
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

BOOTSTRAP, GROUP = sys.argv[1], "refused"
SERVERS = {"bootstrap.servers": BOOTSTRAP}
logging.disable()  # the clients log the refusal, which is printed below


def prepare() -> None:
    """Create the topics, and let everybody describe the group but not commit its offsets."""
    admin = AdminClient(SERVERS)
    topics = [NewTopic(topic, 1, 1) for topic in ("input", "aiokafka", "confluent-kafka")]
    describe = (ResourcePatternType.LITERAL, "User:*", "*", AclOperation.DESCRIBE, AclPermissionType.ALLOW)
    acl = AclBinding(ResourceType.GROUP, GROUP, *describe)
    for future in (*admin.create_topics(topics).values(), *admin.create_acls([acl]).values()):
        future.result(30)


async def by_aiokafka(topic: str) -> str:
    async with AIOKafkaProducer(bootstrap_servers=BOOTSTRAP, transactional_id=topic) as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"aborted")
        try:
            await producer.send_offsets_to_transaction({Source("input", 0): 1}, GROUP)
            refusal = "none"
        except GroupAuthorizationFailedError as error:
            refusal = repr(error)
        await producer.abort_transaction()
        async with producer.transaction():
            await producer.send_and_wait(topic, b"committed")
    return refusal


def by_confluent_kafka(topic: str) -> str:
    producer = Producer(SERVERS | {"transactional.id": topic, "log_level": 0})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic, b"aborted")
    producer.flush(30)
    member = Consumer(SERVERS | {"group.id": GROUP})
    try:
        producer.send_offsets_to_transaction([TopicPartition("input", 0, 1)], member.consumer_group_metadata(), 30)
        refusal = "none"
    except KafkaException as error:
        refusal = error.args[0].name()
    producer.abort_transaction(30)
    producer.begin_transaction()
    producer.produce(topic, b"committed")
    producer.commit_transaction(30)
    member.close()
    return refusal


def committed(topic: str) -> list[str]:
    """Return what a reader with read_committed sees, up to and with the record that was committed last."""
    reader = Consumer(SERVERS | {"group.id": "reader", "auto.offset.reset": "earliest"})
    reader.assign([TopicPartition(topic, 0, 0)])
    seen: list[str] = []
    for _ in range(60):
        if "committed" in seen:
            break
        message = reader.poll(1)
        if message is not None and not message.error():
            seen.append(message.value().decode())
    reader.close()
    return seen


print("aiokafka", aiokafka.__version__, "confluent-kafka", confluent_kafka.__version__)
prepare()
refused = {"aiokafka": asyncio.run(by_aiokafka("aiokafka")), "confluent-kafka": by_confluent_kafka("confluent-kafka")}
found = {client: committed(client) for client in refused}
for client, records in found.items():
    print(f"{client}: refused with {refused[client]}, aborted, and in the next transaction committed: {records}")
if found != {"aiokafka": ["aborted", "committed"], "confluent-kafka": ["committed"]} or "none" in refused.values():
    sys.exit("changed")
print("as reported: the commit after the abort publishes the aborted record")
PYTHON
