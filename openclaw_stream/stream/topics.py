"""The five topics: what they must be, making those that are missing, naming every difference.

aiokafka's admin client does all of it. Topics are always listed, never asked for by name: a metadata request that names
a missing topic makes the broker create it where `auto.create.topics.enable` is on.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code

from openclaw_stream.errors import RetryableError, TopicError
from openclaw_stream.settings import Settings, TopicSettings
from openclaw_stream.stream.client import admin_client

DEAD_LETTER_ROOM = 64 * 1024
"""Bytes a dead letter may be larger than its record: the headers it gains."""

DEFAULT_PARTITIONS = 8
_DEFAULT_REPLICAS = 3
_VISIBLE_TRIES, _VISIBLE_PAUSE = 200, 0.05


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as the brokers describe it; `settings` holds the effective ones, defaults included."""

    partitions: int
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """What the worker needs to know of the alerts topic; `retention_ms` is -1 where records are kept for ever."""

    partitions: int
    log_append_time: bool
    retention_ms: int
    max_message_bytes: int


@dataclass(frozen=True, slots=True)
class Difference:
    """How a topic is otherwise than it should be, and what mends it; `fatal` if the worker refuses it."""

    topic: str
    what: str
    remedy: str
    fatal: bool

    def __str__(self) -> str:
        """Return one sentence for people."""
        return f"topic {self.topic}: {self.what}; {self.remedy}"


@dataclass(frozen=True, slots=True)
class TopicReport:
    """What was found; `created` names the topics made just now."""

    differences: tuple[Difference, ...]
    facts: TopicFacts | None
    created: tuple[str, ...] = ()

    def require(self) -> TopicFacts:
        """Return the facts of the alerts topic.

        Raises:
            TopicError: A difference is fatal; the message has a line for each.
        """
        fatal = [str(difference) for difference in self.differences if difference.fatal]
        if fatal or self.facts is None:
            raise TopicError("\n".join(fatal))
        return self.facts


async def check_topics(settings: Settings) -> TopicReport:
    """Compare the topics with what they must be; changes nothing.

    Raises:
        RetryableError: The brokers do not answer.
        TopicError: The user may not read a topic's settings.
    """
    async with admin_client(settings.kafka) as admin:
        return _report(settings.topics, await _describe(admin, settings.topics))


async def create_topics(
    settings: Settings, partitions: int | None = None, replication_factor: int | None = None
) -> TopicReport:
    """Create the topics that are missing; one that is there is never changed.

    Args:
        settings: Which brokers, and the topics' names.
        partitions: Of every new topic, but the incidents topic always takes the number of the alerts topic (and the
            other way round where only the incidents topic is there). By default 8.
        replication_factor: Of every new topic; by default 3, or as many as there are brokers.

    Raises:
        RetryableError: The brokers do not answer.
        TopicError: The brokers refuse, or the user may not create a topic or read its settings.
    """
    topics = settings.topics
    created: list[str] = []
    async with admin_client(settings.kafka) as admin:
        replicas = replication_factor or await _default_replicas(admin)
        # The limit of the dead letters follows from that of the alerts topic, which must be there first.
        for names in ((topics.alerts, topics.decisions, topics.tuning, topics.incidents), (topics.dead_letter,)):
            found = await _describe(admin, topics)
            count = _count_partitions(topics, found, partitions)
            specs = _specify(topics, found)
            missing = [name for name in names if name not in found]
            await _create(admin, [NewTopic(n, count[n], replicas, topic_configs=specs[n]) for n in missing])
            await _await_visible(admin, missing)
            created += missing
        found = await _describe(admin, topics)
    report = _report(topics, found)
    return TopicReport(report.differences, report.facts, tuple(created))


def compare(topics: TopicSettings, found: Mapping[str, Topic]) -> Iterator[Difference]:
    """Yield every difference between the topics that were found and what they must be."""
    for name, wanted in _specify(topics, found).items():
        topic = found.get(name)
        if topic is None:
            remedy = "`openclaw-stream topics create` makes it (or the user lacks DESCRIBE on it)"
            yield Difference(name, "it is missing", remedy, fatal=True)
            continue
        for key, value in wanted.items():
            actual = topic.settings.get(key, "")
            if key == "max.message.bytes":
                if int(actual) < int(value):
                    yield _differing(name, key, actual, f"at least {value}", value, fatal=True)
            elif not _equal(actual, value):
                yield _differing(name, key, actual, value, value, fatal=False)
    yield from _compare_partitions(topics, found)


def _compare_partitions(topics: TopicSettings, found: Mapping[str, Topic]) -> Iterator[Difference]:
    if topics.alerts in found and topics.incidents in found:
        alerts, incidents = found[topics.alerts].partitions, found[topics.incidents].partitions
        if alerts != incidents:
            smaller = topics.incidents if incidents < alerts else topics.alerts
            yield Difference(
                topics.incidents,
                f"it has {incidents} partitions and {topics.alerts} has {alerts}, which must be equal",
                f"kafka-topics.sh --alter --topic {smaller} --partitions {max(alerts, incidents)}",
                fatal=True,
            )


def _differing(topic: str, key: str, actual: str, wanted: str, value: str, *, fatal: bool) -> Difference:
    remedy = f"kafka-configs.sh --alter --topic {topic} --add-config {key}={value}"
    return Difference(topic, f"{key} is {actual}, and should be {wanted}", remedy, fatal=fatal)


def _equal(actual: str, wanted: str) -> bool:
    try:
        return float(actual) == float(wanted)
    except ValueError:
        return actual == wanted


def _specify(topics: TopicSettings, found: Mapping[str, Topic]) -> dict[str, dict[str, str]]:
    """Return the settings each topic must have, by its name."""
    room = {}
    if topics.alerts in found:
        limit = _facts(found[topics.alerts]).max_message_bytes + DEAD_LETTER_ROOM
        room = {"max.message.bytes": str(limit)}
    return {
        topics.alerts: {"message.timestamp.type": "LogAppendTime", "cleanup.policy": "delete"},
        topics.decisions: {},
        topics.tuning: {},
        topics.incidents: {
            "cleanup.policy": "compact",
            "segment.bytes": str(32 << 20),
            "min.cleanable.dirty.ratio": "0.1",
            "max.compaction.lag.ms": "600000",
        },
        topics.dead_letter: room,
    }


def _count_partitions(topics: TopicSettings, found: Mapping[str, Topic], wanted: int | None) -> dict[str, int]:
    count = wanted or DEFAULT_PARTITIONS
    paired = next((found[name].partitions for name in (topics.alerts, topics.incidents) if name in found), count)
    everywhere = dict.fromkeys((topics.decisions, topics.tuning, topics.dead_letter), count)
    return {**everywhere, topics.alerts: paired, topics.incidents: paired}


def _report(topics: TopicSettings, found: Mapping[str, Topic]) -> TopicReport:
    alerts = found.get(topics.alerts)
    return TopicReport(tuple(compare(topics, found)), _facts(alerts) if alerts else None)


def _facts(alerts: Topic) -> TopicFacts:
    expires = "delete" in alerts.settings["cleanup.policy"]
    return TopicFacts(
        partitions=alerts.partitions,
        log_append_time=alerts.settings["message.timestamp.type"] == "LogAppendTime",
        retention_ms=int(alerts.settings["retention.ms"]) if expires else -1,
        max_message_bytes=int(alerts.settings["max.message.bytes"]),
    )


async def _describe(admin: AIOKafkaAdminClient, topics: TopicSettings) -> dict[str, Topic]:
    """Return the topics that are there, by name."""
    partitions = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics()}
    names = [name for _, name in topics if name in partitions]
    if not names:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    found = {}
    for response in await admin.describe_configs(resources):
        for code, message, _, name, entries in response.resources:
            error = for_code(code)
            if error is UnknownTopicOrPartitionError:
                continue
            if code:
                raise TopicError(
                    f"topic {name}: its settings cannot be read ({error.__name__}: {message}); "
                    "the user needs DESCRIBE_CONFIGS on it"
                )
            found[name] = Topic(partitions[name], {entry[0]: entry[1] for entry in entries})
    return found


async def _create(admin: AIOKafkaAdminClient, new: Sequence[NewTopic]) -> None:
    if not new:
        return
    response = await admin.create_topics(list(new))
    refused = [
        f"topic {name}: Kafka does not create it: {message or for_code(code).__name__}"
        for name, code, message in response.topic_errors
        if code not in {0, TopicAlreadyExistsError.errno}
    ]
    if refused:
        raise TopicError("\n".join(refused))


async def _await_visible(admin: AIOKafkaAdminClient, names: Sequence[str]) -> None:
    """Wait until any broker may be asked for the new topics: it learns of them a moment after the controller."""
    for _ in range(_VISIBLE_TRIES):
        if set(names) <= set(await admin.list_topics()):
            return
        await asyncio.sleep(_VISIBLE_PAUSE)
    raise RetryableError(f"the brokers do not show the new topics yet: {', '.join(names)}")


async def _default_replicas(admin: AIOKafkaAdminClient) -> int:
    cluster = await admin.describe_cluster()
    return min(_DEFAULT_REPLICAS, len(cluster["brokers"]))
