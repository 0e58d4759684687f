"""Describes and creates the five topics, through aiokafka's admin client; `topic_rules` says what they should be.

A metadata request that names a missing topic makes the broker create it where `auto.create.topics.enable` is on, unless
the request forbids it, as all requests here do.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaError,
    NodeNotReadyError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.metadata import MetadataRequest

from openclaw_stream.errors import DeniedError, RetryableError, TopicError
from openclaw_stream.resilience.deadline import within
from openclaw_stream.settings import Settings, TopicSettings
from openclaw_stream.stream.kafka.connection import admin_client
from openclaw_stream.stream.kafka.topic_ids import topic_ids
from openclaw_stream.stream.kafka.topic_rules import (
    PartitionReplicas,
    Replication,
    TopicDescription,
    TopicDifference,
    compare_topics,
    topic_specs,
)

DEFAULT_PARTITIONS = 8
_VISIBLE_SECONDS, _VISIBLE_PAUSE = 15.0, 0.05
_BROKER_SECONDS = 2.0
_ASK_AGAIN = 7
_DENIED = {TopicAuthorizationFailedError.errno, ClusterAuthorizationFailedError.errno}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """What the worker needs to know of the alerts topic; `retention_ms` is -1 where records are never deleted.

    `topic_id` changes when the topic is deleted and created again; None where the brokers have no topic ids.
    """

    partitions: int
    log_append_time: bool
    retention_ms: int
    max_message_bytes: int
    topic_id: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class TopicReport:
    """What was found; `created` names the topics that were created now."""

    differences: tuple[TopicDifference, ...]
    facts: TopicFacts | None
    created: tuple[str, ...] = ()

    @property
    def fatal(self) -> bool:
        """Whether the worker refuses these topics."""
        return any(difference.fatal for difference in self.differences)

    @property
    def unrequested(self) -> bool:
        """Whether anything differs that was not asked for by an option."""
        return any(not difference.requested for difference in self.differences)

    def require(self) -> TopicFacts:
        """Return the facts of the alerts topic.

        Raises:
            TopicError: A difference is fatal; the message has a line for each.
        """
        fatal = [str(difference) for difference in self.differences if difference.fatal]
        if fatal or self.facts is None:
            raise TopicError("\n".join(fatal))
        return self.facts


@dataclass(frozen=True, slots=True)
class TopicListing:
    """Which of the named topics the brokers have: those to be seen, and those the user may not see.

    The brokers do not say whether a topic exists that the user may not see.
    """

    replicas: Mapping[str, Sequence[PartitionReplicas]]
    denied: tuple[str, ...]
    brokers: int


async def check_topics(settings: Settings, replication_factor: int | None = None) -> TopicReport:
    """Compare the topics with what they should be; changes nothing.

    Args:
        settings: Which brokers, and the topics' names.
        replication_factor: What was asked for instead of the recommended one.

    Raises:
        RetryableError: The brokers do not answer.
        DeniedError: The user may not see a topic, or not its settings; all of them are named.
    """
    topics = settings.topics
    async with admin_client(settings.kafka) as admin:
        found, brokers = await _describe(admin, topics, _needed(topics))
        topic_id = await _topic_id(admin, topics.alerts)
    return _report(topics, found, Replication(brokers, replication_factor), topic_id)


async def create_topics(
    settings: Settings, partitions: int | None = None, replication_factor: int | None = None
) -> TopicReport:
    """Create the topics that are missing, and return once every broker shows them; existing ones are not changed.

    Args:
        settings: Which brokers, and the topics' names.
        partitions: Of every new topic, but alerts and incidents always get the same number: where one of them exists,
            the other takes its number. By default 8.
        replication_factor: Of every new topic; by default 3, or as many as there are brokers.

    Raises:
        RetryableError: The brokers do not answer, or do not show a new topic in time.
        DeniedError: The user may not create a topic, see it, or see its settings.
        TopicError: The brokers refuse to create a topic.
    """
    topics = settings.topics
    needed = dict.fromkeys(_names(topics), "Describe")
    created: list[str] = []
    async with admin_client(settings.kafka) as admin:
        # The limit of the dead letters follows from that of the alerts topic, which must exist first.
        for names in ((topics.alerts, topics.decisions, topics.tuning, topics.incidents), (topics.dead_letter,)):
            found, brokers = await _describe(admin, topics, needed)
            replicas = Replication(brokers, replication_factor).wanted
            count, specs = _count_partitions(topics, found, partitions), topic_specs(topics, found)
            missing = [name for name in names if name not in found]
            new = [
                NewTopic(name, count[name], replicas, topic_configs=specs[name].new_settings(replicas))
                for name in missing
            ]
            await _create(admin, new)
            await _await_visible(admin, missing)
            created += missing
        found, brokers = await _describe(admin, topics, needed)
        topic_id = await _topic_id(admin, topics.alerts)
    report = _report(topics, found, Replication(brokers, replication_factor), topic_id)
    return TopicReport(report.differences, report.facts, tuple(created))


async def list_topics(admin: AIOKafkaAdminClient, names: Iterable[str], node: int | None = None) -> TopicListing:
    """Return which of these topics exist; creates none.

    Args:
        admin: A client that is started.
        names: The topics.
        node: The broker to ask; any by default.

    Raises:
        KafkaError: The broker does not answer.
        RetryableError: It cannot describe a topic.
    """
    request = MetadataRequest(list(names), allow_auto_topic_creation=False)
    if node is None:
        answer = await _ask_any(lambda: admin._send_request(request))  # noqa: SLF001 - the public call may create topics
    else:
        answer = await admin._send_request_to_node(node, request)  # noqa: SLF001
    replicas: dict[str, list[PartitionReplicas]] = {}
    denied = []
    for topic in answer.to_object()["topics"]:
        name, code = topic["topic"], topic["error_code"]
        if code == TopicAuthorizationFailedError.errno:
            denied.append(name)
        elif not code:
            replicas[name] = sorted(map(_replicas, topic["partitions"]), key=lambda each: each.partition)
        elif code != UnknownTopicOrPartitionError.errno:
            raise RetryableError(f"topic {name} cannot be described: {for_code(code).__name__}")
    return TopicListing(replicas, tuple(denied), len(answer.brokers))


async def _ask_any(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask once more where a broker is down: each time aiokafka chooses one at random, not knowing which are."""
    for _ in range(_ASK_AGAIN):
        with suppress(NodeNotReadyError):
            return await ask()
    return await ask()


def _replicas(partition: Mapping[str, Any]) -> PartitionReplicas:
    return PartitionReplicas(
        partition["partition"], partition["leader"], len(partition["replicas"]), len(partition["isr"])
    )


async def _topic_id(admin: AIOKafkaAdminClient, topic: str) -> str | None:
    client = admin._client  # noqa: SLF001 - the admin client has no call for it
    ids = await _ask_any(lambda: topic_ids(client, [topic]))
    return ids.get(topic)


def _names(topics: TopicSettings) -> list[str]:
    return [name for _, name in topics]


def _needed(topics: TopicSettings) -> dict[str, str]:
    """Return the right that the worker needs on each topic and that lets it see the topic."""
    return {name: "Read" if name in {topics.alerts, topics.incidents} else "Write" for name in _names(topics)}


def _report(
    topics: TopicSettings, found: Mapping[str, TopicDescription], replication: Replication, topic_id: str | None
) -> TopicReport:
    alerts = found.get(topics.alerts)
    differences = tuple(compare_topics(topics, found, replication))
    return TopicReport(differences, _facts(alerts, topic_id) if alerts else None)


def _facts(alerts: TopicDescription, topic_id: str | None) -> TopicFacts:
    expires = "delete" in alerts.settings["cleanup.policy"]
    return TopicFacts(
        partitions=alerts.partitions,
        log_append_time=alerts.settings["message.timestamp.type"] == "LogAppendTime",
        retention_ms=int(alerts.settings["retention.ms"]) if expires else -1,
        max_message_bytes=int(alerts.settings["max.message.bytes"]),
        topic_id=topic_id,
    )


async def _describe(
    admin: AIOKafkaAdminClient, topics: TopicSettings, needed: Mapping[str, str]
) -> tuple[dict[str, TopicDescription], int]:
    """Return the topics that exist, by name, and the number of brokers; `needed` names the right to see each topic.

    Raises:
        DeniedError: A right is missing, also that to see a topic's settings; it names all of them.
    """
    listing = await list_topics(admin, needed)
    denied: dict[str, list[str]] = {}
    for name in listing.denied:
        denied.setdefault(needed[name], []).append(name)
    settings: dict[str, Mapping[str, str]] = {}
    for name, code, message, entries in await _describe_settings(admin, [*listing.replicas, *listing.denied]):
        if code == TopicAuthorizationFailedError.errno:
            denied.setdefault("DescribeConfigs", []).append(name)
        elif not code:
            settings[name] = {entry[0]: entry[1] for entry in entries if entry[1] is not None}
        elif code != UnknownTopicOrPartitionError.errno:
            raise RetryableError(f"the settings of topic {name} cannot be read: {message or for_code(code).__name__}")
    if denied:
        raise _denied(denied)
    found = {
        name: TopicDescription(listing.replicas[name], settings[name]) for name in _names(topics) if name in settings
    }
    return found, listing.brokers


async def _describe_settings(
    admin: AIOKafkaAdminClient, names: Sequence[str]
) -> list[tuple[str, int, str, Sequence[tuple[str, str | None]]]]:
    """Return name, error code, error message and settings of each topic."""
    if not names:
        return []
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    responses = await _ask_any(lambda: admin.describe_configs(resources))
    return [
        (name, code, message, entries)
        for response in responses
        for code, message, _, name, entries in response.resources
    ]


def _denied(denied: Mapping[str, Sequence[str]]) -> DeniedError:
    """Return one error for the topics that lack each operation: `DescribeConfigs on topic a, b, Read on topic a`."""
    (operation, names), *others = sorted(denied.items())
    rest = [f"{other} on topic {', '.join(sorted(lacking))}" for other, lacking in others]
    return DeniedError(operation, ", ".join([f"topic {', '.join(sorted(names))}", *rest]))


def _count_partitions(
    topics: TopicSettings, found: Mapping[str, TopicDescription], wanted: int | None
) -> dict[str, int]:
    count = wanted or DEFAULT_PARTITIONS
    paired = next((found[name].partitions for name in (topics.alerts, topics.incidents) if name in found), count)
    everywhere = dict.fromkeys((topics.decisions, topics.tuning, topics.dead_letter), count)
    return {**everywhere, topics.alerts: paired, topics.incidents: paired}


async def _create(admin: AIOKafkaAdminClient, new: Sequence[NewTopic]) -> None:
    if not new:
        return
    response = await admin.create_topics(list(new))
    failures = {name: (code, message) for name, code, message in response.topic_errors if code}
    denied = [name for name, (code, _) in failures.items() if code in _DENIED]
    if denied:
        raise _denied({"Create": denied})
    refused = [
        f"topic {name}: cannot be created: {message or for_code(code).__name__}"
        for name, (code, message) in failures.items()
        if code != TopicAlreadyExistsError.errno
    ]
    if refused:
        raise TopicError("\n".join(refused))


async def _await_visible(admin: AIOKafkaAdminClient, names: Sequence[str]) -> None:
    """Wait until every broker shows the new topics: each learns of them from the controller at a time of its own."""
    deadline = time.monotonic() + _VISIBLE_SECONDS
    while names and (lacking := await _brokers_without(admin, names)):
        if time.monotonic() > deadline:
            shown = ", ".join(map(str, lacking))
            raise RetryableError(f"topics {', '.join(names)} were created, and not all brokers show them yet: {shown}")
        await asyncio.sleep(_VISIBLE_PAUSE)


async def _brokers_without(admin: AIOKafkaAdminClient, names: Sequence[str]) -> list[int]:
    await admin._client.force_metadata_update()  # noqa: SLF001 - there is no public call
    brokers = [broker.nodeId for broker in admin._client.cluster.brokers()]  # noqa: SLF001
    shown = await asyncio.gather(*(_shows(admin, broker, names) for broker in brokers))
    return [broker for broker, shows in zip(brokers, shown, strict=True) if not shows]


async def _shows(admin: AIOKafkaAdminClient, broker: int, names: Sequence[str]) -> bool:
    """Whether a broker has all partitions of these topics, and knows their leaders."""
    try:
        listing = await within(_BROKER_SECONDS, list_topics(admin, names, broker))
    except (KafkaError, RetryableError, TimeoutError, OSError):
        return False
    return set(names) <= set(listing.replicas) and all(
        each.leader >= 0 for replicas in listing.replicas.values() for each in replicas
    )
