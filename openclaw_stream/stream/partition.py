"""One assigned partition: restored, processed, committed, and closed.

    restore (`recovery`) → seek → resume → process what the consumer delivers → commit (`commit_loop`) → …

Any failure of a transaction discards producer and ledger, and the partition is restored from what is committed. While
something is missing (a broker, a right, a topic) the partition is not ready, and keeps trying.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence

import structlog
from aiokafka import ConsumerRecord, TopicPartition

from openclaw_stream.errors import FatalError, RetryableError
from openclaw_stream.stream.context import WorkerContext
from openclaw_stream.stream.partition_metrics import PartitionMetrics
from openclaw_stream.stream.partition_session import PartitionSession
from openclaw_stream.stream.partition_state import PartitionLifecycle, PartitionState
from openclaw_stream.stream.publication_log import PublicationLog
from openclaw_stream.stream.publisher import Publisher
from openclaw_stream.stream.readiness import PartitionReadiness
from openclaw_stream.stream.recovery import Recovery
from openclaw_stream.stream.state.ledger import Ledger
from openclaw_stream.stream.state.restore import OutOfRangeError
from openclaw_stream.stream.state.transaction_plan import TransactionPlan

log = structlog.get_logger(__name__)

_TICK_MARGIN_MS = 200
"""How much earlier than the wall clock a tick is: a record stamped just now may not be readable yet."""
_CANCEL_SECONDS = 10


class Partition:
    """One input partition of this worker; its task restores and commits, the other methods are called in between."""

    def __init__(self, context: WorkerContext, source: TopicPartition) -> None:
        self.source = source
        self.committed: int | None = None
        """The committed offset, None before one is known."""
        self._context = context
        self._lifecycle = PartitionLifecycle()
        self._readiness = PartitionReadiness()
        self._metrics = PartitionMetrics(context.metrics, source.partition, self._ledger)
        self._publisher = Publisher(context, source)
        self._publication_log = PublicationLog(source.partition)
        self._recovery = Recovery(context, source, self._publisher, self._metrics)
        self._session: PartitionSession | None = None
        self._poison_offsets: dict[int, str] = {}
        self._last_processed = time.time()
        self._last_poll: int | None = None
        self._reported_stable: int | None = None
        self._fetched_end = 0
        self._drained = False
        self._log = log.bind(partition=source.partition)
        self._task = asyncio.create_task(self._run())

    @property
    def state(self) -> PartitionState:
        """What the partition does now."""
        return self._lifecycle.state

    @property
    def epoch(self) -> int:
        """The number of the restored ledger, another after every failure; 0 while there is none."""
        return self._session.epoch if self._session else 0

    @property
    def position(self) -> int | None:
        """Offset of the next record to process; None while the partition is not serving."""
        return self._session.ledger.position if self._session and self.state.is_serving else None

    # ---- called by the poll loop

    def start_processing(self) -> None:
        """Accept records if the partition is restored.

        To be called before a poll: records delivered earlier do not follow the restored position, and lost records
        look like a gap of transaction markers.
        """
        session = self._session
        if session is None or self.state is not PartitionState.RESTORING or session.discarded:
            return
        with session.guard():
            self._context.consumer.seek(self.source, session.ledger.position)
            self._context.consumer.resume(self.source)
            self._lifecycle.transition_to(PartitionState.RUNNING)
            self._readiness.record_restored(time.monotonic())

    def process(self, records: Sequence[ConsumerRecord]) -> bool:
        """Fold delivered records; False where no more are accepted now: the rest is delivered again later."""
        session = self._session
        if session is None or self.state is not PartitionState.RUNNING:
            return False
        self._last_processed = time.time()
        self._readiness.record_progress()
        with session.guard():
            if not session.processor.process(records):
                self._stop_fetching(PartitionState.PAUSED)
            session.dispatcher.dispatch()
        return self.state is PartitionState.RUNNING

    def seek_to_position(self) -> None:
        """Make the consumer deliver all unprocessed records again."""
        if self._session and self.state is PartitionState.RUNNING:
            self._context.consumer.seek(self.source, self._session.ledger.position)

    def dead_letter(self, offset: int, reason: str) -> None:
        """Skip a record that the client cannot read, and publish a dead letter about it."""
        session = self._session
        if session and self.state.is_serving:
            with session.guard():
                session.processor.dead_letter(offset, reason)
                self._context.consumer.seek(self.source, session.ledger.position)
                session.dispatcher.dispatch()

    def block(self, reason: str) -> None:
        """Fetch nothing for some seconds: the log cannot be read at the next offset."""
        session = self._session
        if session and self.state.is_serving:
            self._log.error("cannot read the log of the partition", reason=reason)
            self._readiness.record_blocked(reason)
            session.backpressure.block()
            self._stop_fetching(PartitionState.BLOCKED)

    def record_fetch(self, last_poll: int | None, *, busy: bool) -> None:
        """Record whether the leader of the partition answers.

        Args:
            last_poll: When the leader last answered a fetch, by the client's clock.
            busy: Records were delivered, or the poll was filled by other partitions, so that this one was not fetched.
        """
        if self.state is not PartitionState.RUNNING or busy or last_poll != self._last_poll:
            self._last_poll = last_poll
            self._readiness.record_fetch(time.monotonic())

    def record_log_start(self, offset: int) -> None:
        """Record the first offset of the log: states of closed groups before it may be deleted."""
        if self._session:
            self._session.ledger.record_log_start(offset)

    def record_log_end(self, offset: int) -> None:
        """Record the end of the log while nothing is fetched: the client learns it with its fetches only."""
        self._fetched_end = offset

    def tick(self, position: int, stable: int, end: int) -> None:
        """Advance time after a poll; once the log is read to its end, publish early what is due by the wall clock.

        Args:
            position: Offset of the next record the consumer delivers.
            stable: The last stable offset: records behind it belong to open transactions.
            end: The high watermark.
        """
        session = self._session
        if session is None or not self.state.is_serving:
            return
        ledger, running = session.ledger, self.state is PartitionState.RUNNING
        self._metrics.record_position(ledger, stable, max(end, self._fetched_end), self.committed)
        # The client learns the ends of the log with its fetches: they count once everything readable is read.
        self._record_log_ends(stable, end if running and position >= stable else stable)
        with session.guard():
            if not running:
                self._relieve(session)
            elif position >= stable:
                self._readiness.record_progress()
                ledger.skip_to(position)
                ledger.tick(self._tick_time(ledger))
            session.dispatcher.dispatch()

    def reasons(self) -> Iterator[str]:
        """Yield why no decision of this partition could be published now."""
        self._readiness.record_transaction(self._publisher.step, self._publisher.began_at)
        return self._readiness.reasons(time.monotonic(), self._context.settings.kafka.open_transaction_timeout)

    def restart(self, reason: str) -> None:
        """Discard what is not committed, and restore the partition from what is."""
        if self._session:
            self._session.fail(reason)
        if self.state.is_serving:
            self._lifecycle.transition_to(PartitionState.RESTORING)

    async def close(self, budget: float) -> bool:
        """Commit what is decided, and settle what can be settled, within `budget` seconds; then stop.

        Returns whether everything decided was committed.
        """
        if not self.state.is_ending:
            self._lifecycle.transition_to(PartitionState.CLOSING)
        if self._session is None:
            self._drained = True
            self._task.cancel()
        else:
            self._session.commit_loop.close(time.monotonic() + budget)
        await asyncio.wait({self._task}, timeout=budget + 1)
        self._task.cancel()
        await asyncio.wait({self._task}, timeout=_CANCEL_SECONDS)
        self._metrics.remove_gauges()
        return self._drained

    # ---- its task

    async def _run(self) -> None:
        """Restore and commit until closed; after a failure, restore again."""
        try:
            while not self.state.is_ending:
                await self._serve_until_failure()
                if not self.state.is_ending:
                    await asyncio.sleep(self._recovery.backoff)
        finally:
            if self.state is not PartitionState.CLOSED:
                self._lifecycle.transition_to(PartitionState.CLOSED)

    async def _serve_until_failure(self) -> None:
        try:
            session = self._session = await self._restore()
            self._drained = await session.commit_loop.run()
        except OutOfRangeError as error:
            self._readiness.record_failure(str(error))
            self._log.error("partition stopped", reason=str(error))
            self._lifecycle.transition_to(PartitionState.CLOSED)
        except FatalError as error:
            self._readiness.record_failure(str(error))
            self._lifecycle.transition_to(PartitionState.CLOSED)
            self._context.on_fatal(error)
        except RetryableError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - logged with its traceback
            # A defect of this program: what is committed stays valid, and the transaction is aborted.
            self._log.exception("partition failed")
            self._fail(RetryableError(repr(error)))
        finally:
            await self._discard()

    async def _restore(self) -> PartitionSession:
        restored = await self._recovery.restore()
        self.committed = restored.committed
        self._metrics.count_restored(restored.ledger)
        return PartitionSession(
            self._context,
            restored,
            self._publisher,
            self._metrics,
            self._poison_offsets,
            on_commit=self._record_commit,
            on_failure=self.restart,
        )

    def _record_commit(self, plan: TransactionPlan, seconds: float) -> None:
        self._recovery.record_success()
        self._readiness.record_commit()
        self.committed = plan.offset
        self._metrics.count_committed(plan, seconds)
        if self._session:
            self._publication_log.record(plan, self._session.ledger.generation)

    def _fail(self, error: RetryableError) -> None:
        self.restart(str(error))
        self._readiness.record_failure(str(error))
        self._recovery.record_failure(error)

    async def _discard(self) -> None:
        session, self._session = self._session, None
        if session:
            session.discard()
        self._context.decision_queue.drop_unwanted()
        await self._publisher.abandon()

    def _ledger(self) -> Ledger | None:
        return self._session.ledger if self._session else None

    # ---- fetching and time

    def _stop_fetching(self, state: PartitionState) -> None:
        if self.state is not state:
            self._lifecycle.transition_to(state)
        self._context.consumer.pause(self.source)

    def _relieve(self, session: PartitionSession) -> None:
        if session.backpressure.relieve():
            self._lifecycle.transition_to(PartitionState.RUNNING)
            # Records that were delivered and not accepted are delivered again.
            self._context.consumer.seek(self.source, session.ledger.position)
            self._context.consumer.resume(self.source)

    def _record_log_ends(self, stable: int, end: int) -> None:
        limit, now = self._context.settings.kafka.open_transaction_timeout, time.monotonic()
        self._readiness.record_log_ends(stable, end, now)
        if self._readiness.open_transaction_seconds(now) > limit and stable != self._reported_stable:
            self._reported_stable = stable
            self._log.warning(
                "a transaction of another producer is open in the alerts topic: alerts behind it cannot be read",
                topic=self.source.topic,
                offset=stable,
                records=end - stable,
            )

    def _tick_time(self, ledger: Ledger) -> int:
        if self._context.facts.log_append_time:
            return int(time.time() * 1000) - _TICK_MARGIN_MS
        return ledger.stream_time + int((time.time() - self._last_processed) * 1000)
