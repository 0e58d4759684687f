"""Reads the demo's topics as any consumer would, with `read_committed`."""

from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.alerts.decoding.decode import decode
from openclaw_stream.errors import PoisonError
from openclaw_stream.events.decision import Decision
from openclaw_stream.events.tuning import TuningEvent
from openclaw_stream.settings import Settings
from openclaw_stream.stream.kafka.connection import connection
from openclaw_stream.stream.kafka.fetch_errors import fetch_errors
from openclaw_stream.stream.kafka.offsets import fetch_log_ends

_POLL_MS = 100


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """A record of the alerts topic, without the alerts that cannot be decoded: those become dead letters."""

    alerts: tuple[Alert, ...]


@dataclass(frozen=True, slots=True)
class DeadLetterRecord:
    """A record that could not be decoded, wholly or in part."""

    reason: str
    value: bytes


DemoEvent = AlertRecord | Decision | TuningEvent | DeadLetterRecord
_ORDER = (AlertRecord, Decision, TuningEvent, DeadLetterRecord)


class EventReader:
    """Reads alerts, decisions, tuning events and dead letters from the beginning of their topics.

    A context manager.
    """

    def __init__(self, settings: Settings) -> None:
        self._topics = settings.topics
        self._group_id = settings.kafka.group_id
        self._reader = settings.incidents.reader
        names = (self._topics.alerts, self._topics.decisions, self._topics.tuning, self._topics.dead_letter)
        self._consumer = AIOKafkaConsumer(
            *names,
            **connection(settings.kafka),
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        )
        self._stack = AsyncExitStack()
        self._admin = AIOKafkaAdminClient(**connection(settings.kafka))

    async def read(self) -> list[DemoEvent]:
        """Return the events since the last call, alerts before decisions, within about 0.1 s."""
        delivered = await self._consumer.getmany(timeout_ms=_POLL_MS)
        events = (event for records in delivered.values() for record in records for event in self._events(record))
        return sorted(events, key=lambda event: _ORDER.index(type(event)))

    async def uncommitted(self) -> int:
        """Return the number of alert records that the worker has not committed, plus that of events not yet read.

        Raises:
            RetryableError: The brokers did not answer.
        """
        positions = {source: await self._consumer.position(source) for source in self._consumer.assignment()}
        ends = await fetch_log_ends(self._consumer, list(positions))
        committed = await self._committed()
        left = 0
        for source, end in ends.items():
            done = positions[source]
            if source.topic == self._topics.alerts:
                done = min(done, committed.get(source, 0))
            left += max(end - done, 0)
        return left

    async def _committed(self) -> Mapping[TopicPartition, int]:
        with fetch_errors(f"committed offsets of group {self._group_id}", group_id=self._group_id):
            try:
                offsets = await self._admin.list_consumer_group_offsets(self._group_id)
            except GroupCoordinatorNotAvailableError:
                # The brokers create their offsets topic when the first group joins.
                return {}
        return {source: max(committed.offset, 0) for source, committed in offsets.items()}

    def _events(self, record: ConsumerRecord) -> Iterator[DemoEvent]:
        if record.value is None:
            return
        if record.topic == self._topics.alerts:
            yield self._alerts(record)
        elif record.topic == self._topics.decisions:
            yield Decision.model_validate_json(record.value)
        elif record.topic == self._topics.tuning:
            yield TuningEvent.model_validate_json(record.value)
        else:
            reason = dict(record.headers).get("openclaw-dlq-reason", b"")
            yield DeadLetterRecord(reason.decode("utf-8", "replace"), record.value)

    def _alerts(self, record: ConsumerRecord) -> AlertRecord:
        try:
            return AlertRecord(tuple(decode(record.value, max(record.timestamp, 0), self._reader).alerts))
        except PoisonError:
            return AlertRecord(())

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._consumer.stop)
            await self._consumer.start()
            stack.push_async_callback(self._admin.close)
            await self._admin.start()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
