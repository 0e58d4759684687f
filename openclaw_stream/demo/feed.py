"""What anyone downstream sees: the demo's topics, read with `read_committed`."""

from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.alerts.decode import decode
from openclaw_stream.errors import PoisonError
from openclaw_stream.events.decision import Decision
from openclaw_stream.events.tuning import TuningEvent
from openclaw_stream.settings import Settings
from openclaw_stream.stream.kafka.connection import connection

_POLL_MS = 100


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """A record of the alerts topic; what of it cannot be read comes as a dead letter."""

    alerts: tuple[Alert, ...]


@dataclass(frozen=True, slots=True)
class DeadLetterRecord:
    """A record that could not be read, wholly or in part."""

    reason: str
    value: bytes


Note = AlertRecord | Decision | TuningEvent | DeadLetterRecord
_ORDER = (AlertRecord, Decision, TuningEvent, DeadLetterRecord)


class Feed:
    """Reads alerts, decisions, tuning events and dead letters from the beginning of their topics; a context manager."""

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

    async def read(self) -> list[Note]:
        """Return what has come since the last call, causes first, after a tenth of a second at most."""
        delivered = await self._consumer.getmany(timeout_ms=_POLL_MS)
        notes = (note for records in delivered.values() for record in records for note in self._notes(record))
        return sorted(notes, key=lambda note: _ORDER.index(type(note)))

    async def unsettled(self) -> int:
        """Return how many alert records the worker has not committed yet, and of its events, how many are unread."""
        positions = {source: await self._consumer.position(source) for source in self._consumer.assignment()}
        ends = await self._consumer.end_offsets(list(positions))
        try:
            committed = await self._admin.list_consumer_group_offsets(self._group_id)
        except GroupCoordinatorNotAvailableError:
            # The brokers' topic of offsets is made for the first group that comes.
            committed = {}
        left = 0
        for source, end in ends.items():
            done = positions[source]
            if source.topic == self._topics.alerts:
                found = committed.get(source)
                done = min(done, max(found.offset, 0) if found else 0)
            left += max(end - done, 0)
        return left

    def _notes(self, record: ConsumerRecord) -> Iterator[Note]:
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
