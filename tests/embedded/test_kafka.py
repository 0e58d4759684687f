import socket
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from openclaw_stream.embedded import EmbeddedKafka
from openclaw_stream.errors import EmbeddedError
from tests.conftest import OwnKafka

WITHIN = 30.0

pytestmark = pytest.mark.kafka


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for the servers' folders."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def client(bootstrap: str) -> dict[str, str | int | float | bool]:
    return {"bootstrap.servers": bootstrap, "log_level": 0}


def make_topic(bootstrap: str) -> str:
    topic = f"embedded-{uuid.uuid4().hex[:8]}"
    admin = AdminClient(client(bootstrap))
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(WITHIN)
    return topic


def produce(bootstrap: str, topic: str, value: bytes) -> None:
    producer = Producer(client(bootstrap))
    producer.produce(topic, value)
    assert producer.flush(WITHIN) == 0


def consume(bootstrap: str, topic: str, count: int) -> list[bytes | None]:
    reader = {"group.id": uuid.uuid4().hex, "auto.offset.reset": "earliest", "isolation.level": "read_committed"}
    consumer = Consumer(client(bootstrap) | reader)
    consumer.subscribe([topic])
    try:
        return [message.value() for message in consumer.consume(count, timeout=WITHIN)]
    finally:
        consumer.close()


def test_a_record_can_be_read_back(bootstrap: str) -> None:
    topic = make_topic(bootstrap)
    produce(bootstrap, topic, b"one")
    assert consume(bootstrap, topic, 1) == [b"one"]


def test_a_metadata_request_creates_no_topic(bootstrap: str) -> None:
    described = AdminClient(client(bootstrap)).list_topics("missing-topic", timeout=WITHIN).topics
    error = described["missing-topic"].error
    assert error is not None
    assert error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_data_and_address_survive_a_restart_and_a_kill(own_kafka: OwnKafka) -> None:
    kafka = own_kafka()
    bootstrap = kafka.bootstrap_servers
    topic = make_topic(bootstrap)
    produce(bootstrap, topic, b"before")
    kafka.restart()
    assert kafka.bootstrap_servers == bootstrap
    produce(bootstrap, topic, b"between")
    kafka.kill()
    assert not kafka.running
    kafka.start()
    produce(bootstrap, topic, b"after")
    assert consume(bootstrap, topic, 3) == [b"before", b"between", b"after"]


def test_a_paused_broker_answers_when_it_is_resumed(own_kafka: OwnKafka) -> None:
    kafka = own_kafka()
    admin = AdminClient(client(kafka.bootstrap_servers))
    kafka.pause()
    assert kafka.running
    with pytest.raises(KafkaException):
        admin.list_topics(timeout=0.5)
    kafka.resume()
    assert admin.list_topics(timeout=WITHIN).topics == {}


def test_an_abandoned_transaction_is_aborted_after_its_timeout(bootstrap: str) -> None:
    topic = make_topic(bootstrap)
    transactional = {"transactional.id": uuid.uuid4().hex, "transaction.timeout.ms": 1000}
    producer = Producer(client(bootstrap) | transactional)
    producer.init_transactions(WITHIN)
    producer.begin_transaction()
    producer.produce(topic, b"never committed")
    producer.flush(WITHIN)
    produce(bootstrap, topic, b"behind it")
    assert consume(bootstrap, topic, 1) == [b"behind it"]


def test_given_properties_take_precedence(own_kafka: OwnKafka) -> None:
    admin = AdminClient(client(own_kafka({"num.partitions": "3"}).bootstrap_servers))
    admin.create_topics([NewTopic("by-default", -1, 1)])["by-default"].result(WITHIN)
    assert len(admin.list_topics("by-default", timeout=WITHIN).topics["by-default"].partitions) == 3


def test_the_broker_listens_on_loopback_only(own_kafka: OwnKafka) -> None:
    port = int(own_kafka().bootstrap_servers.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=WITHIN):
        pass
    with pytest.raises(OSError, match=r"refused|assign|unreachable|timed out"):
        socket.create_connection(("127.0.0.2", port), timeout=1)


def test_stop_removes_all_files(temporary: Path) -> None:
    with EmbeddedKafka() as kafka:
        port = int(kafka.bootstrap_servers.rpartition(":")[2])
        assert kafka.log_file.parent.parent == temporary
    assert not kafka.running
    assert list(temporary.iterdir()) == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=WITHIN)
    with pytest.raises(EmbeddedError, match="not started"):
        _ = kafka.bootstrap_servers


def test_a_failed_start_keeps_its_log_and_reports_the_path(temporary: Path) -> None:
    kafka = EmbeddedKafka({"log.retention.hours": "soon"})
    with pytest.raises(EmbeddedError, match=r"log\.retention\.hours") as failed:
        kafka.start()
    (log,) = temporary.glob("*/server.log")
    assert str(log) in str(failed.value)
    assert "soon" in log.read_text()
    assert not kafka.running


def test_no_program_on_the_path_is_needed(tmp_path: Path) -> None:
    program = "from openclaw_stream.embedded import EmbeddedKafka\nwith EmbeddedKafka() as k: print(k.running)"
    environment = {"PATH": str(tmp_path), "HOME": str(Path.home())}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("True\n", "", 0)
