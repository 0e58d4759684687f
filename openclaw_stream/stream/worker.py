"""The worker: a member of the consumer group that serves the partitions it is assigned until it is told to stop."""

import asyncio
import signal
import time
from collections.abc import Collection, Iterator, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from openclaw_stream.alerts.identity import Grouping
from openclaw_stream.arbitration.wiring import open_arbiter
from openclaw_stream.errors import FatalError, RetryableError, TopicError
from openclaw_stream.langfuse import make_tracing
from openclaw_stream.settings import Settings, unknown_settings
from openclaw_stream.stream.context import WorkerContext
from openclaw_stream.stream.decision_queue import DecisionQueue
from openclaw_stream.stream.kafka.connection import (
    adapt_requests,
    connection,
    group_consumer,
    has_compiled_extension,
    require_codecs,
    stop_client,
    unreachable_error,
)
from openclaw_stream.stream.kafka.offsets import fetch_log_starts
from openclaw_stream.stream.kafka.poller import POLL_RECORDS, Poller, UnreadableRecordError
from openclaw_stream.stream.kafka.topics import TopicFacts, check_topics
from openclaw_stream.stream.maintenance import Maintenance
from openclaw_stream.stream.memory import calm_collector
from openclaw_stream.stream.partition import Partition
from openclaw_stream.stream.readiness import MembershipReadiness
from openclaw_stream.stream.record_processor import in_parts
from openclaw_stream.telemetry.health import Health, serve
from openclaw_stream.telemetry.logs import configure_logs
from openclaw_stream.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)

_POSITION_SECONDS = 1.0
_REVOKE_SECONDS = 3.0
"""Below the session timeout: no heartbeats while partitions are given back."""
_READ_FAILURES_MAX = 5
"""Reads that may fail one after another, a second apart, before the worker joins the group again."""
_TRACES_SECONDS = 2.0
"""How long the end waits for the last traces to be delivered."""
_RETRY_SECONDS = (1, 2, 5, 5, 5, 10)


async def run(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; returns 0 when everything decided was committed first, else 1.

    Raises:
        SettingsError: the HTTP address is taken.
        FatalError: going on would break a promise.
    """
    configure_logs(settings.log)
    for warning in unknown_settings():
        log.warning(warning)
    require_codecs()
    if not has_compiled_extension():
        log.warning("aiokafka runs without its compiled extension: reading is many times slower")
    worker = Worker(settings)
    calm_collector()
    async with serve(settings.http.addr, worker.metrics.registry, worker.live, worker.ready):
        drained = await worker.run()
    if not drained:
        log.error("not all partitions were drained; what is not settled is read again by their next owner")
    return 0 if drained else 1


class Worker(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka is untyped
    """One consumer, one queue of decisions, and a `Partition` for each assigned partition."""

    def __init__(self, settings: Settings) -> None:
        self.metrics = Metrics()
        self._settings = settings
        self._partitions: dict[TopicPartition, Partition] = {}
        self._stop = asyncio.Event()
        self._fatal: FatalError | None = None
        self._context: WorkerContext | None = None
        self._membership = MembershipReadiness()
        self._rejoin_reason = ""
        self._draining = False

    def live(self) -> Health:
        """Whether the process still turns; a broker that is away is no reason to restart it."""
        return Health(("a fatal error stops it",) if self._fatal else ())

    def ready(self) -> Health:
        """Whether an alert that comes now would be read and decided, and else why not."""
        return Health(tuple(self._reasons()))

    def _reasons(self) -> Iterator[str]:
        settings = self._settings
        yield from self._membership.reasons(time.monotonic(), settings.topics.alerts, settings.kafka.group_id)
        for source, partition in self._partitions.items():
            for reason in partition.reasons():
                yield f"partition {source.partition}: {reason}"

    async def run(self) -> bool:
        """Join the group and serve; drains on a signal, and returns whether it could.

        Raises:
            FatalError: going on would break a promise.
        """
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self._stop.set)
        facts = await self._await_topics()
        if facts is None:
            return True
        tracing = await asyncio.to_thread(make_tracing, self._settings.langfuse)
        try:
            async with open_arbiter(self._settings, self.metrics, tracing) as arbiter:
                drained = await self._work(facts, DecisionQueue(arbiter))
        finally:
            await tracing.close(_TRACES_SECONDS)
        if self._fatal:
            raise self._fatal
        return drained

    async def _work(self, facts: TopicFacts | None, decision_queue: DecisionQueue) -> bool:
        drained = True
        try:
            while facts and not self._stop.is_set():
                drained = await self._take_part(facts, decision_queue)
                if not self._stop.is_set():
                    facts = await self._await_topics(again=True)
        finally:
            await decision_queue.close()
        return drained

    async def _take_part(self, facts: TopicFacts, decision_queue: DecisionQueue) -> bool:
        """Be a member of the group until told to stop, or until the client can be none any more."""
        consumer = group_consumer(self._settings.kafka)
        self._draining, self._rejoin_reason = False, ""
        self._context = self._surroundings(facts, decision_queue, consumer)
        maintenance = Maintenance(self._context, self._partitions, self._membership, self._rejoin)
        upkeep = asyncio.create_task(maintenance.run())
        try:
            if await self._join(consumer):
                await self._serve(consumer, decision_queue)
        finally:
            upkeep.cancel()
            drained = await self._drain()
            await stop_client(consumer)
        return drained

    def _rejoin(self, reason: str) -> None:
        """Leave the group and join it again with a new client: for what a running one cannot follow."""
        if not self._rejoin_reason:
            log.warning("joining the group again", reason=reason)
        self._rejoin_reason = reason

    # ---- joining

    async def _await_topics(self, *, again: bool = False) -> TopicFacts | None:
        """Check the topics as soon as the brokers answer; None when told to stop before.

        Args:
            again: The worker has served before: a topic that is missing now is waited for.
        """
        for attempt in range(1 << 30):
            try:
                report = await check_topics(self._settings)
                facts = report.require()
            except RetryableError as error:
                await self._wait_out(str(error), attempt)
            except TopicError as error:
                if not again:
                    raise
                await self._wait_out(str(error), attempt)
            else:
                if report.differences and not again:
                    differences = [str(difference) for difference in report.differences]
                    log.warning("topic configuration differs from recommended", differences=differences)
                return facts
            if self._stop.is_set():
                break
        return None

    async def _join(self, consumer: AIOKafkaConsumer) -> bool:
        for attempt in range(1 << 30):
            try:
                await consumer.start()
            except (KafkaError, OSError) as error:
                await self._wait_out(str(unreachable_error(self._settings.kafka, error)), attempt)
            else:
                adapt_requests(consumer, self._settings.kafka)
                self._membership.trouble = ""
                consumer.subscribe([self._settings.topics.alerts], listener=self)
                return True
            if self._stop.is_set():
                break
        return False

    async def _wait_out(self, trouble: str, attempt: int) -> None:
        self._membership.trouble = trouble
        if attempt in {0, 1} or attempt % 10 == 0:
            log.warning("not connected, trying again", reason=trouble)
        seconds = _RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)]
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return

    def _surroundings(
        self, facts: TopicFacts, decision_queue: DecisionQueue, consumer: AIOKafkaConsumer
    ) -> WorkerContext:
        settings = self._settings
        return WorkerContext(
            settings=settings,
            connection=connection(settings.kafka),
            facts=facts,
            grouping=Grouping(settings.incidents.group_by),
            decision_queue=decision_queue,
            metrics=self.metrics,
            consumer=consumer,
            on_fatal=self._fail,
            share=lambda: settings.worker.max_pending_bytes // max(len(self._partitions), 1),
            outputs_tried=asyncio.Event(),
        )

    # ---- serving

    async def _serve(self, consumer: AIOKafkaConsumer, decision_queue: DecisionQueue) -> None:
        """Read and fold; returns when told to stop, or when the group is to be joined again.

        A client whose heartbeat met an error that it did not expect sends no more of them, fails every read, and never
        joins again by itself: the group goes on without it, and it would fight the new owners for its partitions.
        """
        failures, reader = 0, Poller(consumer, self._settings)
        while not self._stop.is_set() and not self._rejoin_reason:
            self._membership.turn(time.monotonic())
            for partition in self._partitions.values():
                partition.begin()
            try:
                delivered = await reader.poll()
            except UnreadableRecordError as error:
                self._pass_unreadable(consumer, error)
                continue
            except RetryableError as error:
                failures += 1
                self._membership.trouble = str(error)
                log.warning("reading failed, trying again", reason=str(error))
                self._read_again(consumer)
                if failures == _READ_FAILURES_MAX:
                    self._rejoin(str(error))
                await asyncio.sleep(1)
                continue
            failures, self._membership.trouble = 0, ""
            for source, records in delivered.items():
                served = self._partitions.get(source)
                if served and await self._in_range(consumer, served, records):
                    await self._feed(served, records)
            full = sum(map(len, delivered.values())) >= POLL_RECORDS
            for source, partition in list(self._partitions.items()):
                await self._look_up(consumer, partition, busy=full or source in delivered)
            self._record_load(decision_queue)

    def _pass_unreadable(self, consumer: AIOKafkaConsumer, error: UnreadableRecordError) -> None:
        self._read_again(consumer)
        served = self._partitions.get(error.source)
        if served and error.damaged:
            served.block(f"{error}; mend it, or delete the records through the damage (from {error.offset})")
        elif served:
            served.dead_letter(error.offset, str(error))

    def _read_again(self, consumer: AIOKafkaConsumer) -> None:
        """Go back to what is folded: the client has moved on behind what it took for a read that failed."""
        for source in consumer.assignment():
            if source in self._partitions:
                self._partitions[source].read_again()

    async def _feed(self, served: Partition, records: Sequence[ConsumerRecord]) -> None:
        """Fold in small parts: thousands of records at once would hold up the heartbeat, and the commits."""
        for part in in_parts(records):
            # What was given back, or has made room meanwhile, reads on elsewhere than behind this part.
            if self._partitions.get(served.source) is not served or not served.feed(part):
                return
            await asyncio.sleep(0)

    async def _look_up(self, consumer: AIOKafkaConsumer, partition: Partition, *, busy: bool) -> None:
        source = partition.source
        # Until it is sought the client asks the group for a position, and would have all partitions wait for that.
        if not partition.serves or source not in consumer.assignment():
            return
        try:
            async with asyncio.timeout(_POSITION_SECONDS):
                position = await consumer.position(source)
        except (KafkaError, TimeoutError):
            # It was taken away just now, or no broker answers where it begins.
            return
        partition.note_fetch(consumer.last_poll_timestamp(source), busy=busy)
        stable, end = consumer.last_stable_offset(source), consumer.highwater(source)
        if end is not None and source in self._partitions:
            partition.look_up(position, end if stable in {None, -1} else stable, end)

    def _record_load(self, decision_queue: DecisionQueue) -> None:
        self.metrics.assigned_partitions.set(len(self._partitions))
        self.metrics.paused_partitions.set(sum(partition.paused for partition in self._partitions.values()))
        self.metrics.pending_decisions.set(decision_queue.length)

    async def _in_range(
        self, consumer: AIOKafkaConsumer, partition: Partition, records: Sequence[ConsumerRecord]
    ) -> bool:
        """Tell whether delivered records follow what is folded; the client moves on by itself where they are gone."""
        ledger = partition.ledger
        if ledger is None or records[0].offset == ledger.position:
            return ledger is not None
        if records[0].offset < ledger.position:
            if records[-1].offset >= ledger.position:
                return True
            partition.restart(f"the log was read from {records[0].offset}, before {ledger.position}: it was cut off")
            return False
        try:
            starts = await fetch_log_starts(consumer, [partition.source])
        except RetryableError as error:
            partition.restart(str(error))
            return False
        start = starts[partition.source]
        if start > ledger.position:
            partition.restart(f"retention has deleted the records from {ledger.position} to {start}")
            return False
        return True

    def _fail(self, error: FatalError) -> None:
        self._fatal = self._fatal or error
        self._stop.set()

    # ---- partitions come and go

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Pause the new partitions, nothing more: no heartbeat goes out until this returns."""
        context = self._context
        assert context is not None  # noqa: S101 - set before the group is joined
        context.consumer.pause(*assigned)
        if self._draining:
            return
        self.metrics.rebalances.inc()
        self._membership.assign(len(assigned), time.monotonic())
        for source in assigned:
            self._partitions[source] = Partition(context, source)
        log.info("partitions assigned", partitions=sorted(tp.partition for tp in assigned))

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Publish what is decided, within a budget, and give the partitions back."""
        if revoked:
            log.info("partitions revoked", partitions=sorted(tp.partition for tp in revoked))
        self._membership.revoke()
        leaving = [self._partitions.pop(source) for source in revoked if source in self._partitions]
        await _close(leaving, self._revoke_budget)

    @property
    def _revoke_budget(self) -> float:
        return min(_REVOKE_SECONDS, self._settings.kafka.session_timeout / 3)

    async def _drain(self) -> bool:
        """Close all partitions, at the end in as much time as it may take; what is assigned now is not taken on."""
        self._draining = True
        self._membership.revoke()
        self._membership.trouble = (
            "draining" if self._stop.is_set() else self._membership.trouble or self._rejoin_reason
        )
        leaving = list(self._partitions.values())
        last = max(self._settings.worker.shutdown_timeout - 2 * _REVOKE_SECONDS, 1)
        drained = await _close(leaving, last if self._stop.is_set() else self._revoke_budget)
        self._partitions.clear()
        return drained


async def _close(partitions: Sequence[Partition], budget: float) -> bool:
    return all(await asyncio.gather(*(partition.close(budget) for partition in partitions)))
