"""Topics for the tests of the checks, and an environment without settings."""

import os
from uuid import uuid4

import pytest

from openclaw_stream.stream.kafka.topics import create_topics
from tests.check.runner import OWN, Environment, settings_of


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(OWN):
            monkeypatch.delenv(name)


@pytest.fixture
def topics(bootstrap: str) -> Environment:
    """The names of topics of this test, none of which exists, and of its group."""
    run = uuid4().hex[:8]
    fields = ("ALERTS", "DECISIONS", "TUNING", "INCIDENTS", "DEAD_LETTER")
    names = {f"OPENCLAW_TOPIC_{field}": f"{field.lower()}.{run}" for field in fields}
    return names | {"KAFKA_BOOTSTRAP_SERVERS": bootstrap, "KAFKA_GROUP_ID": f"group.{run}"}


@pytest.fixture
async def ready(topics: Environment, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """The same topics, created with the recommended configuration."""
    await create_topics(settings_of(monkeypatch, topics), partitions=1, replication_factor=1)
    return topics


@pytest.fixture
def closed_port(unused_tcp_port: int) -> int:
    return unused_tcp_port
