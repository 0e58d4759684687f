"""Probes on real brokers: they show whether a worker could write and read, and leave no record and no offset."""

import asyncio
import re
import uuid

import pytest
from aiokafka import TopicPartition
from confluent_kafka import Consumer
from confluent_kafka import TopicPartition as Position
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from openclaw_stream.check.finding import Finding, FindingStatus
from openclaw_stream.check.kafka import check_kafka
from openclaw_stream.embedded import EmbeddedKafkaCluster
from openclaw_stream.errors import RetryableError
from openclaw_stream.settings import KafkaSettings, Settings, TopicSettings
from openclaw_stream.stream.kafka.connection import connection
from openclaw_stream.stream.kafka.probe import probe_outputs, probe_reads
from openclaw_stream.stream.kafka.topics import create_topics
from openclaw_stream.stream.kafka.transactional_producer import Message, TransactionalProducer
from tests.conftest import OwnKafka
from tests.stream.conftest import NewPipeline
from tests.stream.pipeline import alert, check_exactly_once, until


def settings_for(bootstrap: str) -> Settings:
    run = uuid.uuid4().hex[:8]
    names = {field: f"{field}.{run}" for field in TopicSettings.model_fields}
    kafka = KafkaSettings(bootstrap_servers=bootstrap, group_id=f"group.{run}")
    return Settings(kafka=kafka, topics=TopicSettings.model_validate(names))


@pytest.fixture
async def settings(bootstrap: str) -> Settings:
    own = settings_for(bootstrap)
    await create_topics(own, partitions=2)
    return own


def records(settings: Settings, topic: str) -> int:
    """Count the records of a topic, including aborted ones."""
    reader = Consumer(
        {
            "bootstrap.servers": settings.kafka.bootstrap_servers,
            "group.id": f"{settings.kafka.group_id}-reader",
            "isolation.level": "read_uncommitted",
            "enable.partition.eof": True,
        }
    )
    reader.assign([Position(topic, partition, 0) for partition in (0, 1)])
    found, ended = 0, set[int]()
    while len(ended) < 2:
        for message in reader.consume(1000, 0.2):
            error = message.error()
            if error is None:
                found += 1
            elif error.name() == "_PARTITION_EOF":
                ended.add(message.partition() or 0)
    reader.close()
    return found


def committed(settings: Settings) -> list[int]:
    group = Consumer({"bootstrap.servers": settings.kafka.bootstrap_servers, "group.id": settings.kafka.group_id})
    offsets = group.committed([Position(settings.topics.alerts, partition) for partition in (0, 1)], 10)
    group.close()
    return [each.offset for each in offsets]


async def test_a_probe_of_the_outputs_leaves_no_record_and_no_offset(settings: Settings) -> None:
    for _ in range(3):
        assert set(await probe_outputs(settings, 10)) == set(dict(settings.topics).values()) - {settings.topics.alerts}
    for topic in (settings.topics.decisions, settings.topics.incidents):
        assert await asyncio.to_thread(records, settings, topic) == 0
    assert all(offset < 0 for offset in await asyncio.to_thread(committed, settings))


async def test_a_probe_fences_no_producer_of_a_partition(settings: Settings) -> None:
    kafka, topics = settings.kafka, settings.topics
    producer = TransactionalProducer(connection(kafka), f"{kafka.group_id}-{topics.alerts}-0", 15)
    await producer.start()
    message = Message(topics.decisions, b"key", b"value")
    source = TopicPartition(topics.alerts, 0)
    try:
        for offset in (1, 2):
            await probe_outputs(settings, 10)
            await producer.commit([message], source, offset, "", kafka.group_id)
    finally:
        await producer.abandon()
    until(lambda: committed(settings)[0] == 2, "the offset that was committed last")
    assert await asyncio.to_thread(records, settings, topics.decisions) == 2


async def test_concurrent_probes_all_succeed(settings: Settings) -> None:
    assert len(await asyncio.gather(*(probe_outputs(settings, 10) for _ in range(3)))) == 3


async def test_reads_succeed_with_and_without_records(settings: Settings) -> None:
    inputs = (settings.topics.alerts, settings.topics.incidents)
    assert await probe_reads(settings, 10) == inputs
    producer = TransactionalProducer(connection(settings.kafka), "other", 15)
    await producer.start()
    messages = [Message(topic, b"key", b"value", partition=n) for topic in inputs for n in (0, 1)]
    await producer.commit(messages, TopicPartition(settings.topics.alerts, 0), 0, "", "other")
    await producer.abandon()
    assert await probe_reads(settings, 10) == inputs


async def test_missing_topics_are_reported_and_not_created(settings: Settings, own_kafka: OwnKafka) -> None:
    bootstrap = own_kafka({"auto.create.topics.enable": "true"}).bootstrap_servers
    settings = settings.model_copy(update={"kafka": KafkaSettings(bootstrap_servers=bootstrap)})
    topics = settings.topics
    outputs = ", ".join(sorted([topics.decisions, topics.tuning, topics.incidents, topics.dead_letter]))
    for _ in range(2):
        with pytest.raises(RetryableError, match=f"missing: topic {re.escape(outputs)}$"):
            await probe_outputs(settings, 10)
        with pytest.raises(RetryableError, match=f"missing: topic {topics.alerts}, {topics.incidents}$"):
            await probe_reads(settings, 10)


async def test_group_and_outputs_are_missing_without_coordinators(own_kafka: OwnKafka) -> None:
    """Internal topics with more replicas than brokers are never created."""
    impossible = {"offsets.topic.replication.factor": "3", "transaction.state.log.replication.factor": "3"}
    settings = settings_for(own_kafka(impossible).bootstrap_servers)
    await create_topics(settings, partitions=1)
    found = {each.dependency: each for each in await check_kafka(settings, 3)}
    group, outputs = found["group"], found["outputs"]
    assert (group.state, group.fatal) == (outputs.state, outputs.fatal) == (FindingStatus.MISSING, True)
    assert group.text.startswith(
        f"cannot fetch the description of group {settings.kafka.group_id}: [Error 15] GroupCoordinatorNotAvailable"
    )
    waits = "it waits for the transaction coordinator to initialise the transactional id"
    assert outputs.text == f"the probe transaction of '{settings.kafka.group_id}-check' did not end within 2 s; {waits}"
    assert (found["topics"].state, found["reads"].state) == (FindingStatus.WORKS, FindingStatus.WORKS)


@pytest.mark.cluster
async def test_outputs_fail_until_they_can_be_written() -> None:
    with EmbeddedKafkaCluster(nodes=3) as cluster:
        settings = settings_for(cluster.bootstrap_servers)
        admin = AdminClient({"bootstrap.servers": cluster.nodes[1].bootstrap_servers, "log_level": 0})
        all_replicas = NewTopic(settings.topics.decisions, 2, 3, config={"min.insync.replicas": "3"})
        admin.create_topics([all_replicas])[settings.topics.decisions].result(30)
        await create_topics(settings, partitions=2)
        await probe_outputs(settings, 30)
        cluster.nodes[0].kill()
        await _until_refused(settings)
        cluster.nodes[0].start()
        await probe_outputs(settings, 60)


async def _until_refused(settings: Settings) -> None:
    """Probe until the abort is not written: the broker counts as in sync until the controller has noticed its end."""
    for _ in range(10):
        try:
            await probe_outputs(settings, 10)
        except RetryableError as error:
            if "it waits for the abort to be written to all partitions" in str(error):
                return
    pytest.fail("every probe succeeded")


async def test_a_running_worker_is_not_disturbed(new_pipeline: NewPipeline) -> None:
    pipeline = await asyncio.to_thread(new_pipeline)
    pipeline.start()
    for round_ in range(10):
        await asyncio.to_thread(pipeline.produce, [(round_ % 2, alert(f"service-{round_}"))])
        found = await check_kafka(pipeline.settings, 15)
        assert [each.dependency for each in found if each.state is not FindingStatus.WORKS] == [], _texts(found)
    await asyncio.to_thread(pipeline.await_settled)
    decisions = await asyncio.to_thread(pipeline.decisions)
    check_exactly_once(decisions)
    decided = [each["incident"]["service"] for each in decisions if each["revision"] == 1]
    assert sorted(decided) == sorted(f"service-{n}" for n in range(10))
    assert "starts again" not in pipeline.logs()
    assert "fence" not in pipeline.logs()


def _texts(found: list[Finding]) -> str:
    return "\n".join(f"{each.dependency}: {each.text}" for each in found)
