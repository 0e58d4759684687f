"""The demo's reader on a real broker."""

import asyncio
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from openclaw_stream.demo.event_reader import AlertRecord, DeadLetterRecord, DemoEvent, EventReader
from openclaw_stream.events.examples import DECISION, TUNING
from openclaw_stream.settings import KafkaSettings, Settings, TopicSettings
from openclaw_stream.stream.kafka.topics import create_topics


@pytest.fixture
async def settings(bootstrap: str) -> Settings:
    run = uuid4().hex[:8]
    names = {field: f"{field}.{run}" for field in TopicSettings.model_fields}
    kafka = KafkaSettings(bootstrap_servers=bootstrap, group_id=f"group.{run}")
    own = Settings(kafka=kafka, topics=TopicSettings.model_validate(names))
    await create_topics(own, partitions=1, replication_factor=1)
    return own


async def send(settings: Settings) -> None:
    """Write one record of each kind, and an alert record that cannot be decoded."""
    topics = settings.topics
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka.bootstrap_servers) as producer:
        await producer.send_and_wait(topics.alerts, b'{"alert_type": "A"}')
        await producer.send_and_wait(topics.alerts, b"{")
        await producer.send_and_wait(topics.decisions, DECISION.model_dump_json().encode())
        await producer.send_and_wait(topics.tuning, TUNING.model_dump_json().encode())
        await producer.send_and_wait(topics.dead_letter, b"{", headers=[("openclaw-dlq-reason", b"not JSON")])


async def read_all(reader: EventReader, count: int) -> list[DemoEvent]:
    events: list[DemoEvent] = []
    async with asyncio.timeout(60):
        while len(events) < count:
            events += await reader.read()
    return events


async def test_events_of_all_topics_are_read(settings: Settings) -> None:
    await send(settings)
    async with EventReader(settings) as reader:
        events = await read_all(reader, 5)
    alerts = [event.alerts for event in events if isinstance(event, AlertRecord)]
    assert [[alert.name for alert in group] for group in alerts] == [["A"], []]
    assert DECISION in events
    assert TUNING in events
    assert DeadLetterRecord("not JSON", b"{") in events


async def test_records_are_uncommitted_until_the_group_commits_and_events_are_read(settings: Settings) -> None:
    async with EventReader(settings) as reader:
        assert await reader.uncommitted() == 0
        await send(settings)
        await read_all(reader, 5)
        assert await reader.uncommitted() == 2
        async with AIOKafkaConsumer(
            bootstrap_servers=settings.kafka.bootstrap_servers,
            group_id=settings.kafka.group_id,
            enable_auto_commit=False,
        ) as worker:
            source = TopicPartition(settings.topics.alerts, 0)
            worker.assign([source])
            await worker.commit({source: 2})
        assert await reader.uncommitted() == 0
