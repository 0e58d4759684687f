"""Topic ids, as real brokers and brokers of an earlier version answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import NodeNotReadyError, TopicAuthorizationFailedError
from aiokafka.protocol.admin import ApiVersionResponse_v0
from confluent_kafka.admin import AdminClient

from openclaw_stream.embedded import EmbeddedKafkaCluster
from openclaw_stream.settings import KafkaSettings, Settings
from openclaw_stream.stream.kafka.connection import connection
from openclaw_stream.stream.kafka.topic_ids import topic_ids
from openclaw_stream.stream.kafka.topics import create_topics
from tests.acls import PASSWORD, USER
from tests.kafka_proxy import Action, Answer, Forward, KafkaProxy, Request, forward
from tests.stream.kafka.broker import create_topic
from tests.stream.kafka.test_topics import settings_for
from tests.stream.pipeline import until

_API_VERSIONS, _METADATA = 18, 3


@asynccontextmanager
async def connected(settings: KafkaSettings) -> AsyncIterator[AIOKafkaClient]:
    client = AIOKafkaClient(**connection(settings))
    await client.bootstrap()
    try:
        yield client
    finally:
        await client.close()


async def test_each_existing_topic_has_an_id_of_its_own_and_a_missing_one_is_not_created(bootstrap: str) -> None:
    topics = [(await asyncio.to_thread(create_topic, bootstrap)).topic for _ in range(2)]
    missing = f"missing-{uuid4().hex[:8]}"
    async with connected(KafkaSettings(bootstrap_servers=bootstrap)) as client:
        ids = await topic_ids(client, [*topics, missing])
        assert ids.keys() == set(topics)
        assert len({UUID(each) for each in ids.values()}) == 2
        assert await topic_ids(client, topics) == ids
        assert missing not in (await client.fetch_all_metadata()).topics()


async def test_a_recreated_topic_has_another_id(bootstrap: str) -> None:
    settings: Settings = settings_for(bootstrap)
    admin, alerts = AdminClient({"bootstrap.servers": bootstrap}), settings.topics.alerts
    before = (await create_topics(settings, partitions=1)).require()
    admin.delete_topics([alerts])[alerts].result(30)
    until(lambda: alerts not in admin.list_topics(timeout=10).topics, f"{alerts} to be deleted")
    after = (await create_topics(settings, partitions=1)).require()
    assert before.topic_id
    assert after.topic_id
    assert before.topic_id != after.topic_id


async def test_the_error_holds_the_topics_that_may_not_be_described(secured_kafka: EmbeddedKafkaCluster) -> None:
    denied = [(await asyncio.to_thread(create_topic, secured_kafka.bootstrap_servers)).topic for _ in range(2)]
    settings = KafkaSettings(
        bootstrap_servers=secured_kafka.secured_servers,
        security_protocol="SASL_PLAINTEXT",
        sasl_username=USER,
        sasl_password=PASSWORD,
    )
    async with connected(settings) as client:
        with pytest.raises(TopicAuthorizationFailedError) as caught:
            await topic_ids(client, denied)
    assert caught.value.args == (set(denied),)


def without_topic_ids(request: Request) -> Action:
    """Answer like a broker before 2.8: Metadata up to version 9."""
    if request.api_key != _API_VERSIONS:
        return Forward()
    versions = [(_API_VERSIONS, 0, 0), (_METADATA, 0, 9)]
    return Answer(ApiVersionResponse_v0(0, versions).encode())


async def test_a_broker_without_topic_ids_has_none(proxied: tuple[str, KafkaProxy]) -> None:
    bootstrap, proxy = proxied
    topic = (await asyncio.to_thread(create_topic, bootstrap)).topic
    proxy.policy = without_topic_ids
    try:
        async with connected(KafkaSettings(bootstrap_servers=bootstrap)) as client:
            assert await topic_ids(client, [topic]) == {}
    finally:
        proxy.policy = forward


async def test_without_a_broker_in_the_metadata_it_is_an_error() -> None:
    client = AIOKafkaClient(bootstrap_servers="127.0.0.1:9")
    with pytest.raises(NodeNotReadyError, match="no broker in the metadata"):
        await topic_ids(client, ["alerts"])
    await client.close()
