"""Recovery of one partition: restores its ledger from what is committed, at the start and after every failure.

start the producer (fences the previous owner) → fetch the committed offset → fetch the group states → restore
"""

import asyncio
from itertools import count
from typing import NamedTuple

import structlog
from aiokafka import TopicPartition

from openclaw_stream.errors import RetryableError
from openclaw_stream.incidents.fold import Fold
from openclaw_stream.incidents.state import NEVER
from openclaw_stream.stream.context import WorkerContext
from openclaw_stream.stream.kafka.offsets import CommittedOffset, GroupOffset, fetch_committed_offset
from openclaw_stream.stream.kafka.restore_reader import LogRange, StoredStates, fetch_group_states
from openclaw_stream.stream.kafka.transactional_producer import FencedError
from openclaw_stream.stream.partition_metrics import PartitionMetrics
from openclaw_stream.stream.publisher import Publisher
from openclaw_stream.stream.state.ledger import Ledger
from openclaw_stream.stream.state.restore import LogFacts, RestoreOutcome, restore

log = structlog.get_logger(__name__)

_BACKOFF = (0.2, 0.5, 1.0, 2.0, 3.0)
"""Seconds before a failed partition is restored again; short, since decisions wait for it."""
_FENCED_FAILURES = 4
_epochs = count(1)


class RestoredPartition(NamedTuple):
    """A partition that can be served.

    `committed` is the committed offset, None for none. `epoch` numbers the restored ledgers of this process.
    """

    partition: int
    ledger: Ledger
    committed: int | None
    epoch: int


class Recovery:
    """Restores one partition, and counts its failures in a row."""

    def __init__(
        self, context: WorkerContext, source: TopicPartition, publisher: Publisher, metrics: PartitionMetrics
    ) -> None:
        self._context = context
        self._source = source
        self._publisher = publisher
        self._metrics = metrics
        self._log = log.bind(partition=source.partition)
        self._reported_shift: tuple[int, int] | None = None
        self._failures = 0

    async def restore(self) -> RestoredPartition:
        """Fence the previous owner and restore the ledger.

        Raises:
            RetryableError: a broker did not answer, a topic is missing, or a transaction was left open.
            OutOfRangeError: the committed offset lies beyond the end of the log.
            FatalError: the states belong to another group, or have an unknown version.
        """
        context, source = self._context, self._source
        topics = context.settings.topics
        await self._start_producer(TopicPartition(topics.incidents, source.partition))
        offset = await fetch_committed_offset(context.connection, context.settings.kafka.group_id, source)
        stored = await self._fetch_states(TopicPartition(topics.incidents, source.partition))
        # In a thread: decoding a hundred thousand states takes seconds, and would delay heartbeats.
        outcome = await asyncio.to_thread(self._restore, offset, stored)
        self._report(outcome)
        # After a failure the next transaction shows that they commit again, also where there is nothing to publish.
        if self._failures:
            outcome.ledger.require_generation_record()
        committed = offset.committed.offset if offset.committed else None
        return RestoredPartition(source.partition, outcome.ledger, committed, next(_epochs))

    def record_failure(self, error: RetryableError) -> None:
        """Count a failure: the partition is restored again after `backoff` seconds."""
        self._failures += 1
        self._metrics.count_aborted()
        if isinstance(error, FencedError):
            # The group decides who owns the partition: fencing the other worker at once would only alternate.
            self._failures = max(self._failures, _FENCED_FAILURES)
        self._log.warning("partition is restored from what is committed", reason=str(error))

    def record_success(self) -> None:
        """Note that a transaction has committed."""
        self._failures = 0

    @property
    def backoff(self) -> float:
        """Seconds to wait before the partition is restored again."""
        return _BACKOFF[min(max(self._failures, 1), len(_BACKOFF)) - 1]

    async def _start_producer(self, states: TopicPartition) -> None:
        topics = self._context.settings.topics
        producer = await self._publisher.start()
        if states not in await producer.partitions_of(states.topic):
            raise RetryableError(
                f"topic {states.topic} has no partition {states.partition}, and {topics.alerts} has: it needs as "
                f"many partitions; kafka-topics.sh --alter --topic {states.topic} --partitions N adds them"
            )
        await self._probe_outputs_once()

    async def _probe_outputs_once(self) -> None:
        """Report missing rights and topics when the worker starts, not at its first decision; one partition does it."""
        probed = self._context.outputs_probed
        if not probed.is_set():
            probed.set()
            try:
                await self._publisher.probe_outputs(self._outputs)
            except BaseException:
                probed.clear()
                raise

    async def _fetch_states(self, states: TopicPartition) -> StoredStates:
        stored = await fetch_group_states(self._context.connection, states, self._source)
        if not stored.complete:
            await self._publisher.probe_outputs(self._outputs)
            raise RetryableError(f"a transaction was left open in {states.topic}-{states.partition}: it was aborted")
        return stored

    @property
    def _outputs(self) -> tuple[str, ...]:
        topics = self._context.settings.topics
        return topics.incidents, topics.decisions, topics.tuning, topics.dead_letter

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
            self._metrics.lost_records.inc(lost)
            self._log.error("records were deleted by retention before they were read", lost=lost)

    def _report(self, outcome: RestoreOutcome) -> None:
        """Log what another program has changed, once, also where the partition is restored several times."""
        ledger, shift = outcome.ledger, outcome.offset_shift
        if outcome.foreign_states:
            self._log.warning(
                "the alerts topic was created again or truncated: states about the previous log are dropped",
                topic=self._source.topic,
                states=outcome.foreign_states,
            )
        if shift and self._reported_shift != (ledger.position, shift):
            self._reported_shift = ledger.position, shift
            self._report_shift(ledger, shift)
        self._log.info(
            "partition restored", generation=ledger.generation, offset=ledger.position, groups=len(ledger.groups)
        )

    def _report_shift(self, ledger: Ledger, shift: int) -> None:
        fields = {"offset": ledger.position, "generation": ledger.generation}
        about = f"about {shift} records are skipped" if shift > 0 else f"about {-shift} records are read again"
        self._log.warning(f"the committed offset was set or deleted by another program: {about}", **fields)
        if shift > 0:
            self._metrics.skipped_records.inc(shift)
        else:
            self._log.info("replay detected", records=-shift, **fields)
