"""Kafka: the topics, the consumer group, a trial transaction over the outputs, and reads.

Everything here leaves a running worker of the same group undisturbed.
"""

import asyncio
import time
from collections.abc import Awaitable, Iterator, Sequence

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError

from openclaw_stream.check.finding import Finding, FindingStatus, bounded
from openclaw_stream.errors import DeniedError, RetryableError, TopicError
from openclaw_stream.settings import KafkaSettings, Settings
from openclaw_stream.stream.kafka.connection import admin_client
from openclaw_stream.stream.kafka.consumer_group import ConsumerGroup, describe_group
from openclaw_stream.stream.kafka.permissions import denied_error
from openclaw_stream.stream.kafka.probe import probe_outputs, probe_reads
from openclaw_stream.stream.kafka.topics import TopicReport, check_topics
from openclaw_stream.stream.kafka.transactional_producer import FencedError

_TRIAL_SHARE = 2 / 3
"""How much of its time a trial takes before it says what it waited for."""
_PAUSE = 0.2


async def check_kafka(settings: Settings, seconds: float) -> list[Finding]:
    """Return findings of Kafka, the topics, the group, the outputs and the reads.

    Args:
        settings: What is configured.
        seconds: How long Kafka may take to describe the topics, and then again for everything else.
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
    share = seconds * _TRIAL_SHARE
    trials = {
        "group": _check_group(settings.kafka, share),
        "outputs": _tried("outputs", probe_outputs(settings, share), "a trial transaction over {} passed"),
        "reads": _tried("reads", probe_reads(settings, share), "{} can be read"),
    }
    found = await asyncio.gather(*(bounded(name, trial, seconds, needed=True) for name, trial in trials.items()))
    return [Finding("Kafka", FindingStatus.WORKS, f"{settings.kafka.bootstrap_servers} answers"), *topics, *found]


def _unreachable(reason: str) -> list[Finding]:
    return [
        Finding("Kafka", FindingStatus.MISSING, f"{reason}; see whether a broker listens there", fatal=True),
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
        yield Finding("topics", FindingStatus.WORKS, "as they should be")


async def _tried(name: str, trial: Awaitable[Sequence[str]], success: str) -> Finding:
    try:
        topics = await trial
    except FencedError:
        return Finding(name, FindingStatus.DEGRADED, "not checked: other checks of this group run now; run it again")
    except RetryableError as error:
        return Finding(name, FindingStatus.MISSING, str(error), fatal=True)
    return Finding(name, FindingStatus.WORKS, success.format(", ".join(topics)))


# ---- the consumer group


async def _check_group(kafka: KafkaSettings, seconds: float) -> Finding:
    async with admin_client(kafka) as admin:
        try:
            group = await _describe(admin, kafka.group_id, seconds)
            # Groups of newer protocols are described as dead, but listed.
            listed = await admin.list_consumer_groups([group.coordinator]) if group.state == "Dead" else []
        except GroupAuthorizationFailedError as error:
            refused = denied_error(error, "Read", f"group {kafka.group_id}")
            return Finding("group", FindingStatus.MISSING, str(refused), fatal=True)
        except KafkaError as error:
            return Finding("group", FindingStatus.MISSING, _no_coordinator(kafka.group_id, error), fatal=True)
    return _group(kafka.group_id, group, dict(listed).get(kafka.group_id, ""))


async def _describe(admin: AIOKafkaAdminClient, group_id: str, seconds: float) -> ConsumerGroup:
    """Ask until there is a coordinator: in a new cluster the first request creates `__consumer_offsets`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return await describe_group(admin, group_id)
        except KafkaError as error:
            if not error.retriable or time.monotonic() > deadline:
                raise
        await asyncio.sleep(_PAUSE)


def _no_coordinator(group_id: str, error: KafkaError) -> str:
    return (
        f"no coordinator for group {group_id}: {getattr(error, 'message', '') or type(error).__name__}; see whether "
        "the topic __consumer_offsets exists and has leaders (offsets.topic.replication.factor of the brokers must "
        "not be above their number)"
    )


def _group(group_id: str, group: ConsumerGroup, listed_type: str) -> Finding:
    """Return what a group's description means; `listed_type` is the type of a group whose state is `Dead`, or empty."""
    kind = group.protocol_type if group.members else listed_type
    if kind not in {"", "consumer"}:
        text = f"{group_id} is a {kind} group, which the worker cannot join; set KAFKA_GROUP_ID to a group of its own"
        return Finding("group", FindingStatus.MISSING, text, fatal=True)
    if listed_type:
        text = (
            f"{group_id} uses group.protocol=consumer, so its members cannot be listed; if another program is a "
            "member, alerts of its partitions are not decided: set KAFKA_GROUP_ID to a group of its own"
        )
        return Finding("group", FindingStatus.DEGRADED, text)
    foreign = sorted({f"{member.client_id} ({member.host.lstrip('/')})" for member in group.members if member.foreign})
    if foreign:
        text = (
            f"{group_id} has members of another program: {', '.join(foreign)}; alerts of their partitions are not "
            "decided: set KAFKA_GROUP_ID to a group of its own"
        )
        return Finding("group", FindingStatus.DEGRADED, text)
    members = f"{len(group.members)} member{'' if len(group.members) == 1 else 's'}"
    return Finding(
        "group", FindingStatus.WORKS, f"{group_id} has {members}; its coordinator is broker {group.coordinator}"
    )
