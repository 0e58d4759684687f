"""The partitions that the consumer group has assigned to this worker."""

import asyncio
import time
from collections.abc import Collection, Iterator, Sequence

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition

from openclaw_stream.stream.context import WorkerContext
from openclaw_stream.stream.partition import Partition
from openclaw_stream.stream.readiness import MembershipReadiness

log = structlog.get_logger(__name__)

_REVOKE_SECONDS = 3.0
"""Below the session timeout: no heartbeat is sent while partitions are closed."""


class Assignment(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka is untyped
    """A `Partition` for each assigned partition: created and closed as the group assigns and revokes them."""

    def __init__(self, context: WorkerContext, readiness: MembershipReadiness) -> None:
        self._context = context
        self._readiness = readiness
        self._partitions: dict[TopicPartition, Partition] = {}
        self._draining = False

    def __iter__(self) -> Iterator[Partition]:
        """Iterate over the partitions assigned now; they may change during the iteration."""
        return iter(list(self._partitions.values()))

    @property
    def count(self) -> int:
        """How many partitions are assigned."""
        return len(self._partitions)

    def get(self, source: TopicPartition) -> Partition | None:
        """Return an assigned partition, None where it is not assigned."""
        return self._partitions.get(source)

    def includes(self, partition: Partition) -> bool:
        """Return whether a partition is still assigned, and was not revoked and assigned again."""
        return self._partitions.get(partition.source) is partition

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Pause the new partitions, nothing more: no heartbeat is sent until this returns."""
        self._context.consumer.pause(*assigned)
        if self._draining:
            return
        self._context.metrics.rebalances.inc()
        self._readiness.record_assignment(len(assigned), time.monotonic())
        for source in assigned:
            self._partitions[source] = Partition(self._context, source)
        log.info("partitions assigned", partitions=sorted(tp.partition for tp in assigned))

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Commit what is decided, within a budget, and close the partitions."""
        self._readiness.record_revocation()
        closing = [self._partitions.pop(source) for source in revoked if source in self._partitions]
        if revoked:
            log.info("partitions revoked", partitions=sorted(tp.partition for tp in revoked))
        if closing:
            await _drain(closing, "partitions revoked", self._revoke_budget)

    async def drain(self, reason: str, *, final: bool) -> bool:
        """Close all partitions, and create none that are assigned from now on.

        Args:
            reason: Why, for the log.
            final: The worker stops, and waits for decisions as long as the shutdown timeout permits.

        Returns:
            Whether everything decided was committed.
        """
        self._draining = True
        self._readiness.record_revocation()
        closing = list(self._partitions.values())
        shutdown = max(self._context.settings.worker.shutdown_timeout - 2 * _REVOKE_SECONDS, 1)
        drained = await _drain(closing, reason, shutdown if final else self._revoke_budget)
        self._partitions.clear()
        return drained

    @property
    def _revoke_budget(self) -> float:
        return min(_REVOKE_SECONDS, self._context.settings.kafka.session_timeout / 3)


async def _drain(partitions: Sequence[Partition], reason: str, budget: float) -> bool:
    numbers = sorted(partition.source.partition for partition in partitions)
    log.info("drain started", reason=reason, partitions=numbers, budget_seconds=budget)
    started = time.monotonic()
    drained = all(await asyncio.gather(*(partition.close(budget) for partition in partitions)))
    log.info(
        "drain ended",
        drained=drained,
        seconds=round(time.monotonic() - started, 3),
        committed_offsets={str(p.source.partition): p.committed for p in partitions},
    )
    return drained
