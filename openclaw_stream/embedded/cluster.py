"""A Kafka cluster on loopback, whose nodes can be killed and paused separately."""

import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from openclaw_stream.embedded.artifacts import Progress
from openclaw_stream.embedded.node import BROKER_PROPERTIES, KafkaNode
from openclaw_stream.embedded.security import Security
from openclaw_stream.embedded.server import HOST, free_ports
from openclaw_stream.errors import EmbeddedError

_log = logging.getLogger(__name__)
_REGISTERED_WITHIN = 60.0
_POLL_SECONDS = 0.02
_REPLICAS = 3

PLAINTEXT, REPLICATION, CONTROLLER, SECURED = "PLAINTEXT", "REPLICATION", "CONTROLLER", "SECURED"

Advertise = Callable[[str, int, int], int]
"""Takes a listener's name, the node's id and the listener's port; returns the port to advertise."""


@dataclass(frozen=True, slots=True)
class NodeAddresses:
    """A node's bound and advertised ports by listener; an advertised port may be that of a proxy."""

    node_id: int
    bound: Mapping[str, int]
    advertised: Mapping[str, int]

    def voter(self) -> str:
        """The node in ``controller.quorum.voters``."""
        return f"{self.node_id}@{HOST}:{self.advertised[CONTROLLER]}"

    def properties(self) -> dict[str, str]:
        """The broker's address properties; Kafka does not allow the controller among the advertised listeners."""
        brokers = {listener: port for listener, port in self.advertised.items() if listener != CONTROLLER}
        return {
            "node.id": str(self.node_id),
            "listeners": _endpoints(self.bound),
            "advertised.listeners": _endpoints(brokers),
        }


class ClusterNode(KafkaNode):
    """One node of an `EmbeddedKafkaCluster`; it keeps its ports and data when it is killed.

    ``start`` and ``restart`` return once the node is registered, which needs a majority of the nodes: after more of
    them are killed use the ``start`` of the cluster, which starts them together.
    """

    def __init__(
        self, addresses: NodeAddresses, properties: Mapping[str, str], parent: Path, *, progress: Progress
    ) -> None:
        super().__init__(progress, parent)
        self._addresses = addresses
        self._shared = properties

    @property
    def node_id(self) -> int:
        """The node's id, from 1."""
        return self._addresses.node_id

    @property
    def bootstrap_servers(self) -> str:
        """The advertised address of the node's PLAINTEXT listener, ``127.0.0.1:PORT``."""
        return self.address(PLAINTEXT)

    def address(self, listener: str) -> str:
        """The advertised address of one of the node's listeners, ``127.0.0.1:PORT``."""
        return f"{HOST}:{self._addresses.advertised[listener]}"

    def save_archive(self) -> None:
        """Stop the node cleanly if the archive of classes, which halves the start time, does not exist yet."""
        if not self._require_runtime().has_broker_archive:
            self._end()

    @property
    def _probe_port(self) -> int:
        return self._addresses.bound[PLAINTEXT]

    def _choose_ports(self) -> None:
        """Do nothing: the cluster has chosen all ports, since each node's properties contain them."""

    def _properties(self, folder: Path) -> dict[str, str]:
        own = {"log.dirs": str(folder / "data")}
        return {**BROKER_PROPERTIES, **self._addresses.properties(), **own, **self._shared}


class EmbeddedKafkaCluster:
    """Kafka nodes on loopback that form one cluster; they end with this process, even by ``kill -9``.

    Each node is broker and controller, with 512 MB of heap. From three nodes on, topics, also the internal ones, have
    by default three replicas, of which two must have a record before it is acknowledged. Each node has the listeners
    PLAINTEXT for clients, REPLICATION between brokers, CONTROLLER, and with `security` also SECURED.

    A context manager that calls ``start`` and ``stop``. ``stop`` kills the nodes and removes their folders; they are
    kept, with the logs, when the cluster did not start.

    Args:
        nodes: Number of nodes; their ids are 1 to `nodes`.
        properties: Additional broker properties for every node; they take precedence.
        security: Security of the SECURED listener; without it there is no such listener.
        advertise: Called for each listener of each node before the first node starts, with the listener's name, the
            node's id and its port; returns the port to advertise instead, such as that of a proxy.
        progress: Called with a message when a slow step starts, such as the download on the first start.

    Raises:
        EmbeddedError: from ``start``: Kafka cannot be installed, or a node did not start.
    """

    def __init__(
        self,
        nodes: int = 3,
        properties: Mapping[str, str] | None = None,
        *,
        security: Security | None = None,
        advertise: Advertise | None = None,
        progress: Progress = _log.info,
    ) -> None:
        self._size = nodes
        self._overrides = dict(properties or {})
        self._security = security
        self._advertise = advertise or _bound_port
        self._progress = progress
        self._folder: Path | None = None
        self._nodes: list[ClusterNode] = []

    @property
    def nodes(self) -> Sequence[ClusterNode]:
        """The nodes in the order of their ids, running or not."""
        self._require_folder()
        return tuple(self._nodes)

    @property
    def bootstrap_servers(self) -> str:
        """The advertised addresses of all PLAINTEXT listeners, ``127.0.0.1:PORT,…``."""
        return self._servers(PLAINTEXT)

    @property
    def secured_servers(self) -> str:
        """The advertised addresses of all SECURED listeners.

        Raises:
            EmbeddedError: the cluster has no security, or is not started.
        """
        self._require_security()
        return self._servers(SECURED)

    @property
    def certificate(self) -> Path:
        """The certificate to trust on the SECURED listeners, in PEM.

        Raises:
            EmbeddedError: the cluster has no TLS, or is not started.
        """
        security = self._require_security()
        if not security.tls:
            raise EmbeddedError("the Kafka cluster has no TLS")
        return security.certificate(self._require_folder())

    def start(self) -> Self:
        """Start the nodes that do not run, all at once; return once each has all of them registered."""
        if self._folder is None:
            self._prepare()
        try:
            for node in self._nodes:
                node.launch()
            for node in self._nodes:
                node.wait_until_ready()
            self._await_registrations()
        except EmbeddedError:
            self._kill()
            self._folder = None  # kept on the disk for its logs
            raise
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Kill the nodes and remove their folders.

        A clean stop of all would hang: the last nodes wait for a controller, which needs a majority. So only the first
        node is stopped cleanly, which writes the archive of classes for later starts.
        """
        if self._folder is None:
            return
        if all(node.running for node in self._nodes):
            self._nodes[0].save_archive()
        self._kill()
        shutil.rmtree(self._folder)
        self._folder = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _prepare(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="openclaw-kafka-cluster-"))
        try:
            if self._security is not None:
                self._security.create_certificate(folder)
            every = self._choose_addresses()
            shared = self._shared_properties(folder, every)
            self._nodes = [ClusterNode(each, shared, folder, progress=self._progress) for each in every]
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._folder = folder

    def _choose_addresses(self) -> list[NodeAddresses]:
        listeners = [PLAINTEXT, REPLICATION, CONTROLLER, *([SECURED] if self._security else [])]
        ports = iter(free_ports(len(listeners) * self._size))
        addresses = []
        for node_id in range(1, self._size + 1):
            bound = {listener: next(ports) for listener in listeners}
            advertised = {listener: self._advertise(listener, node_id, port) for listener, port in bound.items()}
            addresses.append(NodeAddresses(node_id, bound, advertised))
        return addresses

    def _shared_properties(self, folder: Path, nodes: Sequence[NodeAddresses]) -> dict[str, str]:
        protocols = dict.fromkeys(nodes[0].bound, "PLAINTEXT")
        if self._security is not None:
            protocols[SECURED] = self._security.protocol
        return {
            **_replication(self._size),
            "controller.quorum.voters": ",".join(node.voter() for node in nodes),
            "inter.broker.listener.name": REPLICATION,
            "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
            **(self._security.properties(folder) if self._security else {}),
            **self._overrides,
        }

    def _await_registrations(self) -> None:
        """Wait until every node has every broker in its metadata: it gets that of the others after its own start."""
        deadline = time.monotonic() + _REGISTERED_WITHIN
        for node in self._nodes:
            while len(node.brokers()) < self._size:
                if time.monotonic() > deadline:
                    raise EmbeddedError(
                        f"Kafka node {node.node_id} has only brokers {sorted(node.brokers())}; see {node.log_file}"
                    )
                time.sleep(_POLL_SECONDS)

    def _kill(self) -> None:
        for node in self._nodes:
            node.kill()

    def _servers(self, listener: str) -> str:
        return ",".join(node.address(listener) for node in self.nodes)

    def _require_folder(self) -> Path:
        if self._folder is None:
            raise EmbeddedError("the Kafka cluster is not started")
        return self._folder

    def _require_security(self) -> Security:
        if self._security is None:
            raise EmbeddedError("the Kafka cluster has no security")
        return self._security


def _bound_port(listener: str, node_id: int, port: int) -> int:
    """Advertise the bound port: clients connect to the node itself."""
    del listener, node_id
    return port


def _endpoints(ports: Mapping[str, int]) -> str:
    return ",".join(f"{listener}://{HOST}:{port}" for listener, port in ports.items())


def _replication(nodes: int) -> dict[str, str]:
    """Return replication properties: one replica per node, at most three.

    The offsets topic uses ``min.insync.replicas``.
    """
    replicas = min(nodes, _REPLICAS)
    in_sync = 2 if replicas == _REPLICAS else 1
    return {
        "default.replication.factor": str(replicas),
        "min.insync.replicas": str(in_sync),
        "offsets.topic.replication.factor": str(replicas),
        "transaction.state.log.replication.factor": str(replicas),
        "transaction.state.log.min.isr": str(in_sync),
        "share.coordinator.state.topic.replication.factor": str(replicas),
        "share.coordinator.state.topic.min.isr": str(in_sync),
    }
