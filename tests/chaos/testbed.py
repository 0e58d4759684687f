"""The testbed of one scenario: shared servers, its own topics, the workers, and the producers' clock."""

import contextlib
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from openclaw_stream.embedded import EmbeddedKafka, EmbeddedValkey
from tests.chaos.cluster import Cluster
from tests.chaos.fleet import Fleet
from tests.chaos.journal import Reset, Run
from tests.chaos.offsets import committed_offsets
from tests.chaos.upstreams import Model, SigNoz, Upstream

HOLD_SECONDS = 2.0
DEFAULT_SESSION_SECONDS = 10.0
_LIMIT = 1_048_588
_DEAD_LETTER_ROOM = 65_536
_UNCOMPACTED = {"cleanup.policy": "delete", "retention.ms": "-1"}
_FORCED_COMPACTION = {
    "cleanup.policy": "compact",
    "min.cleanable.dirty.ratio": "0.001",
    "segment.ms": "1000",
    "segment.bytes": "1048576",
    "min.compaction.lag.ms": "0",
    "max.compaction.lag.ms": "1000",
}
SETTINGS = {
    "OPENCLAW_GROUP_WAIT": "0.5",
    "OPENCLAW_GROUP_WAIT_CRITICAL": "0.2",
    "OPENCLAW_GROUP_INTERVAL": "0.2",
    "OPENCLAW_RESOLVE_HOLD": str(HOLD_SECONDS),
    "OPENCLAW_MAX_SILENCE": "86400",
    "OPENCLAW_COMMIT_INTERVAL": "0.5",
    "KAFKA_SESSION_TIMEOUT": "3",
    "KAFKA_TRANSACTION_TIMEOUT": "6",
    "OPENCLAW_LANGUAGE": "en",
    "OPENCLAW_LOG_LEVEL": "info",
}


@dataclass(frozen=True, slots=True)
class Servers:
    """The servers of all scenarios; a fault whose server is missing is left out."""

    kafka: EmbeddedKafka | Cluster
    valkey: EmbeddedValkey | None = None
    others: Mapping[str, Upstream] = field(default_factory=dict)
    """The HTTP servers that workers call, by name."""

    def has(self, name: str) -> bool:
        """Return whether the server `name` exists."""
        match name:
            case "":
                return True
            case "broker" | "cluster":
                return isinstance(self.kafka, Cluster) is (name == "cluster")
            case "valkey":
                return self.valkey is not None
        return name in self.others

    @property
    def broker(self) -> EmbeddedKafka:
        """The only broker, for faults that need `broker`."""
        assert isinstance(self.kafka, EmbeddedKafka)
        return self.kafka

    @property
    def cluster(self) -> Cluster:
        """The three nodes, for faults that need `cluster`."""
        assert isinstance(self.kafka, Cluster)
        return self.kafka

    @property
    def replicas(self) -> int:
        """How many replicas a topic has."""
        return self.kafka.replicas if isinstance(self.kafka, Cluster) else 1

    @property
    def environment(self) -> dict[str, str]:
        """The workers' settings for these servers."""
        found = {"KAFKA_BOOTSTRAP_SERVERS": self.kafka.bootstrap_servers}
        if isinstance(self.kafka, Cluster):
            found |= self.kafka.environment
        if self.valkey:
            found["REDIS_URL"] = self.valkey.url
        for server in self.others.values():
            found |= server.environment
        return found


@contextlib.contextmanager
def servers() -> Iterator[Servers]:
    """Start all servers that workers depend on."""
    with EmbeddedKafka() as kafka, EmbeddedValkey() as valkey, Model() as model, SigNoz() as signoz:
        yield Servers(kafka, valkey, {"LLM": model, "SigNoz": signoz})


@contextlib.contextmanager
def cluster_servers() -> Iterator[Servers]:
    """Start three nodes and no other server: the rules decide, so that only Kafka can delay decisions."""
    with Cluster() as cluster:
        yield Servers(cluster)


class Testbed:
    """Topics, consumer group and workers of one scenario."""

    def __init__(  # noqa: PLR0913 - the options of a scenario
        self,
        servers: Servers,
        folder: Path,
        seed: int,
        *,
        partitions: int = 4,
        create_time: bool = False,
        compacted: bool = False,
        settings: Mapping[str, str] | None = None,
        module: tuple[str, ...] = ("openclaw_stream", "run"),
    ) -> None:
        name = f"chaos-{uuid.uuid4().hex[:8]}"
        kinds = ("alerts", "decisions", "tuning", "incidents", "dead_letter")
        topics = {kind: f"{name}.{kind}" for kind in kinds}
        bootstrap = servers.kafka.bootstrap_servers
        self.run = Run(seed, bootstrap, name, topics, partitions, int(HOLD_SECONDS * 1000), compacted)
        self.servers = servers
        self.folder = folder
        self.create_time = create_time
        self.skew = 0.0
        """Offset of the producers' clocks in seconds, on a topic with CreateTime."""
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)
        named = {f"OPENCLAW_TOPIC_{kind.upper()}": topic for kind, topic in topics.items()}
        environment = {**SETTINGS, **(settings or {}), **named, **servers.environment, "KAFKA_GROUP_ID": name}
        self.fleet = Fleet(folder, environment, module)
        self.session_seconds = float(environment["KAFKA_SESSION_TIMEOUT"] or DEFAULT_SESSION_SECONDS)
        """How long a worker may freeze until the group goes on without it."""
        self.first_partitions = partitions
        """How many partitions the alerts had at first."""
        self.on_new_partition: list[Callable[[], None]] = []
        """Called after a partition was added to the alerts."""

    def create(self) -> None:
        """Create the topics."""
        kinds = self.topic_configs()
        new = [NewTopic(self.run.topics[k], self.run.partitions, self.servers.replicas, config=kinds[k]) for k in kinds]
        admin = AdminClient({"bootstrap.servers": self.run.bootstrap, "log_level": 0})
        for done in admin.create_topics(new).values():
            done.result(30)

    def topic_configs(self) -> dict[str, dict[str, str]]:
        """Return the configuration of each kind of topic."""
        stamp = "CreateTime" if self.create_time else "LogAppendTime"
        limit = {"max.message.bytes": str(_LIMIT)}
        return {
            "alerts": {"message.timestamp.type": stamp, "retention.ms": "-1", **limit},
            "decisions": {},
            "tuning": {},
            "incidents": _FORCED_COMPACTION if self.run.compacted else _UNCOMPACTED,
            "dead_letter": {"max.message.bytes": str(_LIMIT + _DEAD_LETTER_ROOM)},
        }

    @contextlib.contextmanager
    def hold(self, *resources: str) -> Iterator[bool]:
        """Lock resources for one fault; yields False if another fault has locked one of them."""
        with contextlib.ExitStack() as held:
            for resource in sorted(resources):
                if not self._locks[resource].acquire(blocking=False):
                    yield False
                    return
                held.callback(self._locks[resource].release)
            yield True

    # ---- observed from outside

    def ends(self, kind: str = "alerts") -> dict[int, int]:
        """Return the ends of a topic."""
        reader = Consumer({"bootstrap.servers": self.run.bootstrap, "group.id": "chaos-ends", "log_level": 0})
        try:
            topic = self.run.topics[kind]
            # Only alerts and incidents may have got more partitions than there were at first.
            partitions = self.run.partitions if kind in {"alerts", "incidents"} else self.first_partitions
            return {p: reader.get_watermark_offsets(TopicPartition(topic, p), 15)[1] for p in range(partitions)}
        finally:
            reader.close()

    def note_resets(self, resets: list[Reset]) -> None:
        """Record resets for the verifier, before they are done."""
        self.run.resets += resets
        self.run.save(self.folder)

    def add_partition(self) -> None:
        """Produce to one more partition, which the topics already have."""
        self.run.partitions += 1
        self.run.save(self.folder)
        for follow in self.on_new_partition:
            follow()

    def settle(self, seconds: float) -> bool:
        """Wait until everything is read and decided, and no more decisions follow; returns False after `seconds`."""
        deadline = time.monotonic() + seconds
        quiet_since, last = time.monotonic(), -1
        while time.monotonic() < deadline:
            try:
                now, idle = sum(self.ends("decisions").values()), committed_offsets(self.run) == self.ends()
            except (KafkaException, OSError):
                now, idle = -1, False
            if not idle or now != last:
                quiet_since, last = time.monotonic(), now
            elif time.monotonic() - quiet_since > HOLD_SECONDS + 4:
                return True
            time.sleep(0.5)
        return False


def retry_until(action: Callable[[], bool], seconds: float) -> bool:
    """Repeat an action until it returns True, for at most `seconds`; returns whether it did."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if action():
            return True
        time.sleep(0.3)
    return False
