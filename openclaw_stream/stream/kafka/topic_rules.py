"""Recommended configuration of the five topics, and the differences of existing ones from it.

Pure. A difference is fatal where the worker would lose data or could write nothing; all others are logged, and the
worker starts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from openclaw_stream.events.size_limit import EVENT_BYTES
from openclaw_stream.settings import TopicSettings

DEAD_LETTER_OVERHEAD = 64 * 1024
"""Bytes by which a dead letter may be larger than its record: its additional headers."""
DECISION_BYTES = EVENT_BYTES + 8 * 1024
"""The largest decision with its key, headers and the frame of a batch."""
TUNING_BYTES = 64 * 1024
STATE_BYTES = 128 * 1024
"""The largest group state without exemplars and judgement; a refused state is sent again without them."""
FULL_STATE_BYTES = 4 * 1024 * 1024
"""The largest group state: 16 exemplars of 130 KB each, of alerts with 32 labels of maximum length."""
_DEFAULT_BYTES = 1048588
"""Kafka's default of `max.message.bytes`; a cluster may set a smaller one."""

RECOMMENDED_REPLICAS = 3
RECOMMENDED_IN_SYNC = 2
_PARTITIONS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class PartitionReplicas:
    """One partition as a broker describes it; `leader` is -1 where there is none, `in_sync` counts the leader."""

    partition: int
    leader: int
    count: int
    in_sync: int


@dataclass(frozen=True, slots=True)
class TopicDescription:
    """A topic as the brokers describe it; `settings` holds the effective ones, defaults included."""

    replicas: Sequence[PartitionReplicas]
    settings: Mapping[str, str]

    @property
    def partitions(self) -> int:
        """The number of partitions."""
        return len(self.replicas)

    @property
    def replication_factor(self) -> int:
        """The number of replicas of the partition with the fewest."""
        return min((partition.count for partition in self.replicas), default=0)


@dataclass(frozen=True, slots=True)
class Replication:
    """Replication for a cluster: the number of its brokers, and the replication factor requested by an option."""

    brokers: int
    requested: int | None = None

    @property
    def recommended(self) -> int:
        """Three replicas, or as many as there are brokers."""
        return min(RECOMMENDED_REPLICAS, self.brokers)

    @property
    def wanted(self) -> int:
        """The replication factor of a new topic."""
        return self.requested or self.recommended


@dataclass(frozen=True, slots=True)
class TopicDifference:
    """A difference of a topic from its recommended configuration, and the command or action that corrects it.

    `fatal` if the worker does not start with it, `requested` if an option requested it.
    """

    topic: str
    what: str
    remedy: str
    fatal: bool = False
    requested: bool = False

    def __str__(self) -> str:
        """Return the difference as one line for logs and terminals."""
        return f"topic {self.topic}: {self.what}; {self.remedy}"


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """Recommended configuration of one topic.

    Attributes:
        policy: Its `cleanup.policy`.
        settings: Further settings, by name.
        policy_cost: The consequence of another cleanup policy.
        policy_fatal: Whether the worker refuses a compacted topic.
        min_bytes: The smallest `max.message.bytes` that the worker accepts; 0 for any.
        full_bytes: The smallest one with which no record is shortened, where that is more.
        largest: The record that may have as many bytes, for messages.
    """

    policy: str
    policy_cost: str
    settings: Mapping[str, str] = field(default_factory=dict)
    policy_fatal: bool = False
    min_bytes: int = 0
    full_bytes: int = 0
    largest: str = ""

    def new_settings(self, replication_factor: int) -> dict[str, str]:
        """Return the settings to create the topic with."""
        in_sync = RECOMMENDED_IN_SYNC if replication_factor >= RECOMMENDED_REPLICAS else 1
        size = {"max.message.bytes": str(max(self.min_bytes, self.full_bytes, _DEFAULT_BYTES))}
        size = size if self.min_bytes else {}
        return {"cleanup.policy": self.policy, "min.insync.replicas": str(in_sync), **self.settings, **size}


def topic_specs(topics: TopicSettings, found: Mapping[str, TopicDescription]) -> dict[str, TopicSpec]:
    """Return the recommended configuration of each topic, by name; that of dead letters depends on the alerts topic."""
    alerts = found.get(topics.alerts)
    dead_bytes = int(alerts.settings["max.message.bytes"]) + DEAD_LETTER_OVERHEAD if alerts else 0
    return {
        topics.alerts: TopicSpec(
            "delete",
            "compaction removes alerts before they are read and refuses those without a key",
            {"message.timestamp.type": "LogAppendTime"},
        ),
        topics.decisions: TopicSpec(
            "delete",
            "compaction keeps only the newest decision of an incident",
            min_bytes=DECISION_BYTES,
            largest="a decision",
        ),
        topics.tuning: TopicSpec(
            "delete",
            "compaction keeps only the newest tuning event of an incident",
            min_bytes=TUNING_BYTES,
            largest="a tuning event",
        ),
        topics.incidents: TopicSpec(
            "compact",
            "states that retention deletes are lost, and the topic grows without compaction",
            {"segment.bytes": str(32 << 20), "min.cleanable.dirty.ratio": "0.1", "max.compaction.lag.ms": "600000"},
            min_bytes=STATE_BYTES,
            full_bytes=FULL_STATE_BYTES,
            largest="a group state",
        ),
        topics.dead_letter: TopicSpec(
            "delete",
            "a compacted topic refuses records without a key",
            policy_fatal=True,
            min_bytes=dead_bytes,
            largest="a dead letter",
        ),
    }


def compare_topics(
    topics: TopicSettings, found: Mapping[str, TopicDescription], replication: Replication
) -> Iterator[TopicDifference]:
    """Yield every difference between the topics found and their recommended configuration."""
    for name, spec in topic_specs(topics, found).items():
        topic = found.get(name)
        if topic is None:
            yield TopicDifference(name, "it is missing", "`openclaw-stream topics create` creates it", fatal=True)
            continue
        yield from _compare_policy(name, topic, spec)
        yield from _compare_settings(name, topic, spec)
        yield from _compare_size(name, topic, spec)
        yield from _compare_replication(name, topic, replication)
        yield from _compare_in_sync(name, topic)
    yield from _compare_partitions(topics, found)


def _compare_policy(name: str, topic: TopicDescription, spec: TopicSpec) -> Iterator[TopicDifference]:
    actual = topic.settings.get("cleanup.policy", spec.policy)
    if actual != spec.policy:
        what = f"cleanup.policy is {actual or 'empty'}, and should be {spec.policy}: {spec.policy_cost}"
        fatal = spec.policy_fatal and "compact" in actual
        yield TopicDifference(name, what, _alter(name, "cleanup.policy", spec.policy), fatal)


def _compare_settings(name: str, topic: TopicDescription, spec: TopicSpec) -> Iterator[TopicDifference]:
    for key, wanted in spec.settings.items():
        actual = topic.settings.get(key, wanted)
        if not _equal(actual, wanted):
            yield TopicDifference(name, f"{key} is {actual}, and should be {wanted}", _alter(name, key, wanted))


def _compare_size(name: str, topic: TopicDescription, spec: TopicSpec) -> Iterator[TopicDifference]:
    key = "max.message.bytes"
    actual, wanted = int(topic.settings[key]), max(spec.min_bytes, spec.full_bytes)
    if actual < wanted:
        fatal = actual < spec.min_bytes
        cost = f"{spec.largest} can be larger" if fatal else f"{spec.largest} that is larger loses its exemplars"
        what = f"{key} is {actual}, and should be at least {wanted}: {cost}"
        yield TopicDifference(name, what, _alter(name, key, str(wanted)), fatal)


def _compare_replication(name: str, topic: TopicDescription, replication: Replication) -> Iterator[TopicDifference]:
    actual, wanted = topic.replication_factor, replication.recommended
    if actual < wanted:
        requested = replication.requested is not None and actual >= replication.requested
        what = f"its replication factor is {actual}, and {wanted} is recommended: a broker that fails takes its records"
        remedy = "--replication-factor requests it" if requested else "kafka-reassign-partitions.sh adds replicas"
        yield TopicDifference(name, what, remedy, requested=requested)


def _compare_in_sync(name: str, topic: TopicDescription) -> Iterator[TopicDifference]:
    key = "min.insync.replicas"
    least, replicas = int(topic.settings.get(key, 1)), topic.replication_factor
    wanted = RECOMMENDED_IN_SYNC if replicas >= RECOMMENDED_REPLICAS else 1
    if least > replicas:
        what = f"{key} is {least}, and its replication factor is {replicas}: nothing can be written"
        yield TopicDifference(name, what, _alter(name, key, str(wanted)), fatal=True)
    elif replicas >= RECOMMENDED_REPLICAS and least < RECOMMENDED_IN_SYNC:
        what = f"{key} is {least}, and should be {wanted}: a record is acknowledged when only one broker has it"
        yield TopicDifference(name, what, _alter(name, key, str(wanted)))
    elif replicas >= RECOMMENDED_REPLICAS and least == replicas:
        what = f"{key} is {least}, and should be {wanted}: nothing can be written while one broker is down"
        yield TopicDifference(name, what, _alter(name, key, str(wanted)))
    yield from _compare_health(name, topic, min(least, replicas))


def _compare_health(name: str, topic: TopicDescription, least: int) -> Iterator[TopicDifference]:
    """Yield temporary differences: partitions that cannot be written now."""
    leaderless = [each.partition for each in topic.replicas if each.leader < 0]
    below = [each.partition for each in topic.replicas if each.leader >= 0 and each.in_sync < least]
    remedy = "start the brokers that are down"
    if leaderless:
        yield TopicDifference(name, f"{_numbers(leaderless)} without a leader: cannot be read or written", remedy)
    if below:
        what = f"{_numbers(below)} with fewer in-sync replicas than min.insync.replicas ({least}): cannot be written"
        yield TopicDifference(name, what, remedy)


def _compare_partitions(topics: TopicSettings, found: Mapping[str, TopicDescription]) -> Iterator[TopicDifference]:
    if topics.alerts not in found or topics.incidents not in found:
        return
    alerts, incidents = found[topics.alerts].partitions, found[topics.incidents].partitions
    if alerts != incidents:
        smaller = topics.incidents if incidents < alerts else topics.alerts
        yield TopicDifference(
            topics.incidents,
            f"it has {incidents} partitions and {topics.alerts} has {alerts}, which must be equal",
            f"kafka-topics.sh --alter --topic {smaller} --partitions {max(alerts, incidents)}",
            fatal=True,
        )


def _numbers(partitions: Sequence[int]) -> str:
    shown = ", ".join(map(str, partitions[:_PARTITIONS_SHOWN]))
    more = f" and {len(partitions) - _PARTITIONS_SHOWN} more" if len(partitions) > _PARTITIONS_SHOWN else ""
    return f"partition{'s' if len(partitions) > 1 else ''} {shown}{more}"


def _alter(topic: str, key: str, value: str) -> str:
    return f"kafka-configs.sh --alter --topic {topic} --add-config {key}={value}"


def _equal(actual: str, wanted: str) -> bool:
    try:
        return float(actual) == float(wanted)
    except ValueError:
        return actual == wanted
