"""The three nodes of a scenario: replication through proxies, a user for the workers, leaders and coordinators."""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from openclaw_stream.embedded import EmbeddedKafkaCluster, Security
from openclaw_stream.embedded.cluster import REPLICATION, ClusterNode
from tests.chaos.protocol import GROUP, TRANSACTION, ProtocolError, cluster_state, find_coordinator
from tests.kafka_proxy import HoldMarkers, KafkaProxy

USER = "worker"
_PASSWORD = "chaos-password"  # noqa: S105 - of a cluster that exists for one scenario
_POLL_SECONDS, _FIND_SECONDS, _WHOLE_SECONDS = 0.2, 30.0, 150


class Cluster:
    """Three nodes; a context manager.

    Workers connect as the user `worker` over TLS, with the rights granted to them; everything else in the campaign
    connects as superuser over the PLAINTEXT listener. Transaction markers go from broker to broker, so the proxies
    before the replication listeners can hold them back: `markers.seconds`.
    """

    replicas = 3

    def __init__(self) -> None:
        self.markers = HoldMarkers(0)
        self._proxies = ExitStack()
        self._kafka = EmbeddedKafkaCluster(3, security=Security({USER: _PASSWORD}), advertise=self._advertise)

    def __enter__(self) -> Self:
        with self._proxies:
            self._kafka.start()
            self._proxies = self._proxies.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._proxies:
            self._kafka.stop()

    @property
    def bootstrap_servers(self) -> str:
        """The listener for superusers."""
        return self._kafka.bootstrap_servers

    @property
    def environment(self) -> Mapping[str, str]:
        """The connection settings of a worker."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self._kafka.secured_servers,
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SASL_MECHANISM": "PLAIN",
            "KAFKA_SASL_USERNAME": USER,
            "KAFKA_SASL_PASSWORD": _PASSWORD,
            "KAFKA_SSL_CAFILE": str(self._kafka.certificate),
        }

    @property
    def nodes(self) -> list[ClusterNode]:
        """The nodes in the order of their ids, running or not."""
        return list(self._kafka.nodes)

    def leader(self, topic: str, partition: int) -> ClusterNode:
        """Return the node that leads a partition.

        Raises:
            OSError: no node answered, or the partition has no leader, for 30 s.
        """
        return self._find(lambda: cluster_state(self.bootstrap_servers).partitions[topic, partition].leader)

    def group_coordinator(self, group_id: str) -> ClusterNode:
        """Return the node that coordinates a consumer group.

        Raises:
            OSError: no node answered, or there is no coordinator, for 30 s.
        """
        return self._find(lambda: find_coordinator(self.bootstrap_servers, group_id, GROUP).node_id)

    def transaction_coordinator(self, transactional_id: str) -> ClusterNode:
        """Return the node that coordinates a producer's transactions.

        Raises:
            OSError: no node answered, or there is no coordinator, for 30 s.
        """
        return self._find(lambda: find_coordinator(self.bootstrap_servers, transactional_id, TRANSACTION).node_id)

    def await_partition(self, topic: str, partition: int) -> None:
        """Return once every node knows a partition and has all its replicas in sync.

        Raises:
            TimeoutError: it took too long.
        """
        self._await(lambda node: (topic, partition) in cluster_state(node.bootstrap_servers).partitions)
        self.await_in_sync()

    def await_in_sync(self) -> None:
        """Return once every node sees every node registered and all replicas of all partitions in sync.

        Raises:
            TimeoutError: it took too long.
        """
        self._await(self._in_sync)

    def _await(self, holds: Callable[[ClusterNode], bool]) -> None:
        """Wait until something holds on every node; a node that does not answer is retried."""
        deadline = time.monotonic() + _WHOLE_SECONDS
        for node in self.nodes:
            while not _answers(holds, node):
                if time.monotonic() > deadline:
                    raise TimeoutError(
                        f"node {node.node_id} does not see all replicas in sync after {_WHOLE_SECONDS} s"
                    )
                time.sleep(_POLL_SECONDS)

    def _in_sync(self, node: ClusterNode) -> bool:
        state = cluster_state(node.bootstrap_servers)
        known = len(state.brokers) == len(self.nodes)
        return known and all(each.in_sync == each.replicas and each.leader > 0 for each in state.partitions.values())

    def _find(self, ask: Callable[[], int]) -> ClusterNode:
        """Request a node's id until there is one: the first request for a coordinator creates its topic."""
        deadline = time.monotonic() + _FIND_SECONDS
        while True:
            try:
                node_id = ask()
                if node_id > 0:
                    return self.nodes[node_id - 1]
                raise ProtocolError("there is no leader now")
            except OSError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(_POLL_SECONDS)

    def _advertise(self, listener: str, node_id: int, port: int) -> int:
        del node_id
        if listener != REPLICATION:
            return port
        return self._proxies.enter_context(KafkaProxy(port, self.markers)).port


def _answers(holds: Callable[[ClusterNode], bool], node: ClusterNode) -> bool:
    try:
        return holds(node)
    except OSError:
        return False
