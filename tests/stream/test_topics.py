import socket
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.errors import RetryableError, TopicError
from openclaw_stream.settings import KafkaSettings, Settings, TopicSettings
from openclaw_stream.stream.topics import DEAD_LETTER_ROOM, Topic, TopicFacts, check_topics, compare, create_topics

LOG_APPEND = {"message.timestamp.type": "LogAppendTime", "cleanup.policy": "delete"}
LIMITS = {"retention.ms": "604800000", "max.message.bytes": "1048588"}


@pytest.fixture
def settings(bootstrap: str) -> Settings:
    run = uuid4().hex[:8]
    names: dict[str, Any] = {field: f"{field}.{run}" for field in TopicSettings.model_fields}
    return Settings(kafka=KafkaSettings(bootstrap_servers=bootstrap), topics=TopicSettings(**names))


@pytest.fixture
def admin(bootstrap: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": bootstrap})


def make(admin: AdminClient, name: str, partitions: int, **config: str) -> None:
    topic = NewTopic(name, partitions, 1, config={key.replace("_", "."): value for key, value in config.items()})
    for future in admin.create_topics([topic]).values():
        future.result(30)


async def test_creates_what_is_missing_and_is_content_with_it(settings: Settings) -> None:
    report = await create_topics(settings, partitions=3)
    assert set(report.created) == set(dict(settings.topics).values())
    assert report.differences == ()
    assert report.require() == TopicFacts(
        partitions=3, log_append_time=True, retention_ms=604_800_000, max_message_bytes=1_048_588
    )
    again = await create_topics(settings, partitions=5)
    assert again.created == ()
    assert await check_topics(settings) == again
    assert again.require().partitions == 3


async def test_names_every_missing_topic_and_makes_none(settings: Settings, admin: AdminClient) -> None:
    report = await check_topics(settings)
    assert [difference.topic for difference in report.differences] == list(dict(settings.topics).values())
    assert all("is missing" in str(difference) for difference in report.differences)
    assert report.facts is None
    with pytest.raises(TopicError, match="topics create") as caught:
        report.require()
    assert len(str(caught.value).splitlines()) == 5
    assert not set(dict(settings.topics).values()) & set(admin.list_topics(timeout=10).topics)


async def test_leaves_what_is_there_and_names_how_it_differs(settings: Settings, admin: AdminClient) -> None:
    topics = settings.topics
    make(admin, topics.alerts, 2, retention_ms="-1", max_message_bytes="2000000")
    make(admin, topics.dead_letter, 1, max_message_bytes="2000000")
    report = await create_topics(settings, partitions=7)
    assert set(report.created) == {topics.decisions, topics.tuning, topics.incidents}
    wrong = {(difference.topic, difference.fatal): str(difference) for difference in report.differences}
    assert "CreateTime, and should be LogAppendTime" in wrong.pop((topics.alerts, False))
    assert f"at least {2_000_000 + DEAD_LETTER_ROOM}" in wrong.pop((topics.dead_letter, True))
    assert not wrong
    assert report.facts == TopicFacts(2, log_append_time=False, retention_ms=-1, max_message_bytes=2_000_000)
    partitions = {name: len(found.partitions) for name, found in admin.list_topics(timeout=10).topics.items()}
    assert (partitions[topics.incidents], partitions[topics.decisions]) == (2, 7)
    with pytest.raises(TopicError, match=r"max\.message\.bytes"):
        report.require()


async def test_a_refusal_of_the_brokers_is_told(settings: Settings) -> None:
    with pytest.raises(TopicError, match=f"topic {settings.topics.alerts}: Kafka does not create it: .*replicat"):
        await create_topics(settings, replication_factor=3)


async def test_no_broker_is_retryable_and_says_where() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"127.0.0.1:{closed.getsockname()[1]}"
    settings = Settings(kafka=KafkaSettings(bootstrap_servers=address))
    with pytest.raises(RetryableError, match=f"no answer from Kafka at {address}"):
        await check_topics(settings)


def found(**changes: Topic) -> dict[str, Topic]:
    topics = TopicSettings()
    compacted = {
        "cleanup.policy": "compact",
        "segment.bytes": "33554432",
        "min.cleanable.dirty.ratio": "0.10",
        "max.compaction.lag.ms": "600000",
    }
    right = {
        "alerts": Topic(4, LOG_APPEND | LIMITS),
        "decisions": Topic(1, LIMITS),
        "tuning": Topic(1, LIMITS),
        "incidents": Topic(4, compacted | LIMITS),
        "dead_letter": Topic(1, LIMITS | {"max.message.bytes": "5000000"}),
    }
    return {getattr(topics, field): topic for field, topic in (right | changes).items()}


def test_what_is_right_has_no_difference() -> None:
    assert list(compare(TopicSettings(), found())) == []


def test_an_incidents_topic_that_is_not_compacted_is_a_warning() -> None:
    differences = list(compare(TopicSettings(), found(incidents=Topic(4, {"cleanup.policy": "delete"}))))
    assert len(differences) == 4
    assert not any(difference.fatal for difference in differences)
    assert "--add-config cleanup.policy=compact" in differences[0].remedy


@given(st.integers(1, 64), st.integers(1, 64))
def test_partition_counts_must_be_equal(alerts: int, incidents: int) -> None:
    settings = found()[TopicSettings().incidents].settings
    topics = found(alerts=Topic(alerts, LOG_APPEND | LIMITS), incidents=Topic(incidents, settings))
    fatal = [difference for difference in compare(TopicSettings(), topics) if difference.fatal]
    assert bool(fatal) == (alerts != incidents)
    assert all(f"--partitions {max(alerts, incidents)}" in difference.remedy for difference in fatal)


@given(st.integers(1, 2**31 - 1), st.integers(1, 2**31 - 1))
def test_the_dead_letter_limit_is_the_inputs_and_room_for_headers(limit: int, dead: int) -> None:
    topics = found(
        alerts=Topic(4, LOG_APPEND | LIMITS | {"max.message.bytes": str(limit)}),
        dead_letter=Topic(1, {"max.message.bytes": str(dead)}),
    )
    fatal = [difference for difference in compare(TopicSettings(), topics) if difference.fatal]
    assert bool(fatal) == (dead < limit + DEAD_LETTER_ROOM)
