import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic
from pydantic import SecretStr

from openclaw_stream.embedded import EmbeddedKafkaCluster, Security
from openclaw_stream.errors import RetryableError, SettingsError
from openclaw_stream.settings import KafkaSettings
from openclaw_stream.stream.kafka.connection import (
    admin_client,
    connection,
    has_compiled_extension,
    require_codecs,
    stop_client,
)
from tests.resilience.calls import CancellationResistant

USER, PASSWORD = "ann", "s3cret"


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedKafkaCluster]:
    with EmbeddedKafkaCluster(1, security=Security({USER: PASSWORD}, authorizer=False)) as kafka:
        yield kafka


def settings(broker: EmbeddedKafkaCluster, *, password: str = PASSWORD, trust: bool = True) -> KafkaSettings:
    return KafkaSettings(
        bootstrap_servers=broker.secured_servers,
        security_protocol="SASL_SSL",
        sasl_username=USER,
        sasl_password=SecretStr(password),
        ssl_cafile=broker.certificate if trust else None,
    )


async def test_admin_client_connects_with_tls_user_and_password(broker: EmbeddedKafkaCluster) -> None:
    async with admin_client(settings(broker)) as admin:
        cluster = await admin.describe_cluster()
    assert len(cluster["brokers"]) == 1


async def test_a_wrong_password_is_reported_without_its_value(broker: EmbeddedKafkaCluster) -> None:
    with pytest.raises(
        RetryableError, match=rf"(?s)no answer from Kafka at {broker.secured_servers}.*uthentication"
    ) as caught:
        async with admin_client(settings(broker, password="wr0ng")):  # noqa: S106 - meant to be wrong
            pytest.fail("it connected")
    assert "wr0ng" not in str(caught.value)


async def test_an_untrusted_certificate_is_refused(broker: EmbeddedKafkaCluster) -> None:
    with pytest.raises(RetryableError, match=r"(?i)certificate"):
        async with admin_client(settings(broker, trust=False)):
            pytest.fail("it connected")


async def test_a_consumer_stops_while_a_fetch_waits_for_its_retry(
    broker: EmbeddedKafkaCluster, caplog: pytest.LogCaptureFixture
) -> None:
    servers = broker.bootstrap_servers
    async with admin_client(KafkaSettings(bootstrap_servers=servers)) as admin:
        await admin.create_topics([NewTopic("stopped", 1, 1)])
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers, request_timeout_ms=500, fetch_max_wait_ms=100, retry_backoff_ms=60_000
    )
    await consumer.start()
    consumer.assign([TopicPartition("stopped", 0)])
    await consumer.seek_to_end()
    broker.nodes[0].pause()
    try:
        for _ in range(600):
            if "Failed fetch messages" in caplog.text:
                break
            await asyncio.sleep(0.05)
        await stop_client(consumer)
    finally:
        broker.nodes[0].resume()
    assert not any(each.connected() for each in consumer._client._conns.values())  # noqa: SLF001 - no public access


async def test_tasks_and_connections_of_a_client_that_does_not_stop_are_closed(
    broker: EmbeddedKafkaCluster,
) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers)
    await producer.start()
    await producer.send_and_wait("stopped", b"1")
    connections = list(producer.client._conns.values())  # noqa: SLF001 - no public access
    sender, call = producer._sender.sender_task, CancellationResistant(1000)  # noqa: SLF001
    producer.stop = call.work
    assert any(each.connected() for each in connections)
    await stop_client(producer)
    assert sender.done()
    assert not any(each.connected() for each in connections)
    call.lost = 0
    del producer.stop
    await producer.stop()


def test_an_invalid_certificate_file_is_a_settings_error(tmp_path: Path, broker: EmbeddedKafkaCluster) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(SettingsError, match=r"KAFKA_SSL_CAFILE=.*broken\.pem cannot be loaded"):
        connection(KafkaSettings(security_protocol="SSL", ssl_cafile=broken))
    with pytest.raises(SettingsError, match=r"KAFKA_SSL_CERTFILE=.*cannot be loaded"):
        connection(KafkaSettings(security_protocol="SSL", ssl_certfile=broker.certificate, ssl_keyfile=broken))


def test_plaintext_settings_have_no_security_arguments() -> None:
    assert connection(KafkaSettings(bootstrap_servers="a:1")) == {
        "bootstrap_servers": "a:1",
        "client_id": "openclaw-stream",
        "request_timeout_ms": 3333,
        "security_protocol": "PLAINTEXT",
    }


def test_this_installation_has_every_codec_and_the_compiled_extension() -> None:
    require_codecs()
    assert has_compiled_extension()
