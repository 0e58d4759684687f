"""Kafka and Valkey from a container engine instead of the embedded ones: ``OPENCLAW_TEST_CONTAINERS=1``."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from openclaw_stream.embedded import EmbeddedKafka, EmbeddedValkey
from openclaw_stream.embedded.kafka import BROKER_PROPERTIES
from openclaw_stream.embedded.server import free_port

SWITCH = "OPENCLAW_TEST_CONTAINERS"
KAFKA_IMAGE = "apache/kafka:4.4.0"
VALKEY_IMAGE = "valkey/valkey:9.1"


class KafkaServer(Protocol):
    @property
    def bootstrap_servers(self) -> str: ...


class ValkeyServer(Protocol):
    @property
    def url(self) -> str: ...


@dataclass(frozen=True)
class KafkaInContainer:
    bootstrap_servers: str


@dataclass(frozen=True)
class ValkeyInContainer:
    url: str


def kafka_server() -> AbstractContextManager[KafkaServer]:
    """Return the Kafka selected by the environment."""
    return kafka_container() if _selected() else EmbeddedKafka()


def valkey_server() -> AbstractContextManager[ValkeyServer]:
    """Return the Valkey selected by the environment."""
    return valkey_container() if _selected() else EmbeddedValkey()


@contextmanager
def kafka_container() -> Iterator[KafkaInContainer]:
    """Run the Kafka project's image; the port is chosen first, because the broker advertises it."""
    port = free_port()
    container = DockerContainer(KAFKA_IMAGE).with_bind_ports(9092, port)
    host = container.get_container_host_ip()
    container.with_envs(**container_environment(f"{host}:{port}"))
    container.waiting_for(LogMessageWaitStrategy("Kafka Server started"))
    with container:
        yield KafkaInContainer(f"{host}:{port}")


@contextmanager
def valkey_container() -> Iterator[ValkeyInContainer]:
    container = DockerContainer(VALKEY_IMAGE).with_exposed_ports(6379)
    container.waiting_for(LogMessageWaitStrategy("Ready to accept connections"))
    with container:
        yield ValkeyInContainer(f"redis://{container.get_container_host_ip()}:{container.get_exposed_port(6379)}/0")


def container_environment(advertised: str) -> dict[str, str]:
    """The embedded broker's properties as environment variables of the image: ``KAFKA_`` and ``_`` for ``.``."""
    properties = BROKER_PROPERTIES | {
        "listeners": "PLAINTEXT://0.0.0.0:9092,CONTROLLER://localhost:9093",
        "advertised.listeners": f"PLAINTEXT://{advertised}",
        "controller.quorum.voters": "1@localhost:9093",
    }
    return {"KAFKA_" + name.upper().replace(".", "_"): value for name, value in properties.items()}


def _selected() -> bool:
    return os.environ.get(SWITCH) == "1"
