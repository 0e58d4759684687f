"""One membership of the consumer group: join, poll and process until it ends, drain.

A client that cannot go on is replaced: the worker then joins the group again as a new member.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence

import structlog
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from openclaw_stream.errors import RetryableError
from openclaw_stream.settings import Settings
from openclaw_stream.stream.assignment import Assignment
from openclaw_stream.stream.context import WorkerContext
from openclaw_stream.stream.decision_queue import DecisionQueue
from openclaw_stream.stream.kafka.connection import (
    adapt_requests,
    connection,
    group_consumer,
    stop_client,
    unreachable_error,
)
from openclaw_stream.stream.kafka.poller import POLL_RECORDS, Poller, UnreadableRecordError
from openclaw_stream.stream.kafka.topics import TopicFacts
from openclaw_stream.stream.maintenance import Maintenance
from openclaw_stream.stream.partition import Partition
from openclaw_stream.stream.position_check import find_lost_offsets
from openclaw_stream.stream.readiness import MembershipReadiness
from openclaw_stream.stream.reconnect import retry_until_shutdown
from openclaw_stream.stream.record_processor import in_chunks
from openclaw_stream.stream.shutdown import Shutdown
from openclaw_stream.stream.worker_metrics import record_load
from openclaw_stream.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)

_POSITION_SECONDS = 1.0
_POLL_FAILURES_MAX = 5
"""Polls that may fail in a row, a second apart, before the worker joins the group again."""

Delivered = Mapping[TopicPartition, Sequence[ConsumerRecord]]


class GroupMember:
    """One consumer in the group, and the partitions assigned to it."""

    def __init__(
        self,
        settings: Settings,
        facts: TopicFacts,
        decision_queue: DecisionQueue,
        metrics: Metrics,
        readiness: MembershipReadiness,
        shutdown: Shutdown,
    ) -> None:
        self._settings = settings
        self._readiness = readiness
        self._shutdown = shutdown
        self._rejoin_reason = ""
        self._poll_failures = 0
        self._consumer = group_consumer(settings.kafka)
        self._poller = Poller(self._consumer, settings)
        self._context = WorkerContext(
            settings=settings,
            connection=connection(settings.kafka),
            facts=facts,
            reader=settings.incidents.reader,
            decision_queue=decision_queue,
            metrics=metrics,
            consumer=self._consumer,
            on_fatal=shutdown.fail,
            pending_bytes_limit=lambda: settings.worker.max_pending_bytes // max(self.assignment.count, 1),
            outputs_probed=asyncio.Event(),
        )
        self.assignment = Assignment(self._context, readiness)
        maintenance = Maintenance(self._context, self.assignment, readiness, self._rejoin)
        self._maintenance = asyncio.create_task(maintenance.run())

    async def join(self) -> bool:
        """Connect and join the group as soon as the brokers answer; False where the worker is to stop before."""
        connected = await retry_until_shutdown(
            self._connect, (RetryableError,), self._shutdown, self._readiness.record_problem
        )
        return connected is not None

    async def serve(self) -> None:
        """Poll and process records; returns on a shutdown, or when the group has to be joined again.

        A client whose heartbeat has met an unexpected error sends none any more, fails every poll, and never joins
        again by itself: the group continues without it, and it would compete with the new owners of its partitions.
        """
        while not self._shutdown.requested and not self._rejoin_reason:
            self._readiness.record_iteration(time.monotonic())
            self._start_processing()
            delivered = await self._poll()
            if delivered is None:
                continue
            for source, records in delivered.items():
                partition = self.assignment.get(source)
                if partition is None or not await self._follows_position(partition, records):
                    continue
                # In chunks: thousands of records at once would delay heartbeats and commits.
                for chunk in in_chunks(records):
                    # A partition that was revoked, paused or restarted since then continues at another offset.
                    if not self.assignment.includes(partition) or not partition.process(chunk):
                        break
                    await asyncio.sleep(0)
            await self._tick(delivered)
            record_load(self._context.metrics, self.assignment, self._context.decision_queue)

    async def leave(self) -> bool:
        """Drain the partitions and leave the group; returns whether everything decided was committed."""
        self._maintenance.cancel()
        stopping = self._shutdown.requested
        reason = "shutdown" if stopping else self._readiness.problem or self._rejoin_reason
        self._readiness.record_problem("draining" if stopping else reason)
        drained = await self.assignment.drain(reason, final=stopping)
        await stop_client(self._consumer)
        return drained

    async def _connect(self) -> bool:
        try:
            await self._consumer.start()
        except (KafkaError, OSError) as error:
            raise unreachable_error(self._settings.kafka, error) from error
        adapt_requests(self._consumer, self._settings.kafka)
        self._readiness.record_problem("")
        self._consumer.subscribe([self._settings.topics.alerts], listener=self.assignment)
        return True

    def _rejoin(self, reason: str) -> None:
        """End this membership and join the group with a new client: for what a running one cannot follow."""
        if not self._rejoin_reason:
            log.warning("joining the group again", reason=reason)
        self._rejoin_reason = reason

    # ---- polling

    def _start_processing(self) -> None:
        for partition in self.assignment:
            partition.start_processing()

    async def _poll(self) -> Delivered | None:
        """Return the fetched records by partition; None where the poll failed."""
        try:
            delivered = await self._poller.poll()
        except UnreadableRecordError as error:
            self._skip_unreadable(error)
            return None
        except RetryableError as error:
            await self._record_poll_failure(str(error))
            return None
        self._poll_failures = 0
        self._readiness.record_problem("")
        return delivered

    async def _record_poll_failure(self, reason: str) -> None:
        self._poll_failures += 1
        self._readiness.record_problem(reason)
        log.warning("poll failed, retrying", reason=reason)
        self._seek_to_positions()
        if self._poll_failures == _POLL_FAILURES_MAX:
            self._rejoin(reason)
        await asyncio.sleep(1)

    def _skip_unreadable(self, error: UnreadableRecordError) -> None:
        self._seek_to_positions()
        partition = self.assignment.get(error.source)
        if partition and error.damaged:
            partition.block(f"{error}; repair it, or delete the records through the damage (from {error.offset})")
        elif partition:
            partition.dead_letter(error.offset, str(error))

    def _seek_to_positions(self) -> None:
        """Seek back to what is processed: the client has advanced past records of the failed poll."""
        for source in self._consumer.assignment():
            partition = self.assignment.get(source)
            if partition:
                partition.seek_to_position()

    async def _follows_position(self, partition: Partition, records: Sequence[ConsumerRecord]) -> bool:
        """Return whether records may be processed; where offsets were lost, the partition is restarted."""
        position = partition.position
        if position is None:
            return False
        reason = await find_lost_offsets(self._consumer, partition.source, position, records)
        if reason:
            partition.restart(reason)
        return not reason

    # ---- after each poll

    async def _tick(self, delivered: Delivered) -> None:
        full = sum(map(len, delivered.values())) >= POLL_RECORDS
        for partition in self.assignment:
            await self._tick_partition(partition, busy=full or partition.source in delivered)

    async def _tick_partition(self, partition: Partition, *, busy: bool) -> None:
        consumer, source = self._consumer, partition.source
        # Before the first seek the client fetches a position from the group, which would delay all partitions.
        if not partition.state.is_serving or source not in consumer.assignment():
            return
        try:
            async with asyncio.timeout(_POSITION_SECONDS):
                position = await consumer.position(source)
        except (KafkaError, TimeoutError):
            # The partition was revoked just now, or no broker returns where its log begins.
            return
        partition.record_fetch(consumer.last_poll_timestamp(source), busy=busy)
        stable, end = consumer.last_stable_offset(source), consumer.highwater(source)
        if end is not None and self.assignment.includes(partition):
            partition.tick(position, end if stable in {None, -1} else stable, end)
