import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from openclaw_stream.embedded import EmbeddedKafkaCluster
from openclaw_stream.embedded.cluster import CONTROLLER, PLAINTEXT, ClusterNode, NodeAddresses
from openclaw_stream.embedded.server import HOST, free_port
from openclaw_stream.errors import EmbeddedError

METADATA_REQUEST = struct.pack(">ihhihi", 14, 3, 1, 0, -1, 0)
"""Size, API key, version, correlation id, no client id, no topics."""

Answer = Callable[[bytes], int]
"""Takes the bytes that a listener answers to one connection, before it closes it; returns the listener's port."""


def node(parent: Path, port: int = 0, node_id: int = 1, properties: Mapping[str, str] | None = None) -> ClusterNode:
    ports = {PLAINTEXT: port or free_port(), CONTROLLER: free_port()}
    shared = {"controller.quorum.voters": f"{node_id}@{HOST}:{ports[CONTROLLER]}", **(properties or {})}
    return ClusterNode(NodeAddresses(node_id, ports, ports), shared, parent, progress=print)


@pytest.fixture
def launched(tmp_path: Path) -> Iterator[Callable[..., ClusterNode]]:
    """Launch nodes, which are not awaited; takes the arguments of `node`."""
    with ExitStack() as servers:

        def launch(**arguments: object) -> ClusterNode:
            launched = node(tmp_path, **arguments)  # type: ignore[arg-type]
            servers.callback(launched.kill)
            launched.launch()
            return launched

        yield launch


@pytest.fixture
def answering() -> Iterator[Answer]:
    """A listener that answers metadata requests with given bytes."""
    with ExitStack() as stack:

        def listen(response: bytes) -> int:
            listening = stack.enter_context(socket.create_server((HOST, 0)))
            thread = threading.Thread(target=respond, args=(listening, response))
            thread.start()
            stack.callback(thread.join)
            return int(listening.getsockname()[1])

        yield listen


def respond(listening: socket.socket, response: bytes) -> None:
    connection, _ = listening.accept()
    with connection, connection.makefile("rb") as stream:
        assert stream.read(len(METADATA_REQUEST)) == METADATA_REQUEST
        connection.sendall(response)


def metadata(*brokers: tuple[int, str, str | None], controller: int = 1) -> bytes:
    """A response (version 1) without topics; each broker has an id, a host and a rack."""
    body = struct.pack(">ii", 0, len(brokers))
    for broker, host, rack in brokers:
        body += struct.pack(">ih", broker, len(host)) + host.encode() + struct.pack(">i", 9092)
        body += struct.pack(">h", -1) if rack is None else struct.pack(">h", len(rack)) + rack.encode()
    body += struct.pack(">ii", controller, 0)
    return struct.pack(">i", len(body)) + body


THREE = metadata((1, "127.0.0.1", None), (20, "broker.example", "rack-a"), (3, "h", ""))


@pytest.mark.parametrize(
    ("response", "brokers"), [(THREE, {1, 20, 3}), (metadata((1, "127.0.0.1", None)), {1}), (metadata(), set())]
)
def test_the_brokers_are_those_of_the_metadata(
    answering: Answer, tmp_path: Path, response: bytes, brokers: set[int]
) -> None:
    assert node(tmp_path, answering(response)).brokers() == brokers


@pytest.mark.parametrize("length", [0, 3, 4, 7, 11, 20, 30])
def test_an_incomplete_response_has_no_brokers(answering: Answer, tmp_path: Path, length: int) -> None:
    assert node(tmp_path, answering(THREE[:length])).brokers() == frozenset()


def test_a_node_without_a_listener_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConnectionRefusedError):
        node(tmp_path).brokers()


def test_a_node_that_does_not_answer_is_an_error(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as silent, pytest.raises(TimeoutError):
        node(tmp_path, silent.getsockname()[1]).brokers()


def test_a_started_node_is_registered_as_a_broker(secured_kafka: EmbeddedKafkaCluster) -> None:
    assert secured_kafka.nodes[0].brokers() == {1}


@pytest.mark.kafka
def test_each_node_has_a_storage_of_its_own(launched: Callable[..., ClusterNode]) -> None:
    found = []
    for node_id in (1, 2):
        storage = launched(node_id=node_id).log_file.parent / "data" / "meta.properties"
        found.append(dict(re.findall(r"(?m)^(\S+?)=(.*)$", storage.read_text())))
    one, two = found
    assert (one["node.id"], two["node.id"]) == ("1", "2")
    assert one["cluster.id"] == two["cluster.id"]
    assert one["directory.id"] != two["directory.id"]
    assert len(one["directory.id"]) == len(two["directory.id"]) == 22


@pytest.mark.kafka
def test_given_properties_are_written_once(launched: Callable[..., ClusterNode]) -> None:
    folder = launched(node_id=7, properties={"min.insync.replicas": "2", "own": "a=b"}).log_file.parent
    lines = (folder / "server.properties").read_text().splitlines()
    properties = dict(line.split("=", 1) for line in lines)
    assert len(properties) == len(lines)
    assert properties["node.id"] == "7"
    assert properties["min.insync.replicas"] == "2"
    assert properties["own"] == "a=b"
    assert properties["log.dirs"] == str(folder / "data")
    assert properties["auto.create.topics.enable"] == "false"


def test_a_node_that_is_not_started_has_no_runtime(tmp_path: Path) -> None:
    idle = node(tmp_path)
    with pytest.raises(EmbeddedError, match="Apache Kafka is not started"):
        idle.save_archive()
    idle.stop()
    assert list(tmp_path.iterdir()) == []
