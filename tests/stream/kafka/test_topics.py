"""Creating, describing and comparing topics on real brokers; the rules alone are tested in test_topic_rules."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import suppress
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from openclaw_stream.embedded import EmbeddedKafkaCluster
from openclaw_stream.errors import RetryableError, TopicError
from openclaw_stream.settings import KafkaSettings, Settings, TopicSettings
from openclaw_stream.stream.kafka.connection import admin_client
from openclaw_stream.stream.kafka.topic_rules import DEAD_LETTER_OVERHEAD
from openclaw_stream.stream.kafka.topics import TopicFacts, TopicReport, check_topics, create_topics, list_topics
from tests.conftest import OwnKafka


def settings_for(bootstrap: str) -> Settings:
    run = uuid4().hex[:8]
    names = {field: f"{field}.{run}" for field in TopicSettings.model_fields}
    return Settings(kafka=KafkaSettings(bootstrap_servers=bootstrap), topics=TopicSettings.model_validate(names))


@pytest.fixture
def settings(bootstrap: str) -> Settings:
    return settings_for(bootstrap)


@pytest.fixture
def admin(bootstrap: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": bootstrap})


def create(admin: AdminClient, name: str, partitions: int, replicas: int = 1, **config: str) -> None:
    settings = {key.replace("_", "."): value for key, value in config.items()}
    for future in admin.create_topics([NewTopic(name, partitions, replicas, config=settings)]).values():
        future.result(30)


async def test_missing_topics_are_created_without_differences(settings: Settings) -> None:
    report = await create_topics(settings, partitions=3)
    assert set(report.created) == set(dict(settings.topics).values())
    assert report.differences == ()
    facts = report.require()
    assert facts == TopicFacts(
        partitions=3, log_append_time=True, retention_ms=604_800_000, max_message_bytes=1_048_588
    )
    again = await create_topics(settings, partitions=5)
    assert again.created == ()
    assert await check_topics(settings) == again
    assert again.require().partitions == 3
    assert again.require().topic_id == facts.topic_id


async def test_check_reports_every_missing_topic_and_creates_none(settings: Settings, own_kafka: OwnKafka) -> None:
    bootstrap = own_kafka({"auto.create.topics.enable": "true"}).bootstrap_servers
    settings = settings.model_copy(update={"kafka": KafkaSettings(bootstrap_servers=bootstrap)})
    report = await check_topics(settings)
    assert [difference.topic for difference in report.differences] == list(dict(settings.topics).values())
    assert all("is missing" in str(difference) for difference in report.differences)
    assert report.facts is None
    with pytest.raises(TopicError, match="topics create") as caught:
        report.require()
    assert len(str(caught.value).splitlines()) == 5
    assert not AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=10).topics


async def test_existing_topics_are_unchanged_and_their_differences_reported(
    settings: Settings, admin: AdminClient
) -> None:
    topics = settings.topics
    create(admin, topics.alerts, 2, retention_ms="-1", max_message_bytes="2000000")
    create(admin, topics.dead_letter, 1, max_message_bytes="2000000")
    report = await create_topics(settings, partitions=7)
    assert set(report.created) == {topics.decisions, topics.tuning, topics.incidents}
    wrong = {(difference.topic, difference.fatal): str(difference) for difference in report.differences}
    assert "CreateTime, and should be LogAppendTime" in wrong.pop((topics.alerts, False))
    assert f"at least {2_000_000 + DEAD_LETTER_OVERHEAD}" in wrong.pop((topics.dead_letter, True))
    assert not wrong
    assert report.facts == TopicFacts(2, log_append_time=False, retention_ms=-1, max_message_bytes=2_000_000)
    partitions = {name: len(found.partitions) for name, found in admin.list_topics(timeout=10).topics.items()}
    assert (partitions[topics.incidents], partitions[topics.decisions]) == (2, 7)
    with pytest.raises(TopicError, match=r"max\.message\.bytes"):
        report.require()


async def test_new_topics_do_not_depend_on_broker_defaults(settings: Settings, own_kafka: OwnKafka) -> None:
    defaults = {"log.cleanup.policy": "compact,delete", "message.max.bytes": "900", "min.insync.replicas": "2"}
    bootstrap = own_kafka(defaults).bootstrap_servers
    settings = settings.model_copy(update={"kafka": KafkaSettings(bootstrap_servers=bootstrap)})
    assert (await create_topics(settings, partitions=1)).differences == ()


async def test_existing_topics_with_such_defaults_are_reported(settings: Settings, admin: AdminClient) -> None:
    topics = settings.topics
    create(admin, topics.dead_letter, 1, cleanup_policy="compact,delete", max_message_bytes="2000000")
    create(admin, topics.decisions, 1, cleanup_policy="compact", max_message_bytes="900")
    create(admin, topics.tuning, 1, min_insync_replicas="2")
    report = await create_topics(settings, partitions=1)
    found = [(d.topic, d.fatal, d.what) for d in report.differences]
    compacted = "compaction keeps only the newest decision of an incident"
    too_small = "max.message.bytes is 900, and should be at least 73728: a decision can be larger"
    assert found == [
        (topics.decisions, False, f"cleanup.policy is compact, and should be delete: {compacted}"),
        (topics.decisions, True, too_small),
        (topics.tuning, True, "min.insync.replicas is 2, and its replication factor is 1: nothing can be written"),
        (
            topics.dead_letter,
            True,
            "cleanup.policy is compact,delete, and should be delete: a compacted topic refuses records without a key",
        ),
    ]


async def test_a_topic_that_the_brokers_refuse_to_create_is_an_error(settings: Settings) -> None:
    with pytest.raises(TopicError, match=f"cannot create topic {settings.topics.alerts}: .*replicat"):
        await create_topics(settings, replication_factor=3)


@pytest.mark.io
async def test_an_unreachable_broker_is_a_retryable_error_with_its_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"127.0.0.1:{closed.getsockname()[1]}"
    settings = Settings(kafka=KafkaSettings(bootstrap_servers=address))
    with pytest.raises(RetryableError, match=f"no answer from Kafka at {address}"):
        await check_topics(settings)


# ---- three nodes


@pytest.fixture(scope="module")
def cluster() -> Iterator[EmbeddedKafkaCluster]:
    with EmbeddedKafkaCluster(nodes=3) as three:
        yield three


@pytest.mark.cluster
async def test_every_broker_lists_new_topics_when_create_returns(cluster: EmbeddedKafkaCluster) -> None:
    """Each broker gets the metadata of a topic at its own time: one that is asked too early reports it missing."""
    for _ in range(10):
        settings = settings_for(cluster.bootstrap_servers)
        report = await create_topics(settings, partitions=4)
        assert report.differences == ()
        assert len(report.created) == 5
        names = list(report.created)
        async with admin_client(settings.kafka) as admin:
            for node in cluster.nodes:
                listing = await list_topics(admin, names, node.node_id)
                assert sorted(listing.replicas) == sorted(names)
                each = [replicas for partitions in listing.replicas.values() for replicas in partitions]
                assert {(replicas.count, replicas.in_sync) for replicas in each} == {(3, 3)}


@pytest.mark.cluster
async def test_a_requested_replication_factor_is_no_failure(cluster: EmbeddedKafkaCluster) -> None:
    settings = settings_for(cluster.bootstrap_servers)
    created = await create_topics(settings, partitions=1, replication_factor=1)
    assert [d.requested for d in created.differences] == [True] * 5
    assert (created.fatal, created.unrequested) == (False, False)
    assert "its replication factor is 1, and 3 is recommended" in str(created.differences[0])
    requested = await check_topics(settings, replication_factor=1)
    assert (requested.differences, requested.unrequested) == (created.differences, False)
    unrequested = await check_topics(settings)
    assert [(d.requested, d.fatal) for d in unrequested.differences] == [(False, False)] * 5
    assert unrequested.require().partitions == 1


@pytest.mark.cluster
async def test_partitions_that_cannot_be_written_now_are_reported_and_not_fatal() -> None:
    with EmbeddedKafkaCluster(nodes=3) as cluster:
        settings = settings_for(cluster.bootstrap_servers)
        admin = AdminClient({"bootstrap.servers": cluster.nodes[1].bootstrap_servers})
        create(admin, settings.topics.tuning, 6, 1, min_insync_replicas="1")
        create(admin, settings.topics.decisions, 2, 3, cleanup_policy="delete", min_insync_replicas="3")
        await create_topics(settings, partitions=3)
        cluster.nodes[0].kill()
        report = await await_leaderless(settings)
    texts = [str(difference) for difference in report.differences]
    below = "partitions 0, 1 with fewer in-sync replicas than min.insync.replicas (3): cannot be written"
    assert f"topic {settings.topics.decisions}: {below}; start the brokers that are down" in texts
    [leaderless] = [text for text in texts if "without a leader" in text]
    assert leaderless.startswith(f"topic {settings.topics.tuning}: partition")
    assert report.require().partitions == 3


async def await_leaderless(settings: Settings) -> TopicReport:
    """Check until the controller has noticed that a broker is down."""
    for _ in range(300):
        with suppress(RetryableError):
            report = await check_topics(settings)
            if any("without a leader" in difference.what for difference in report.differences):
                return report
        await asyncio.sleep(0.1)
    pytest.fail("no partition was described without a leader")
