"""Clients of an embedded cluster, of another library than the one under test."""

import time
import uuid
from collections.abc import Callable

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from openclaw_stream.embedded import EmbeddedKafkaCluster

WITHIN = 60.0
PASSWORD = "s3cret"  # noqa: S105 - of a cluster that lives for these tests

Configuration = dict[str, str | int | float | bool]


def plain(cluster: EmbeddedKafkaCluster) -> Configuration:
    return {"bootstrap.servers": cluster.bootstrap_servers, "log_level": 0}


def as_user(cluster: EmbeddedKafkaCluster, user: str, password: str = PASSWORD) -> Configuration:
    return {
        "bootstrap.servers": cluster.secured_servers,
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": str(cluster.certificate),
        "sasl.mechanism": "PLAIN",
        "sasl.username": user,
        "sasl.password": password,
        "log_level": 0,
    }


def create_topic(cluster: EmbeddedKafkaCluster) -> str:
    """Create a topic with the cluster's default number of replicas."""
    name, admin = f"cluster-{uuid.uuid4().hex[:8]}", AdminClient(plain(cluster))
    admin.create_topics([NewTopic(name, 1)])[name].result(WITHIN)
    return name


def produce(configuration: Configuration, topic: str, value: bytes) -> KafkaError | None:
    """Write one record with acks=all; return the error, or None."""
    errors: list[KafkaError | None] = []
    producer = Producer(configuration | {"acks": "all"})
    producer.produce(topic, value, on_delivery=lambda error, _: errors.append(error))
    assert producer.flush(WITHIN) == 0
    return errors[0]


def consume(configuration: Configuration, topic: str, count: int) -> list[bytes | None]:
    consumer = Consumer(configuration | {"group.id": uuid.uuid4().hex, "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, 0)])
    try:
        return [message.value() for message in consumer.consume(count, timeout=WITHIN)]
    finally:
        consumer.close()


def wait_until(condition: Callable[[], bool]) -> None:
    """Poll until the condition holds; pytest's timeout is the limit."""
    while not condition():
        time.sleep(0.05)
