"""Apache Kafka itself, one node that is broker and controller, on loopback."""

import logging
import shutil
import socket
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from openclaw_stream.embedded.artifacts import Progress
from openclaw_stream.embedded.runtime import KafkaRuntime
from openclaw_stream.embedded.server import HOST, EmbeddedServer, free_port
from openclaw_stream.errors import EmbeddedError

_log = logging.getLogger(__name__)
_ANSWER_WITHIN = 1.0

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


class EmbeddedKafka(EmbeddedServer):
    """One Kafka node; topics are made by the client, a topic has one replica.

    Short session timeouts (500 ms and up) are allowed, and a transaction that outlives its timeout is aborted within
    half a second.

    Args:
        properties: Broker properties that add to or replace those chosen here.
        progress: Told, in a sentence, what takes long: fetching Kafka on the first start.
    """

    name: ClassVar[str] = "Apache Kafka"
    _slug: ClassVar[str] = "kafka"

    def __init__(self, properties: Mapping[str, str] | None = None, *, progress: Progress = _log.info) -> None:
        super().__init__()
        self._overrides = dict(properties or {})
        self._progress = progress
        self._runtime: KafkaRuntime | None = None
        self._port = 0

    @property
    def bootstrap_servers(self) -> str:
        """Where clients connect, ``127.0.0.1:PORT``; the same after a restart."""
        self._require_folder()
        return f"{HOST}:{self._port}"

    def _prepare(self, folder: Path) -> None:
        self._runtime = KafkaRuntime.install(self._progress)
        shutil.copytree(self._runtime.formatted, folder / "data")
        (folder / "scratch").mkdir()
        self._port = free_port()
        lines = (f"{name}={value}" for name, value in self._properties(folder).items())
        (folder / "server.properties").write_text("\n".join(lines) + "\n")

    def _properties(self, folder: Path) -> dict[str, str]:
        broker, controller = f"{HOST}:{self._port}", f"{HOST}:{free_port()}"
        return {
            **BROKER_PROPERTIES,
            "listeners": f"PLAINTEXT://{broker},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{broker}",
            "controller.quorum.voters": f"1@{controller}",
            "log.dirs": str(folder / "data"),
            **self._overrides,
        }

    def _command(self, folder: Path) -> Sequence[str]:
        return self._require_runtime().broker_command(folder / "server.properties", folder / "scratch")

    def _answers(self) -> bool:
        return _count_brokers(self._port) > 0

    def _end(self) -> None:
        super()._end()
        if self._folder is not None:
            self._require_runtime().keep_archive(self._folder / "scratch")

    def _require_runtime(self) -> KafkaRuntime:
        if self._runtime is None:
            raise EmbeddedError(f"{self.name} is not started")
        return self._runtime


def _count_brokers(port: int) -> int:
    """Ask for metadata (version 1, no topics) and return how many brokers serve the cluster.

    A listener may accept connections before the broker is let into its cluster, and topics cannot be made before.
    """
    body = struct.pack(">hhihi", 3, 1, 0, -1, 0)
    with socket.create_connection((HOST, port), timeout=_ANSWER_WITHIN) as connection:
        connection.sendall(struct.pack(">i", len(body)) + body)
        answer = connection.makefile("rb").read(12)
    return int(struct.unpack(">i", answer[8:])[0]) if len(answer) == 12 else 0  # noqa: PLR2004 - size, id, count
