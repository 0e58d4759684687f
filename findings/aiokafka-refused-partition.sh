#!/usr/bin/env bash
# aiokafka sends queued records of a partition that was never added to the transaction.
#
# One AddPartitionsToTxn names the partitions of all queued records, and the broker adds none of them when it refuses
# one. The sender holds back the records of partitions that are still to be added (partitions_to_add in sender.py), but
# the refusal clears that set (TransactionManager.error_transaction), so the records of the partitions that the user may
# write go out at once. The broker answers INVALID_TXN_STATE, so their futures fail with an error that does not name
# the cause. Only the broker's verification keeps such records out of the log, and it is skipped where the previous
# transaction is still open in that partition because its commit marker is late.
#
# Expected: nothing is sent, and both futures fail with the refusal. Seen: the record for the allowed topic is sent and
# fails with InvalidTxnState. confluent-kafka in the same steps sends neither and fails both as purged.
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
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError
from confluent_kafka import KafkaException, Message, Producer
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

BOOTSTRAP, ALLOWED, REFUSED = sys.argv[1], "allowed", "refused"
SERVERS = {"bootstrap.servers": BOOTSTRAP}
logging.disable()  # the clients log the refusal, which is printed below


def prepare() -> None:
    """Create the topics, and let everybody describe the second but not write to it."""
    admin = AdminClient(SERVERS)
    topics = [NewTopic(topic, 1, 1) for topic in (ALLOWED, REFUSED)]
    describe = (ResourcePatternType.LITERAL, "User:*", "*", AclOperation.DESCRIBE, AclPermissionType.ALLOW)
    acl = AclBinding(ResourceType.TOPIC, REFUSED, *describe)
    for future in (*admin.create_topics(topics).values(), *admin.create_acls([acl]).values()):
        future.result(30)


async def by_aiokafka() -> dict[str, str]:
    """Return how the sends end; metadata is known before, as in a producer that runs for a while."""
    async with AIOKafkaProducer(bootstrap_servers=BOOTSTRAP, transactional_id="aiokafka") as producer:
        for topic in (ALLOWED, REFUSED):
            await producer.partitions_for(topic)
        await producer.begin_transaction()
        sent = {topic: await producer.send(topic, b"record", partition=0) for topic in (ALLOWED, REFUSED)}
        answers = await asyncio.gather(*sent.values(), return_exceptions=True)
        try:
            await producer.commit_transaction()
        except TopicAuthorizationFailedError:
            await producer.abort_transaction()
    return {
        topic: type(answer).__name__ if isinstance(answer, KafkaError) else "delivered"
        for topic, answer in zip(sent, answers, strict=True)
    }


def by_confluent_kafka() -> dict[str, str]:
    producer = Producer(SERVERS | {"transactional.id": "confluent-kafka", "log_level": 0})
    producer.init_transactions(30)
    producer.begin_transaction()
    found = {}

    def delivered(error: confluent_kafka.KafkaError | None, message: Message) -> None:
        found[message.topic()] = error.name() if error else "delivered"

    for topic in (ALLOWED, REFUSED):
        producer.produce(topic, b"record", partition=0, on_delivery=delivered)
    try:
        producer.commit_transaction(30)
    except KafkaException as error:
        found["commit"] = error.args[0].name()
    return found


print("aiokafka", aiokafka.__version__, "confluent-kafka", confluent_kafka.__version__)
prepare()
found = asyncio.run(by_aiokafka())
compared = by_confluent_kafka()
print("aiokafka:", found)
print("confluent-kafka:", compared)
if found != {ALLOWED: "InvalidTxnState", REFUSED: "TopicAuthorizationFailedError"}:
    sys.exit("changed")
if compared != {ALLOWED: "_PURGE_QUEUE", REFUSED: "_PURGE_QUEUE", "commit": "TOPIC_AUTHORIZATION_FAILED"}:
    sys.exit("changed: confluent-kafka")
print("as reported: the record for the allowed topic is sent although its partition was not added")
PYTHON
