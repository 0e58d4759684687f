"""Maintenance beside the poll loop: log starts, the alerts topic, the consumer group, and memory."""

import asyncio
import time
from collections.abc import Callable

import structlog

from openclaw_stream.resilience.deadline import within
from openclaw_stream.stream.assignment import Assignment
from openclaw_stream.stream.context import WorkerContext
from openclaw_stream.stream.kafka.connection import admin_client
from openclaw_stream.stream.kafka.consumer_group import ConsumerGroup, describe_group
from openclaw_stream.stream.kafka.offsets import fetch_log_ends, fetch_log_starts
from openclaw_stream.stream.kafka.topic_ids import topic_ids
from openclaw_stream.stream.memory import free_memory
from openclaw_stream.stream.partition_state import NOT_FETCHING
from openclaw_stream.stream.readiness import UNASSIGNED_SECONDS, MembershipReadiness

log = structlog.get_logger(__name__)

_SECONDS = 5.0
_STANDBY_SECONDS = 8.0
"""How long a member has no partition before it checks who owns them."""
_LOG_START_RUNS = 3
"""The start of a log moves slowly: it is fetched at every third run."""


class Maintenance:
    """Runs for as long as the worker is a member of the group."""

    def __init__(
        self,
        context: WorkerContext,
        assignment: Assignment,
        readiness: MembershipReadiness,
        rejoin: Callable[[str], None],
    ) -> None:
        self._context = context
        self._assignment = assignment
        self._readiness = readiness
        self._rejoin = rejoin
        self._epochs: list[int] = []
        self._foreign: frozenset[str] = frozenset()
        self._partition_count = context.facts.partitions

    async def run(self) -> None:
        """Run every few seconds until cancelled; an error is logged and ends one task of one run."""
        runs = 0
        while True:
            await asyncio.sleep(_SECONDS)
            runs += 1
            self._free_memory()
            self._check_coordinator()
            tasks = [self._check_topic, self._check_group, self._fetch_log_ends]
            for task in [*tasks, self._fetch_log_starts] if runs % _LOG_START_RUNS == 0 else tasks:
                try:
                    await within(_SECONDS, task())
                except Exception as error:  # noqa: BLE001 - the next run tries again
                    log.warning("maintenance failed", task=task.__name__.strip("_"), reason=repr(error))

    def _free_memory(self) -> None:
        before, self._epochs = self._epochs, [partition.epoch for partition in self._assignment]
        # Clients of closed and restarted partitions are cycles with megabytes, in the oldest garbage generation, which
        # is collected rarely.
        free_memory(collect_garbage=self._epochs != before)

    def _check_coordinator(self) -> None:
        coordinator = self._context.consumer._coordinator  # noqa: SLF001 - no public call names it
        known = getattr(coordinator, "coordinator_id", None) is not None
        self._readiness.record_coordinator(known=known, now=time.monotonic())

    async def _fetch_log_starts(self) -> None:
        """Update the log starts: states of closed groups are deleted once the log no longer has their records."""
        sources = [partition.source for partition in self._assignment if partition.epoch]
        if not sources:
            return
        for source, start in (await fetch_log_starts(self._context.consumer, sources)).items():
            partition = self._assignment.get(source)
            if partition:
                partition.record_log_start(start)

    async def _fetch_log_ends(self) -> None:
        """Update the log ends of paused partitions, which no fetch brings: their lag grows meanwhile."""
        sources = [partition.source for partition in self._assignment if partition.state in NOT_FETCHING]
        if not sources:
            return
        for source, end in (await fetch_log_ends(self._context.consumer, sources)).items():
            partition = self._assignment.get(source)
            if partition:
                partition.record_log_end(end)

    async def _check_topic(self) -> None:
        """Join again where the alerts topic was deleted or created again: the client would not notice."""
        topic, known = self._context.settings.topics.alerts, self._context.facts.topic_id
        self._check_partition_count(topic)
        if known is None:
            return
        found = (await topic_ids(self._context.consumer._client, [topic])).get(topic)  # noqa: SLF001
        if found is None:
            self._rejoin(f"topic {topic} was deleted")
        elif found != known:
            self._rejoin(f"topic {topic} was created again")

    def _check_partition_count(self, topic: str) -> None:
        """Log once that partitions were added; the group's leader notices it too, and has the group assign them."""
        count = len(self._context.consumer.partitions_for_topic(topic) or ())
        if count > self._partition_count:
            log.warning(
                "partitions were added to the alerts topic", topic=topic, before=self._partition_count, now=count
            )
            self._partition_count = count

    async def _check_group(self) -> None:
        """Where this member has no partition, check whether other workers own all of them."""
        now = time.monotonic()
        if self._readiness.unassigned_seconds(now) < _STANDBY_SECONDS:
            return
        settings = self._context.settings
        async with admin_client(settings.kafka) as admin:
            group = await describe_group(admin, settings.kafka.group_id)
        self._warn_of_foreign(group)
        topic, count = settings.topics.alerts, self._partition_count
        owned = {p for member in group.members for p in member.partitions if p.topic == topic}
        foreign = {p for member in group.members if member.foreign for p in member.partitions}
        self._readiness.record_standby(standby=len(owned - foreign) >= count)
        overdue = self._readiness.unassigned_seconds(now) > UNASSIGNED_SECONDS
        if overdue and group.state == "Stable" and len(owned) < count:
            self._rejoin(
                f"no partition of {topic} is assigned here, and {count - len(owned)} are assigned to no member"
            )

    def _warn_of_foreign(self, group: ConsumerGroup) -> None:
        foreign = frozenset(f"{member.client_id} at {member.host}" for member in group.members if member.foreign)
        if foreign - self._foreign:
            log.warning(
                "another program is a member of the consumer group: its partitions are not decided",
                group=self._context.settings.kafka.group_id,
                members=sorted(foreign),
            )
        self._foreign = foreign
