import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._metadata import PartitionMetadata

from openclaw_stream.embedded import EmbeddedKafkaCluster, Security
from openclaw_stream.errors import EmbeddedError
from tests.embedded.clients import PASSWORD, WITHIN, consume, create_topic, plain, produce, wait_until

ORPHANED = """
import sys, time
from openclaw_stream.embedded import EmbeddedKafkaCluster, Security
with EmbeddedKafkaCluster(1, security=Security({"ann": "s3cret"})) as cluster:
    print(cluster.certificate.parent, flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def three() -> Iterator[EmbeddedKafkaCluster]:
    with EmbeddedKafkaCluster() as cluster:
        yield cluster


@pytest.fixture
def cluster(three: EmbeddedKafkaCluster) -> Iterator[EmbeddedKafkaCluster]:
    """Three nodes; killed and paused ones are started and resumed after each test."""
    yield three
    for node in three.nodes:
        if node.running:
            node.resume()
    three.start()


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for the clusters' folders."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def leader(admin: AdminClient, topic: str) -> int:
    return described(admin, topic).leader


def in_sync(admin: AdminClient, topic: str) -> set[int]:
    return set(described(admin, topic).isrs)


def described(admin: AdminClient, topic: str) -> PartitionMetadata:
    """The topic's only partition; a node that is or was paused may not answer, or not have the topic yet."""
    while True:
        with suppress(KafkaException, KeyError):
            return admin.list_topics(topic, timeout=1).topics[topic].partitions[0]


@pytest.mark.cluster
def test_a_record_survives_the_loss_of_its_leader(cluster: EmbeddedKafkaCluster) -> None:
    topic, admin = create_topic(cluster), AdminClient(plain(cluster))
    assert produce(plain(cluster), topic, b"before") is None
    killed = cluster.nodes[leader(admin, topic) - 1]
    killed.kill()
    wait_until(lambda: leader(admin, topic) not in (-1, killed.node_id))
    assert produce(plain(cluster), topic, b"after") is None
    assert consume(plain(cluster), topic, 2) == [b"before", b"after"]
    killed.start()
    wait_until(lambda: in_sync(admin, topic) == {1, 2, 3})


@pytest.mark.cluster
def test_the_cluster_elects_another_leader_for_a_paused_one(cluster: EmbeddedKafkaCluster) -> None:
    topic, admin = create_topic(cluster), AdminClient(plain(cluster))
    paused = cluster.nodes[leader(admin, topic) - 1]
    paused.pause()
    assert paused.running
    assert produce(plain(cluster), topic, b"without it") is None
    assert paused.node_id not in in_sync(admin, topic)
    paused.resume()
    wait_until(lambda: in_sync(admin, topic) == {1, 2, 3})
    assert consume(plain(cluster), topic, 1) == [b"without it"]


@pytest.mark.cluster
def test_one_replica_of_three_accepts_no_record(cluster: EmbeddedKafkaCluster) -> None:
    topic, admin = create_topic(cluster), AdminClient(plain(cluster))
    last = leader(admin, topic)
    for node in cluster.nodes:
        if node.node_id != last:
            node.pause()
    error = produce(plain(cluster) | {"message.timeout.ms": 5000}, topic, b"refused")
    assert error is not None
    assert error.code() in (KafkaError._MSG_TIMED_OUT, KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND)  # noqa: SLF001


@pytest.mark.cluster
def test_internal_topics_have_three_replicas_with_two_in_sync(cluster: EmbeddedKafkaCluster) -> None:
    producer = Producer(plain(cluster) | {"transactional.id": uuid.uuid4().hex})
    producer.init_transactions(WITHIN)
    consumer, admin = Consumer(plain(cluster) | {"group.id": uuid.uuid4().hex}), AdminClient(plain(cluster))
    consumer.committed([TopicPartition(create_topic(cluster), 0)], timeout=WITHIN)
    consumer.close()
    for topic in ("__consumer_offsets", "__transaction_state"):
        partitions = admin.list_topics(topic, timeout=WITHIN).topics[topic].partitions
        assert [len(each.replicas) for each in partitions.values()] == [3, 3, 3, 3]
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
        described = admin.describe_configs([resource])[resource].result(WITHIN)
        assert described["min.insync.replicas"].value == "2"


@pytest.mark.cluster
def test_addresses_and_data_survive_restarts_and_the_loss_of_all_nodes(cluster: EmbeddedKafkaCluster) -> None:
    topic, servers = create_topic(cluster), cluster.bootstrap_servers
    assert produce(plain(cluster), topic, b"kept") is None
    cluster.nodes[0].restart()
    assert cluster.nodes[0].brokers() >= {1}
    for node in cluster.nodes:
        node.kill()
    assert not any(node.running for node in cluster.nodes)
    cluster.start()
    assert cluster.bootstrap_servers == servers
    assert consume(plain(cluster), topic, 1) == [b"kept"]


@pytest.mark.cluster
def test_three_nodes_can_be_secured_without_tls_and_acls() -> None:
    security = Security({"ann": PASSWORD}, tls=False, authorizer=False)
    with EmbeddedKafkaCluster(security=security) as cluster:
        user = plain(cluster) | {
            "bootstrap.servers": cluster.secured_servers,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.username": "ann",
            "sasl.password": PASSWORD,
        }
        assert produce(user, create_topic(cluster), b"1") is None
        brokers = AdminClient(user).list_topics(timeout=WITHIN).brokers.values()
        assert {f"{each.host}:{each.port}" for each in brokers} == set(cluster.secured_servers.split(","))
        with pytest.raises(EmbeddedError, match="no TLS"):
            _ = cluster.certificate


def test_missing_security_and_stopped_clusters_are_errors() -> None:
    cluster = EmbeddedKafkaCluster(1)
    with pytest.raises(EmbeddedError, match="not started"):
        _ = cluster.bootstrap_servers
    with pytest.raises(EmbeddedError, match="no security"):
        _ = cluster.secured_servers


@pytest.mark.kafka
def test_stop_removes_all_files(temporary: Path) -> None:
    with EmbeddedKafkaCluster(1, security=Security({"ann": PASSWORD})) as cluster:
        (folder,) = temporary.iterdir()
        assert cluster.certificate.parent == folder
        assert cluster.nodes[0].log_file.parent.parent == folder
    assert list(temporary.iterdir()) == []


@pytest.mark.kafka
def test_a_failed_start_keeps_its_log_and_reports_the_path(temporary: Path) -> None:
    cluster = EmbeddedKafkaCluster(1, {"log.retention.hours": "soon"})
    with pytest.raises(EmbeddedError, match=r"log\.retention\.hours") as failed:
        cluster.start()
    (log,) = temporary.glob("*/*/server.log")
    assert str(log) in str(failed.value)


@pytest.mark.kafka
def test_a_cluster_and_its_folder_end_with_their_program() -> None:
    with subprocess.Popen([sys.executable, "-c", ORPHANED], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        folder = Path(program.stdout.readline().strip())
        assert folder.is_dir()
        program.kill()
    wait_until(lambda: not folder.exists())
