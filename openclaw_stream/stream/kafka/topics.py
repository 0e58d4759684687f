"""Describes and creates the five topics, through aiokafka's admin client; `topic_rules` has their configuration.

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
_BROKER_ATTEMPTS = 7
_DENIED = {TopicAuthorizationFailedError.errno, ClusterAuthorizationFailedError.errno}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """Properties of the alerts topic; `retention_ms` is -1 where records are never deleted.

    `topic_id` changes when the topic is deleted and recreated; None where the brokers have no topic ids.
    """

    partitions: int
    log_append_time: bool
    retention_ms: int
    max_message_bytes: int
    topic_id: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class TopicReport:
    """Differences and facts of the topics; `created` has the names of topics created by this call."""

    differences: tuple[TopicDifference, ...]
    facts: TopicFacts | None
    created: tuple[str, ...] = ()

    @property
    def fatal(self) -> bool:
        """Whether the worker refuses these topics."""
        return any(difference.fatal for difference in self.differences)

    @property
    def unrequested(self) -> bool:
        """Whether there is a difference that no option requested."""
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
    """The requested topics that exist, and those that the user may not describe.

    The brokers do not reveal whether a topic exists that the user may not describe.
    """

    replicas: Mapping[str, Sequence[PartitionReplicas]]
    denied: tuple[str, ...]
    brokers: int


async def check_topics(settings: Settings, replication_factor: int | None = None) -> TopicReport:
    """Compare the topics with their recommended configuration; changes nothing.

    Args:
        settings: Which brokers, and the topics' names.
        replication_factor: Requested instead of the recommended one.

    Raises:
        RetryableError: The brokers do not answer.
        DeniedError: The user may not describe a topic, or not its settings; the message names all of them.
    """
    topics = settings.topics
    async with admin_client(settings.kafka) as admin:
        found, brokers = await _describe(admin, topics, _worker_operations(topics))
        topic_id = await _topic_id(admin, topics.alerts)
    return _report(topics, found, Replication(brokers, replication_factor), topic_id)


async def create_topics(
    settings: Settings, partitions: int | None = None, replication_factor: int | None = None
) -> TopicReport:
    """Create the missing topics, and return once every broker lists them; existing ones are not changed.

    Args:
        settings: Which brokers, and the topics' names.
        partitions: Of every new topic, but alerts and incidents always get the same number: where one of them exists,
            the other gets the same number. By default 8.
        replication_factor: Of every new topic; by default 3, or as many as there are brokers.

    Raises:
        RetryableError: The brokers do not answer, or do not list a new topic in time.
        DeniedError: The user may not create a topic, describe it, or describe its settings.
        TopicError: The brokers refuse to create a topic.
    """
    topics = settings.topics
    operations = dict.fromkeys(_names(topics), "Describe")
    created: list[str] = []
    async with admin_client(settings.kafka) as admin:
        # The size limit of the dead letters depends on that of the alerts topic, which must exist first.
        for names in ((topics.alerts, topics.decisions, topics.tuning, topics.incidents), (topics.dead_letter,)):
            found, brokers = await _describe(admin, topics, operations)
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
        found, brokers = await _describe(admin, topics, operations)
        topic_id = await _topic_id(admin, topics.alerts)
    report = _report(topics, found, Replication(brokers, replication_factor), topic_id)
    return TopicReport(report.differences, report.facts, tuple(created))


async def list_topics(admin: AIOKafkaAdminClient, names: Iterable[str], node: int | None = None) -> TopicListing:
    """Return which of these topics exist; creates none.

    Args:
        admin: A client that is started.
        names: The topics.
        node: The broker that answers; any by default.

    Raises:
        KafkaError: The broker does not answer.
        RetryableError: It cannot describe a topic.
    """
    request = MetadataRequest(list(names), allow_auto_topic_creation=False)
    if node is None:
        response = await _any_broker(lambda: admin._send_request(request))  # noqa: SLF001 - the public call may create topics
    else:
        response = await admin._send_request_to_node(node, request)  # noqa: SLF001
    replicas: dict[str, list[PartitionReplicas]] = {}
    denied = []
    for topic in response.to_object()["topics"]:
        name, code = topic["topic"], topic["error_code"]
        if code == TopicAuthorizationFailedError.errno:
            denied.append(name)
        elif not code:
            replicas[name] = sorted(map(_replicas, topic["partitions"]), key=lambda each: each.partition)
        elif code != UnknownTopicOrPartitionError.errno:
            raise RetryableError(f"cannot describe topic {name}: {for_code(code).__name__}")
    return TopicListing(replicas, tuple(denied), len(response.brokers))


async def _any_broker(request: Callable[[], Awaitable[T]]) -> T:
    """Repeat a request where a broker is down: aiokafka chooses one at random each time, also one that is down."""
    for _ in range(_BROKER_ATTEMPTS):
        with suppress(NodeNotReadyError):
            return await request()
    return await request()


def _replicas(partition: Mapping[str, Any]) -> PartitionReplicas:
    return PartitionReplicas(
        partition["partition"], partition["leader"], len(partition["replicas"]), len(partition["isr"])
    )


async def _topic_id(admin: AIOKafkaAdminClient, topic: str) -> str | None:
    client = admin._client  # noqa: SLF001 - the admin client has no public call
    ids = await _any_broker(lambda: topic_ids(client, [topic]))
    return ids.get(topic)


def _names(topics: TopicSettings) -> list[str]:
    return [name for _, name in topics]


def _worker_operations(topics: TopicSettings) -> dict[str, str]:
    """Return the operation that the worker needs on each topic; it includes the right to describe the topic."""
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
    admin: AIOKafkaAdminClient, topics: TopicSettings, operations: Mapping[str, str]
) -> tuple[dict[str, TopicDescription], int]:
    """Return the existing topics by name, and the number of brokers.

    Args:
        admin: A client that is started.
        topics: The topics' names.
        operations: By topic, the operation to name in the error when the user may not describe it.

    Raises:
        DeniedError: A right is missing, also that to describe a topic's settings; the message names all of them.
    """
    listing = await list_topics(admin, operations)
    denied: dict[str, list[str]] = {}
    for name in listing.denied:
        denied.setdefault(operations[name], []).append(name)
    settings: dict[str, Mapping[str, str]] = {}
    for name, code, message, entries in await _describe_settings(admin, [*listing.replicas, *listing.denied]):
        if code == TopicAuthorizationFailedError.errno:
            denied.setdefault("DescribeConfigs", []).append(name)
        elif not code:
            settings[name] = {entry[0]: entry[1] for entry in entries if entry[1] is not None}
        elif code != UnknownTopicOrPartitionError.errno:
            raise RetryableError(
                f"cannot describe the configuration of topic {name}: {message or for_code(code).__name__}"
            )
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
    responses = await _any_broker(lambda: admin.describe_configs(resources))
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
        f"cannot create topic {name}: {message or for_code(code).__name__}"
        for name, (code, message) in failures.items()
        if code != TopicAlreadyExistsError.errno
    ]
    if refused:
        raise TopicError("\n".join(refused))


async def _await_visible(admin: AIOKafkaAdminClient, names: Sequence[str]) -> None:
    """Wait until every broker lists the new topics: each gets them from the controller at its own time."""
    deadline = time.monotonic() + _VISIBLE_SECONDS
    while names and (lacking := await _brokers_without(admin, names)):
        if time.monotonic() > deadline:
            brokers = ", ".join(map(str, lacking))
            raise RetryableError(f"topics {', '.join(names)} were created, but brokers {brokers} do not list them yet")
        await asyncio.sleep(_VISIBLE_PAUSE)


async def _brokers_without(admin: AIOKafkaAdminClient, names: Sequence[str]) -> list[int]:
    await admin._client.force_metadata_update()  # noqa: SLF001 - no public call
    brokers = [broker.nodeId for broker in admin._client.cluster.brokers()]  # noqa: SLF001
    listed = await asyncio.gather(*(_lists(admin, broker, names) for broker in brokers))
    return [broker for broker, complete in zip(brokers, listed, strict=True) if not complete]


async def _lists(admin: AIOKafkaAdminClient, broker: int, names: Sequence[str]) -> bool:
    """Whether a broker lists all partitions of these topics with their leaders."""
    try:
        listing = await within(_BROKER_SECONDS, list_topics(admin, names, broker))
    except (KafkaError, RetryableError, TimeoutError, OSError):
        return False
    return set(names) <= set(listing.replicas) and all(
        each.leader >= 0 for replicas in listing.replicas.values() for each in replicas
    )
