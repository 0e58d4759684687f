"""Checks Kafka: the topics, the consumer group, a probe transaction over the outputs, and reads.

No check disturbs a running worker of the same group.
"""

import asyncio
import time
from collections.abc import Awaitable, Iterator, Sequence

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from openclaw_stream.check.finding import Finding, FindingStatus, run_probe
from openclaw_stream.errors import DeniedError, RetryableError, TopicError
from openclaw_stream.settings import KafkaSettings, Settings
from openclaw_stream.stream.kafka.connection import admin_client
from openclaw_stream.stream.kafka.consumer_group import ConsumerGroup, describe_group
from openclaw_stream.stream.kafka.fetch_errors import fetch_errors
from openclaw_stream.stream.kafka.probe import probe_outputs, probe_reads
from openclaw_stream.stream.kafka.topics import TopicReport, check_topics
from openclaw_stream.stream.kafka.transactional_producer import FencedError

_PROBE_SHARE = 2 / 3
"""The share of the timeout after which a probe ends by itself, with the step that it waited for."""
_PAUSE = 0.2
_COORDINATOR_HINT = (
    "check that the topic __consumer_offsets exists and has leaders (offsets.topic.replication.factor must not exceed "
    "the number of brokers)"
)


async def check_kafka(settings: Settings, seconds: float) -> list[Finding]:
    """Return findings about Kafka, the topics, the group, the outputs and the reads.

    Args:
        settings: The settings to check.
        seconds: Timeout for the description of the topics, and again for the other checks.
    """
    try:
        async with asyncio.timeout(seconds):
            topics = await _check_topics(settings)
    except TimeoutError:
        return _unreachable(f"no answer within {seconds:g} s from {settings.kafka.bootstrap_servers}")
    except RetryableError as error:
        return _unreachable(str(error))
    except Exception as error:  # noqa: BLE001 - a defect here must not hide what else was found
        return _unreachable(f"{type(error).__name__}: {error}")
    share = seconds * _PROBE_SHARE
    probes = {
        "group": _check_group(settings.kafka, share),
        "outputs": _probe("outputs", probe_outputs(settings, share), "a probe transaction over {} succeeded"),
        "reads": _probe("reads", probe_reads(settings, share), "{} can be read"),
    }
    found = await asyncio.gather(*(run_probe(name, probe, seconds, needed=True) for name, probe in probes.items()))
    return [Finding("Kafka", FindingStatus.WORKS, f"{settings.kafka.bootstrap_servers} answers"), *topics, *found]


def _unreachable(reason: str) -> list[Finding]:
    return [
        Finding("Kafka", FindingStatus.MISSING, f"{reason}; check that a broker listens there", fatal=True),
        Finding("topics", FindingStatus.MISSING, "not checked: Kafka does not answer", fatal=True),
    ]


async def _check_topics(settings: Settings) -> list[Finding]:
    try:
        return list(_topics(await check_topics(settings)))
    except (DeniedError, TopicError) as error:
        return [Finding("topics", FindingStatus.MISSING, str(error), fatal=True)]


def _topics(report: TopicReport) -> Iterator[Finding]:
    for found in report.differences:
        state = FindingStatus.MISSING if found.fatal else FindingStatus.DEGRADED
        yield Finding(f"topic {found.topic}", state, f"{found.what}; {found.remedy}", found.fatal)
    if not report.differences:
        yield Finding("topics", FindingStatus.WORKS, "configured as recommended")


async def _probe(name: str, probe: Awaitable[Sequence[str]], success: str) -> Finding:
    try:
        topics = await probe
    except FencedError:
        return Finding(
            name, FindingStatus.DEGRADED, "not checked: another check of this group is running; run it again"
        )
    except RetryableError as error:
        return Finding(name, FindingStatus.MISSING, str(error), fatal=True)
    return Finding(name, FindingStatus.WORKS, success.format(", ".join(topics)))


# ---- the consumer group


async def _check_group(kafka: KafkaSettings, seconds: float) -> Finding:
    async with admin_client(kafka) as admin:
        try:
            with fetch_errors(f"the description of group {kafka.group_id}", group_id=kafka.group_id):
                group = await _describe(admin, kafka.group_id, seconds)
                # Groups of newer protocols are described as dead, but listed.
                listed = await admin.list_consumer_groups([group.coordinator]) if group.state == "Dead" else []
        except DeniedError as error:
            return Finding("group", FindingStatus.MISSING, str(error), fatal=True)
        except RetryableError as error:
            return Finding("group", FindingStatus.MISSING, f"{error}; {_COORDINATOR_HINT}", fatal=True)
    return _group(kafka.group_id, group, dict(listed).get(kafka.group_id, ""))


async def _describe(admin: AIOKafkaAdminClient, group_id: str, seconds: float) -> ConsumerGroup:
    """Retry until there is a coordinator: in a new cluster the first request creates `__consumer_offsets`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return await describe_group(admin, group_id)
        except KafkaError as error:
            if not error.retriable or time.monotonic() > deadline:
                raise
        await asyncio.sleep(_PAUSE)


def _group(group_id: str, group: ConsumerGroup, listed_type: str) -> Finding:
    """Return the finding for a group; `listed_type` is the listed type of one in state `Dead`, or empty."""
    kind = group.protocol_type if group.members else listed_type
    if kind not in {"", "consumer"}:
        text = f"{group_id} is a {kind} group, which the worker cannot join; set KAFKA_GROUP_ID to another group"
        return Finding("group", FindingStatus.MISSING, text, fatal=True)
    if listed_type:
        text = (
            f"{group_id} uses group.protocol=consumer, so its members cannot be listed; if another program is a "
            "member, alerts of its partitions are not decided: set KAFKA_GROUP_ID to another group"
        )
        return Finding("group", FindingStatus.DEGRADED, text)
    foreign = sorted({f"{member.client_id} ({member.host.lstrip('/')})" for member in group.members if member.foreign})
    if foreign:
        text = (
            f"{group_id} has members of another program: {', '.join(foreign)}; alerts of their partitions are not "
            "decided: set KAFKA_GROUP_ID to another group"
        )
        return Finding("group", FindingStatus.DEGRADED, text)
    members = f"{len(group.members)} member{'' if len(group.members) == 1 else 's'}"
    return Finding(
        "group", FindingStatus.WORKS, f"{group_id} has {members}; its coordinator is broker {group.coordinator}"
    )
