"""Apache Kafka on loopback: one node that is broker and controller."""

import logging
from collections.abc import Mapping
from pathlib import Path

from openclaw_stream.embedded.artifacts import Progress
from openclaw_stream.embedded.node import BROKER_PROPERTIES, KafkaNode
from openclaw_stream.embedded.server import HOST, free_ports

__all__ = ["BROKER_PROPERTIES", "EmbeddedKafka"]

_log = logging.getLogger(__name__)


class EmbeddedKafka(KafkaNode):
    """One Kafka node, without automatic topic creation; topics have one replica by default.

    Short session timeouts (500 ms and up) are allowed, and a transaction is aborted within half a second after its
    timeout.

    Args:
        properties: Additional broker properties; they take precedence.
        progress: Called with a message when a slow step starts, such as the download on the first start.
    """

    def __init__(self, properties: Mapping[str, str] | None = None, *, progress: Progress = _log.info) -> None:
        super().__init__(progress)
        self._overrides = dict(properties or {})
        self._port = 0
        self._controller_port = 0

    @property
    def node_id(self) -> int:
        """The id of the only node."""
        return 1

    @property
    def bootstrap_servers(self) -> str:
        """The address for clients, ``127.0.0.1:PORT``; the same after a restart."""
        self._require_folder()
        return f"{HOST}:{self._port}"

    @property
    def _probe_port(self) -> int:
        return self._port

    def _choose_ports(self) -> None:
        self._port, self._controller_port = free_ports(2)

    def _properties(self, folder: Path) -> dict[str, str]:
        broker, controller = f"{HOST}:{self._port}", f"{HOST}:{self._controller_port}"
        return {
            **BROKER_PROPERTIES,
            "listeners": f"PLAINTEXT://{broker},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{broker}",
            "controller.quorum.voters": f"1@{controller}",
            "log.dirs": str(folder / "data"),
            **self._overrides,
        }
