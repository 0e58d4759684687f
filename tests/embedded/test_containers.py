import pytest

from openclaw_stream.embedded import EmbeddedKafka, EmbeddedValkey
from tests.embedded import containers


def test_the_embedded_servers_are_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(containers.SWITCH, raising=False)
    assert isinstance(containers.kafka_server(), EmbeddedKafka)
    assert isinstance(containers.valkey_server(), EmbeddedValkey)


def test_containers_are_selected_by_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(containers.SWITCH, "1")
    assert not isinstance(containers.kafka_server(), EmbeddedKafka)
    assert not isinstance(containers.valkey_server(), EmbeddedValkey)


def test_the_image_gets_the_same_properties() -> None:
    environment = containers.container_environment("docker.example:21000")
    assert environment["KAFKA_ADVERTISED_LISTENERS"] == "PLAINTEXT://docker.example:21000"
    assert environment["KAFKA_TRANSACTION_STATE_LOG_MIN_ISR"] == "1"
    assert environment["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
