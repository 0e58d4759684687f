"""Opens an assigned partition: from what is committed and stored to a ledger that reads on.

start the producer (fences the previous owner) → fetch what is committed → fetch the group states → restore
"""

import asyncio
from typing import NamedTuple

import structlog
from aiokafka import TopicPartition

from openclaw_stream.errors import RetryableError
from openclaw_stream.incidents.fold import Fold
from openclaw_stream.incidents.state import NEVER
from openclaw_stream.stream.context import WorkerContext
from openclaw_stream.stream.kafka.offsets import CommittedOffset, GroupOffset, fetch_committed_offset
from openclaw_stream.stream.kafka.restore_reader import LogRange, StoredStates, fetch_group_states
from openclaw_stream.stream.partition_metrics import PartitionMetrics
from openclaw_stream.stream.publisher import Publisher
from openclaw_stream.stream.state.ledger import Ledger
from openclaw_stream.stream.state.restore import LogFacts, RestoreOutcome, restore

log = structlog.get_logger(__name__)


class Opened(NamedTuple):
    """A partition that can be served: its ledger, and the offset that is committed, None for none."""

    ledger: Ledger
    committed: int | None


class Opening:
    """Opens one partition; used again after every failure."""

    def __init__(
        self, context: WorkerContext, source: TopicPartition, publisher: Publisher, meter: PartitionMetrics
    ) -> None:
        self._context = context
        self._source = source
        self._publisher = publisher
        self._meter = meter
        self._log = log.bind(partition=source.partition)
        self._known_jump: tuple[int, int] | None = None

    async def open(self) -> Opened:
        """Fence the previous owner and restore the ledger.

        Raises:
            RetryableError: a broker did not answer, a topic is missing, or a transaction was left open.
            OutOfRangeError: the committed offset lies beyond the log.
            FatalError: the states are not this group's, or of another version.
        """
        context, source = self._context, self._source
        topics = context.settings.topics
        producer = await self._publisher.start()
        states = TopicPartition(topics.incidents, source.partition)
        if states not in await producer.partitions_of(topics.incidents):
            raise RetryableError(
                f"topic {topics.incidents} has no partition {source.partition}, and {topics.alerts} has: it needs as "
                f"many partitions; kafka-topics.sh --alter --topic {topics.incidents} --partitions N adds them"
            )
        outputs = (topics.incidents, topics.decisions, topics.tuning, topics.dead_letter)
        await self._try_outputs_once(outputs)
        offset = await fetch_committed_offset(context.connection, context.settings.kafka.group_id, source)
        stored = await fetch_group_states(context.connection, states, source)
        if not stored.complete:
            await self._publisher.try_outputs(outputs)
            raise RetryableError(f"a transaction was left open in {states.topic}-{states.partition}: it was aborted")
        # In a thread: reading a hundred thousand states takes seconds, and heartbeats are due meanwhile.
        outcome = await asyncio.to_thread(self._restore, offset, stored)
        self._report(outcome)
        return Opened(outcome.ledger, offset.committed.offset if offset.committed else None)

    async def _try_outputs_once(self, outputs: tuple[str, ...]) -> None:
        """Show missing rights and topics when the worker starts, not at its first decision; one partition does it."""
        tried = self._context.outputs_tried
        if not tried.is_set():
            tried.set()
            try:
                await self._publisher.try_outputs(outputs)
            except BaseException:
                tried.clear()
                raise

    def _restore(self, offset: GroupOffset, stored: StoredStates) -> RestoreOutcome:
        context, source, ends = self._context, self._source, stored.log
        self._count_lost(offset.committed, ends)
        earliest = context.settings.kafka.auto_offset_reset == "earliest"
        first_start = ends.start if earliest or stored.states else ends.end
        committed = offset.committed or CommittedOffset(first_start, "")
        retention = context.facts.retention_ms
        fold = Fold(
            source.topic, source.partition, context.settings.incidents.timers, retention if retention >= 0 else NEVER
        )
        facts = LogFacts(ends.start, ends.end, offset.topic_id)
        return restore(fold, context.settings.kafka.group_id, stored.states, committed, facts)

    def _count_lost(self, committed: CommittedOffset | None, ends: LogRange) -> None:
        lost = ends.start - committed.offset if committed else 0
        if lost > 0:
            self._meter.lost_records.inc(lost)
            self._log.error("records were deleted by retention before they were read", lost=lost)

    def _report(self, outcome: RestoreOutcome) -> None:
        """Log what another program has changed; once, however often the partition is opened after it."""
        ledger, jump = outcome.ledger, outcome.offset_shift
        if outcome.foreign_states:
            self._log.warning(
                "the alerts topic was created again or truncated: states about the log before are dropped",
                topic=self._source.topic,
                states=outcome.foreign_states,
            )
        if jump and self._known_jump != (ledger.position, jump):
            self._known_jump = ledger.position, jump
            if jump > 0:
                self._meter.skipped_records.inc(jump)
            about = f"about {jump} records are skipped" if jump > 0 else f"about {-jump} records are read again"
            self._log.warning(
                f"the committed offset was set or deleted by another program: {about}",
                offset=ledger.position,
                generation=ledger.generation,
            )
        self._log.info(
            "partition restored", generation=ledger.generation, offset=ledger.position, groups=len(ledger.groups)
        )
