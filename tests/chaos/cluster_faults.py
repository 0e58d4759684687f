"""The faults of the three-node scenario, see `faults`: of nodes, rights, the group and the topics.

Those of nodes, rights and partitions lock the cluster: each ends with every replica in sync.
"""

import random
import time
from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from openclaw_stream.embedded.cluster import ClusterNode
from tests.chaos.faults import THREE_NODES, Fault, fault
from tests.chaos.protocol import cluster_state
from tests.chaos.rights import WRITE_RIGHTS, Rights
from tests.chaos.testbed import Testbed, retry_until

_ADDED_MAX = 2
_LEADERLESS_SECONDS = 20


class ClusterFault(Fault):
    """A fault of the three-node scenario."""

    needs = "cluster"
    holds = ("cluster",)
    where = frozenset({THREE_NODES})


# ---- nodes


@fault
class RollingRestart(ClusterFault):
    """All nodes are restarted, one after another."""

    name = "rolling restart"

    def inject(self, testbed: Testbed, r: random.Random) -> bool:
        cluster = testbed.servers.cluster
        for node in r.sample(cluster.nodes, len(cluster.nodes)):
            node.restart()
            cluster.await_in_sync()
        return True


class KilledNode(ClusterFault):
    """A node crashes and comes back."""

    def inject(self, testbed: Testbed, r: random.Random) -> bool:
        node = self._choose(testbed, r)
        node.kill()
        time.sleep(r.uniform(0, 6))
        node.start()
        testbed.servers.cluster.await_in_sync()
        return True

    @abstractmethod
    def _choose(self, testbed: Testbed, r: random.Random) -> ClusterNode:
        """Return the node to kill."""


@fault
class KilledGroupCoordinator(KilledNode):
    """The node that coordinates the consumer group crashes."""

    name = "group coordinator kill -9"

    def _choose(self, testbed: Testbed, r: random.Random) -> ClusterNode:
        del r
        return testbed.servers.cluster.group_coordinator(testbed.run.group_id)


@fault
class KilledTransactionCoordinator(KilledNode):
    """The node that coordinates the transactions of a partition's producer crashes."""

    name = "transaction coordinator kill -9"

    def _choose(self, testbed: Testbed, r: random.Random) -> ClusterNode:
        run = testbed.run
        partition = r.randrange(run.partitions)
        return testbed.servers.cluster.transaction_coordinator(f"{run.group_id}-{run.topics['alerts']}-{partition}")


@fault
class KilledAlertsLeader(KilledNode):
    """The leader of a partition of the alerts crashes."""

    name = "alerts leader kill -9"

    def _choose(self, testbed: Testbed, r: random.Random) -> ClusterNode:
        return testbed.servers.cluster.leader(testbed.run.topics["alerts"], r.randrange(testbed.run.partitions))


@fault
class KilledOutputLeader(KilledNode):
    """The leader of a partition of the incidents or the decisions crashes."""

    name = "output leader kill -9"

    def _choose(self, testbed: Testbed, r: random.Random) -> ClusterNode:
        topics = [testbed.run.topics[kind] for kind in ("incidents", "decisions")]
        partitions = [each for each in cluster_state(testbed.run.bootstrap).partitions if each[0] in topics]
        return testbed.servers.cluster.leader(*r.choice(sorted(partitions)))


@fault
class BelowMinIsr(ClusterFault):
    """Two of three nodes crash: nothing can be written, and no leader elected, until one is back."""

    name = "below min ISR"

    def inject(self, testbed: Testbed, r: random.Random) -> bool:
        cluster = testbed.servers.cluster
        first, second = r.sample(cluster.nodes, 2)
        first.kill()
        second.kill()
        time.sleep(r.uniform(2, 8))
        first.start()
        time.sleep(r.uniform(0, 4))
        second.start()
        cluster.await_in_sync()
        return True


@fault
class FrozenNode(ClusterFault):
    """A node keeps its connections and does not respond."""

    name = "node SIGSTOP"

    def inject(self, testbed: Testbed, r: random.Random) -> bool:
        node = r.choice(testbed.servers.cluster.nodes)
        node.pause()
        try:
            time.sleep(r.uniform(3, 15))
        finally:
            node.resume()
        testbed.servers.cluster.await_in_sync()
        return True


# ---- rights


@fault
class RevokedRight(ClusterFault):
    """The right to write to one output is revoked and granted, while transaction markers are delayed."""

    name = "right revoked"

    def inject(self, testbed: Testbed, r: random.Random) -> bool:
        rights, markers = Rights(testbed.run), testbed.servers.cluster.markers
        for _ in range(r.randrange(2, 5)):
            markers.seconds = r.uniform(0.3, 1)
            try:
                with rights.revoked(r.choice(WRITE_RIGHTS)):
                    time.sleep(r.uniform(1, 6))
            finally:
                markers.seconds = 0
            time.sleep(r.uniform(0, 2))
        return True


# ---- the group and the topics


@fault
class ForeignMember(ClusterFault):
    """Another program joins the consumer group, reads some partitions, and commits nothing."""

    name = "foreign member"
    holds = ("foreign",)
    _configuration: ClassVar[Mapping[str, str | int | bool]] = {
        "partition.assignment.strategy": "roundrobin",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "session.timeout.ms": 6000,
        "socket.timeout.ms": 5000,
        "log_level": 0,
    }

    def inject(self, testbed: Testbed, r: random.Random) -> bool:
        coordinates = {"bootstrap.servers": testbed.run.bootstrap, "group.id": testbed.run.group_id}
        consumer = Consumer({**coordinates, **self._configuration})
        try:
            consumer.subscribe([testbed.run.topics["alerts"]])
            joined = retry_until(lambda: _assigned(consumer), _LEADERLESS_SECONDS)
            ends = time.monotonic() + r.uniform(2, 8)
            while joined and time.monotonic() < ends:
                consumer.poll(0.1)
        finally:
            consumer.close()
        return joined


def _assigned(consumer: Consumer) -> bool:
    consumer.poll(0.1)
    return bool(consumer.assignment())


@fault
class AddedPartitions(ClusterFault):
    """The incidents and the alerts get one more partition, and alerts are produced to it."""

    name = "partition added"

    def inject(self, testbed: Testbed, r: random.Random) -> bool:
        del r
        run = testbed.run
        if run.partitions >= testbed.first_partitions + _ADDED_MAX:
            return False
        admin = AdminClient({"bootstrap.servers": run.bootstrap, "log_level": 0})
        for kind in ("incidents", "alerts"):
            [done] = admin.create_partitions([NewPartitions(run.topics[kind], run.partitions + 1)]).values()
            done.result(30)
            testbed.servers.cluster.await_partition(run.topics[kind], run.partitions)
        testbed.add_partition()
        return True
