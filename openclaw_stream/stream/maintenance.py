"""What a worker looks after besides reading: the start of its logs, its topic, its group, and memory."""

import asyncio
import time
from collections.abc import Callable, Mapping

import structlog
from aiokafka import TopicPartition

from openclaw_stream.resilience.deadline import within
from openclaw_stream.stream.context import WorkerContext
from openclaw_stream.stream.kafka.connection import admin_client
from openclaw_stream.stream.kafka.consumer_group import ConsumerGroup, describe_group
from openclaw_stream.stream.kafka.offsets import fetch_log_starts
from openclaw_stream.stream.kafka.topic_ids import topic_ids
from openclaw_stream.stream.memory import tidy
from openclaw_stream.stream.partition import Partition
from openclaw_stream.stream.readiness import UNASSIGNED_SECONDS, MembershipReadiness

log = structlog.get_logger(__name__)

_SECONDS = 5.0
_STANDBY_SECONDS = 8.0
"""How long a member has no partition until it asks who has them."""
_LOG_START_TURNS = 3
"""The start of a log moves slowly: it is asked for at every third turn."""


class Maintenance:
    """Runs beside the reading loop for as long as the worker is a member of the group."""

    def __init__(
        self,
        context: WorkerContext,
        partitions: Mapping[TopicPartition, Partition],
        membership: MembershipReadiness,
        rejoin: Callable[[str], None],
    ) -> None:
        self._context = context
        self._partitions = partitions
        self._membership = membership
        self._rejoin = rejoin
        self._served: list[int] = []
        self._foreign: frozenset[str] = frozenset()
        self._count = context.facts.partitions

    async def run(self) -> None:
        """Turn until cancelled; an error ends a turn and is logged."""
        turn = 0
        while True:
            await asyncio.sleep(_SECONDS)
            turn += 1
            self._free_memory()
            self._see_coordinator()
            tasks = [self._check_topic, self._check_group]
            for check in [*tasks, self._fetch_log_starts] if turn % _LOG_START_TURNS == 0 else tasks:
                try:
                    await within(_SECONDS, check())
                except Exception as error:  # noqa: BLE001 - whatever it was, the next turn comes
                    log.warning("maintenance failed", task=check.__name__.strip("_"), reason=repr(error))

    def _free_memory(self) -> None:
        before, self._served = self._served, [id(partition.ledger) for partition in self._partitions.values()]
        # The clients of partitions given back are cycles with megabytes, too old for the collector to look at soon.
        tidy(garbage=self._served != before)

    def _see_coordinator(self) -> None:
        coordinator = self._context.consumer._coordinator  # noqa: SLF001 - no public call names it
        known = getattr(coordinator, "coordinator_id", None) is not None
        self._membership.see_coordinator(known=known, now=time.monotonic())

    async def _fetch_log_starts(self) -> None:
        """The start of a log says which groups may be forgotten."""
        sources = [source for source, partition in self._partitions.items() if partition.ledger]
        if not sources:
            return
        for source, start in (await fetch_log_starts(self._context.consumer, sources)).items():
            partition = self._partitions.get(source)
            if partition and partition.ledger:
                partition.ledger.log_start = start

    async def _check_topic(self) -> None:
        """Join again where the alerts topic was deleted or created again: the client would not follow."""
        topic, known = self._context.settings.topics.alerts, self._context.facts.topic_id
        self._see_partitions(topic)
        if known is None:
            return
        found = (await topic_ids(self._context.consumer._client, [topic])).get(topic)  # noqa: SLF001
        if found is None:
            self._rejoin(f"topic {topic} was deleted")
        elif found != known:
            self._rejoin(f"topic {topic} was created again")

    def _see_partitions(self, topic: str) -> None:
        """Log once that partitions were added; the group's leader sees it too, and has the group assign them."""
        count = len(self._context.consumer.partitions_for_topic(topic) or ())
        if count > self._count:
            log.warning("partitions were added to the alerts topic", topic=topic, before=self._count, now=count)
            self._count = count

    async def _check_group(self) -> None:
        """Find out whether having no partition is right: all are owned by other workers."""
        now = time.monotonic()
        if self._membership.unassigned_seconds(now) < _STANDBY_SECONDS:
            return
        settings = self._context.settings
        async with admin_client(settings.kafka) as admin:
            group = await describe_group(admin, settings.kafka.group_id)
        self._warn_of_foreign(group)
        topic, count = settings.topics.alerts, self._count
        owned = {p for member in group.members for p in member.partitions if p.topic == topic}
        foreign = {p for member in group.members if member.foreign for p in member.partitions}
        self._membership.standby = len(owned - foreign) >= count
        overdue = self._membership.unassigned_seconds(now) > UNASSIGNED_SECONDS
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
