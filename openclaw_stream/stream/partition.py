"""One assigned partition: opened, read, committed, and given back.

The life of a partition:

    open (see `opening`) → seek → resume → fold what the consumer delivers → plan → one transaction → plan → …

Any failure of a transaction throws producer and ledger away and starts again from what is committed. What is missing
for a moment (a broker, a right, a topic) makes the partition wait, unready, and is tried again.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial

import structlog
from aiokafka import ConsumerRecord, TopicPartition

from openclaw_stream.arbitration.resolution import resolve
from openclaw_stream.errors import FatalError, RetryableError
from openclaw_stream.events.arbitration_result import ArbitrationResult
from openclaw_stream.incidents.evidence import case_of
from openclaw_stream.stream.context import WorkerContext
from openclaw_stream.stream.kafka.transactional_producer import FencedError
from openclaw_stream.stream.opening import Opening
from openclaw_stream.stream.partition_metrics import PartitionMetrics
from openclaw_stream.stream.publisher import Publisher
from openclaw_stream.stream.readiness import PartitionReadiness
from openclaw_stream.stream.record_processor import FoldError, RecordProcessor
from openclaw_stream.stream.state.ledger import Ledger
from openclaw_stream.stream.state.restore import OutOfRangeError
from openclaw_stream.stream.state.revision import Revision
from openclaw_stream.vocabulary import EventType

log = structlog.get_logger(__name__)

_PACE = 0.1
"""Seconds between two transactions of a partition at least: each costs milliseconds of CPU."""
_TICK_MARGIN = 200
"""Milliseconds a tick stays behind the wall clock: a record stamped just now may still be on its way."""
_LET_GO_SECONDS = 10
_RELIEF = 100
"""Revisions cut at a time under pressure."""
_BACKOFF = (0.2, 0.5, 1.0, 2.0, 3.0)
"""Seconds before a failed partition is opened again; short, since decisions wait for it."""
_FENCED_FAILURES = 4
_BLOCKED_SECONDS = 10


class Partition:
    """One input partition of this worker; `task` is its life, the rest is called by the worker in between."""

    def __init__(self, context: WorkerContext, source: TopicPartition) -> None:
        self.source = source
        self.ledger: Ledger | None = None
        self.readiness = PartitionReadiness()
        self.committed: int | None = None
        self._context = context
        self._meter = PartitionMetrics(context.metrics, source.partition)
        self._publisher = Publisher(context, source)
        self._opening = Opening(context, source, self._publisher, self._meter)
        self._intake: RecordProcessor | None = None
        self._next_intake: RecordProcessor | None = None
        self._wake = asyncio.Event()
        self._closing_at: float | None = None
        self._fault: RetryableError | None = None
        self._paused = False
        self._blocked_until = 0.0
        self._drained = False
        self._failures = 0
        self._poison_offsets: dict[int, str] = {}
        self._last_read = time.time()
        self._answered_at: int | None = None
        self._reported_stable: int | None = None
        self._log = log.bind(partition=source.partition)
        self.task = asyncio.create_task(self._live())

    # ---- called by the worker, between two turns of the event loop

    def begin(self) -> None:
        """Start intake when the partition is restored.

        To be called before the consumer is asked for records: those that it delivered earlier do not follow on what is
        restored, and a gap of records cannot be told from one of transaction markers.
        """
        if self._next_intake and self.ledger:
            with self._guarded():
                self._context.consumer.seek(self.source, self.ledger.position)
                self._context.consumer.resume(self.source)
                self._intake, self._next_intake = self._next_intake, None
                self._paused = False
                self.readiness.serve(time.monotonic())

    def feed(self, records: Sequence[ConsumerRecord]) -> bool:
        """Fold delivered records; False where no more can be taken now: the rest is read again later."""
        if self._intake is None or not self.serves or self._paused:
            return False
        self._last_read, self.readiness.blocked = time.time(), ""
        with self._guarded():
            if not self._intake.feed(records):
                self._paused = True
                self._context.consumer.pause(self.source)
            self._hand_out()
        return self._intake is not None and not self._paused

    def read_again(self) -> None:
        """Have delivered again what is not folded."""
        if self.ledger and self.serves and not self._paused:
            self._context.consumer.seek(self.source, self.ledger.position)

    def dead_letter(self, offset: int, reason: str) -> None:
        """Pass a record that cannot even be read, and tell of it in the dead letters."""
        if self._intake and self.ledger and self.serves:
            with self._guarded():
                self._intake.dead_letter(offset, reason)
                self._context.consumer.seek(self.source, self.ledger.position)
                self._hand_out()

    def block(self, reason: str) -> None:
        """Read nothing more for a while: the log cannot be read on."""
        if self._intake and self.serves:
            self._log.error("partition cannot be read on", reason=reason)
            self._paused, self.readiness.blocked = True, reason
            self._blocked_until = time.monotonic() + _BLOCKED_SECONDS
            self._context.consumer.pause(self.source)

    @property
    def serves(self) -> bool:
        """Whether it is restored, and not about to be given back."""
        return self._intake is not None and self._closing_at is None

    @property
    def paused(self) -> bool:
        """Whether intake waits for room."""
        return self._paused

    def reasons(self) -> Iterator[str]:
        """Yield why nothing of this partition could be published now."""
        self.readiness.wait_for(self._publisher.step, self._publisher.began_at)
        limit = self._context.settings.kafka.open_transaction_timeout
        return self.readiness.reasons(time.monotonic(), limit)

    def note_fetch(self, answered_at: int | None, *, busy: bool) -> None:
        """Note whether its leader answers.

        Args:
            answered_at: When the leader last answered a fetch, by the client's clock.
            busy: Records of it were delivered, or so many of others that it waits for its turn and fetches no more.
        """
        if self._paused or busy or answered_at != self._answered_at:
            self._answered_at = answered_at
            self.readiness.fetch(time.monotonic())

    def look_up(self, position: int, stable: int, end: int) -> None:
        """Take note of where the consumer is in the log; where it has read all, publish early what is due by now.

        Args:
            position: Offset of the next record it delivers.
            stable: The last stable offset: records behind it belong to open transactions.
            end: The end of the log.
        """
        ledger = self.ledger
        if ledger is None or not self.serves:
            return
        self._meter.record_position(ledger, stable, end, self.committed)
        # Only where all is read that may be: the client learns the ends of the log with its fetches.
        self._see_ends(stable, end if position >= stable and not self._paused else stable)
        with self._guarded():
            if self._paused:
                self._relieve(ledger)
            elif position >= stable:
                self.readiness.blocked = ""
                ledger.skip_to(position)
                ledger.tick(self._tick_time(ledger))
            self._hand_out()

    def _see_ends(self, stable: int, end: int) -> None:
        limit, now = self._context.settings.kafka.open_transaction_timeout, time.monotonic()
        self.readiness.see_ends(stable, end, now)
        if self.readiness.stuck_seconds(now) > limit and stable != self._reported_stable:
            self._reported_stable = stable
            self._log.warning(
                "a transaction of another producer is open in the alerts topic: alerts behind it cannot be read",
                topic=self.source.topic,
                offset=stable,
                records=end - stable,
            )

    def restart(self, reason: str) -> None:
        """Throw away what is folded, and start again from what is committed."""
        self._intake = self._next_intake = None
        self._fault = RetryableError(reason)
        self._wake.set()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Keep a defect of ours to this partition: it starts again, without the record that brought it out."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - logged with its traceback
            self._log.exception("the fold failed")
            if isinstance(error, FoldError):
                self._poison_offsets[error.offset] = f"internal error, please report: {error}"
            self.restart(str(error))

    async def close(self, budget: float) -> bool:
        """Publish what is decided, and settle what can be, within `budget` seconds; then let go of the partition.

        Returns whether all of that was committed.
        """
        self._closing_at = time.monotonic() + budget
        self._wake.set()
        if self.ledger is None:
            self._drained = True
            self.task.cancel()
        await asyncio.wait({self.task}, timeout=budget + 1)
        self.task.cancel()
        await asyncio.wait({self.task}, timeout=_LET_GO_SECONDS)
        self._meter.forget()
        return self._drained

    # ---- its life

    async def _live(self) -> None:
        while self._closing_at is None:
            try:
                await self._open()
                await self._serve()
            except OutOfRangeError as error:
                self.readiness.fail(str(error))
                self._log.error("partition stopped", reason=str(error))
                return
            except FatalError as error:
                self.readiness.fail(str(error))
                self._context.on_fatal(error)
                return
            except RetryableError as error:
                self._failed(error)
            except Exception as error:  # noqa: BLE001 - logged with its traceback
                # A defect of ours; what is committed is sound, and readers see nothing of this.
                self._log.exception("partition failed")
                self._failed(RetryableError(repr(error)))
            finally:
                await self._let_go()
            if self._closing_at is None:
                await asyncio.sleep(_BACKOFF[min(self._failures, len(_BACKOFF)) - 1])

    def _failed(self, error: RetryableError) -> None:
        self._failures += 1
        self._meter.aborted()
        if isinstance(error, FencedError):
            # The group decides who owns it: taking it back at once would only fence the other worker in turn.
            self._failures = max(self._failures, _FENCED_FAILURES)
        self._log.warning("partition starts again from what is committed", reason=str(error))
        self.readiness.fail(str(error))

    async def _let_go(self) -> None:
        self.ledger = self._intake = self._next_intake = None
        self._context.decision_queue.clear()
        await self._publisher.abandon()

    async def _open(self) -> None:
        context = self._context
        ledger, self.committed = await self._opening.open()
        # After a failure the next transaction shows that they commit again, also where there is nothing to publish.
        ledger.generation_record_due |= self._failures > 0
        self.ledger = ledger
        self._meter.restored(ledger)
        self._next_intake = RecordProcessor(ledger, context.grouping, self._meter, self._full, self._poison_offsets)
        # A new generation is written at once: with `latest` a crash would otherwise skip what came since.
        self._wake.set()

    # ---- commits

    async def _serve(self) -> None:
        interval = self._context.settings.worker.commit_interval
        last_lazy = time.monotonic()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(interval):
                    await self._wake.wait()
            self._wake.clear()
            if self._fault:
                fault, self._fault = self._fault, None
                raise fault
            ledger = self.ledger
            assert ledger is not None  # noqa: S101 - only an open partition is served
            closing = self._closing_at is not None and self._ready_to_close(ledger, self._closing_at)
            lazy = closing or ledger.has_more or time.monotonic() - last_lazy >= interval
            if lazy or ledger.has_output:
                if await self._commit(ledger, lazy=lazy):
                    self._failures = 0
                last_lazy = time.monotonic() if lazy else last_lazy
            if ledger.has_output or ledger.has_more:
                self._wake.set()
            elif closing:
                self._drained = not ledger.undecided
                return
            await asyncio.sleep(_PACE)

    def _ready_to_close(self, ledger: Ledger, closing_at: float) -> bool:
        self._wake.set()
        return not ledger.undecided or time.monotonic() >= closing_at

    async def _commit(self, ledger: Ledger, *, lazy: bool) -> bool:
        plan = ledger.plan(lazy=lazy)
        if plan is None:
            return False
        started = time.monotonic()
        await self._publisher.commit(plan, ledger)
        self.readiness.commit()
        self.committed = plan.offset
        self._meter.committed(plan, time.monotonic() - started)
        return True

    # ---- decisions

    def _hand_out(self) -> None:
        ledger = self.ledger
        if ledger is None:
            return
        while ledger.ready:
            work = ledger.ready.popleft()
            done = partial(self._done, ledger)
            if work.event_type is EventType.RESOLUTION:
                self._context.decision_queue.submit_plain(work, partial(self._resolve, ledger, work), done)
            else:
                self._context.decision_queue.submit(work, done, lambda: ledger is self.ledger)
        if ledger.has_output:
            self._wake.set()

    async def _resolve(self, ledger: Ledger, work: Revision) -> ArbitrationResult:
        assert work.snapshot is not None  # noqa: S101 - an end is cut when it comes
        language = self._context.settings.arbiter.language
        case = case_of(work.snapshot, work.due)
        return resolve(case, work.snapshot.status, ledger.previous_decision(work), language)

    def _done(self, ledger: Ledger, work: Revision, verdict: ArbitrationResult | None) -> None:
        if ledger is not self.ledger or self._intake is None:
            return
        if verdict is None:
            self.restart("a revision could not be decided")
            return
        with self._guarded():
            told, decision = work.snapshot, work.event_type is EventType.DECISION
            last = verdict.as_last(told.incident_id, told.revision) if told and decision else None
            ledger.complete(work, verdict, last)
            self._hand_out()

    # ---- pressure and time

    def _full(self) -> bool:
        ledger, worker = self.ledger, self._context.settings.worker
        return ledger is not None and (
            ledger.pending_bytes > self._context.share()
            or self._context.decision_queue.full
            or self._context.decision_queue.length >= worker.max_pending_decisions
        )

    def _relieve(self, ledger: Ledger) -> None:
        if time.monotonic() < self._blocked_until:
            # Stream time stands still, and nobody knows for how long: publish what is known.
            ledger.cut_oldest(_RELIEF)
        elif not self._full():
            self._paused = False
            # What was delivered and found no room is read again.
            self._context.consumer.seek(self.source, ledger.position)
            self._context.consumer.resume(self.source)
        elif ledger.pending_bytes > self._context.share():
            ledger.cut_oldest(_RELIEF)

    def _tick_time(self, ledger: Ledger) -> int:
        if self._context.facts.log_append_time:
            return int(time.time() * 1000) - _TICK_MARGIN
        return ledger.stream_time + int((time.time() - self._last_read) * 1000)
