"""Topics and records on a real broker, for the tests of the fetches."""

from uuid import uuid4

from aiokafka import AIOKafkaProducer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic


def create_topic(bootstrap: str) -> TopicPartition:
    topic = f"offsets-{uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)
    return TopicPartition(topic, 0)


async def send(bootstrap: str, source: TopicPartition, *records: tuple[bytes, bytes | None]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for key, value in records:
            await producer.send_and_wait(source.topic, key=key, value=value, partition=source.partition)
