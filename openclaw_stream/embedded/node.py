"""One Kafka node: its storage, its properties file and its process."""

import base64
import re
import shutil
import socket
import struct
import uuid
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from openclaw_stream.embedded.artifacts import Progress
from openclaw_stream.embedded.runtime import KafkaRuntime
from openclaw_stream.embedded.server import HOST, EmbeddedServer
from openclaw_stream.errors import EmbeddedError

_METADATA = 3
_PROBE_SECONDS = 1.0

BROKER_PROPERTIES = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "auto.create.topics.enable": "false",
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "500",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "2000",
    "log.cleaner.dedupe.buffer.size": "16777216",
}
"""The properties of a single node; a cluster overrides some of them."""


class KafkaNode(EmbeddedServer):
    """A Kafka process that is broker and controller; subclasses choose its id, ports and properties.

    Args:
        progress: Called with a message when a slow step starts, such as the download on the first start.
        parent: Folder for the node's folder; removed with it if this process ends first.
    """

    name: ClassVar[str] = "Apache Kafka"
    _slug: ClassVar[str] = "kafka"

    def __init__(self, progress: Progress, parent: Path | None = None) -> None:
        super().__init__(parent)
        self._progress = progress
        self._runtime: KafkaRuntime | None = None

    @property
    @abstractmethod
    def node_id(self) -> int:
        """The node's id in the cluster, from 1."""

    @abstractmethod
    def _choose_ports(self) -> None:
        """Choose the ports, before `_properties` is called; called once per folder."""

    @abstractmethod
    def _properties(self, folder: Path) -> Mapping[str, str]:
        """The content of ``server.properties``."""

    @property
    @abstractmethod
    def _probe_port(self) -> int:
        """The bound port of the PLAINTEXT listener, not that of a proxy."""

    def brokers(self) -> frozenset[int]:
        """The ids of the registered and unfenced brokers in this node's metadata.

        Raises:
            OSError: the node does not answer within a second.
        """
        return _broker_ids(self._probe_port)

    def _prepare(self, folder: Path) -> None:
        self._runtime = KafkaRuntime.install(self._progress)
        self._choose_ports()
        _copy_storage(self._runtime.formatted, folder / "data", self.node_id)
        (folder / "scratch").mkdir()
        lines = (f"{name}={value}" for name, value in self._properties(folder).items())
        (folder / "server.properties").write_text("\n".join(lines) + "\n")

    def _command(self, folder: Path) -> Sequence[str]:
        return self._require_runtime().broker_command(folder / "server.properties", folder / "scratch")

    def _answers(self) -> bool:
        return self.node_id in self.brokers()

    def _end(self) -> None:
        super()._end()
        if self._folder is not None:
            self._require_runtime().save_archive(self._folder / "scratch")

    def _require_runtime(self) -> KafkaRuntime:
        if self._runtime is None:
            raise EmbeddedError(f"{self.name} is not started")
        return self._runtime


def _copy_storage(formatted: Path, data: Path, node_id: int) -> None:
    """Copy the formatted log folder of node 1 for another node; each node's folder needs an id of its own."""
    shutil.copytree(formatted, data)
    directory_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
    properties = data / "meta.properties"
    content = re.sub(r"(?m)^node\.id=.*$", f"node.id={node_id}", properties.read_text())
    properties.write_text(re.sub(r"(?m)^directory\.id=.*$", f"directory.id={directory_id}", content))


def _broker_ids(port: int) -> frozenset[int]:
    """Request metadata (version 1, no topics) and return the ids of the brokers in the response.

    A listener may accept connections before its broker is unfenced, and topics cannot be created before. The response
    is a correlation id, the number of brokers, and per broker its id, host, port and nullable rack:
    https://kafka.apache.org/protocol#The_Messages_Metadata
    """
    body = struct.pack(">hhihi", _METADATA, 1, 0, -1, 0)
    with socket.create_connection((HOST, port), timeout=_PROBE_SECONDS) as connection:
        connection.sendall(struct.pack(">i", len(body)) + body)
        stream = connection.makefile("rb")
        size = stream.read(4)
        response = stream.read(*struct.unpack(">i", size)) if len(size) == 4 else b""  # noqa: PLR2004 - bytes of an int32
    try:
        return _parse_broker_ids(response)
    except struct.error:  # the node closed the connection before the response was complete
        return frozenset()


def _parse_broker_ids(response: bytes) -> frozenset[int]:
    (count,), position, ids = struct.unpack_from(">i", response, 4), 8, set()
    for _ in range(count):
        broker, host_length = struct.unpack_from(">ih", response, position)
        position += 6 + host_length + 4
        (rack_length,) = struct.unpack_from(">h", response, position)
        position += 2 + max(rack_length, 0)
        ids.add(broker)
    return frozenset(ids)
