"""Intake: records of one partition are decoded and folded into its ledger, as long as there is room for more work."""

from collections.abc import Callable, Sequence

from aiokafka import ConsumerRecord

from openclaw_stream.errors import PoisonError
from openclaw_stream.events.decode import decode
from openclaw_stream.incidents.identity import Grouping
from openclaw_stream.stream.ledger import Ledger
from openclaw_stream.stream.meter import Meter
from openclaw_stream.stream.work import DeadLetter


class Intake:
    """Feeds one ledger; whatever a record holds, it is folded, dead-lettered or counted, and never raises."""

    def __init__(self, ledger: Ledger, grouping: Grouping, meter: Meter, full: Callable[[], bool]) -> None:
        self._ledger = ledger
        self._grouping = grouping
        self._meter = meter
        self._full = full

    def feed(self, records: Sequence[ConsumerRecord]) -> bool:
        """Fold records in order; False where the room was used up before the last, the rest being left out."""
        fed = 0
        for record in records:
            if record.offset < self._ledger.position:
                continue
            if self._full():
                break
            self._fold(record)
            fed += 1
        self._meter.fed(fed)
        return not records or self._ledger.position > records[-1].offset

    def _fold(self, record: ConsumerRecord) -> None:
        ledger, timestamp = self._ledger, max(record.timestamp, 0)
        if record.value is None:
            self._meter.metrics.tombstones.inc()
            ledger.read(record.offset, timestamp, ())
            return
        try:
            decoded = decode(record.value, timestamp, self._grouping)
        except PoisonError as error:
            ledger.read(record.offset, timestamp, (), record.headers, self._dead(record, str(error)))
            return
        self._meter.decoded(record.key, decoded)
        if not decoded.faults:
            ledger.read(record.offset, timestamp, decoded.alerts, record.headers)
            return
        reason = "; ".join(f"alert {fault.index}: {fault.reason}" for fault in decoded.faults)
        bad = tuple(fault.index for fault in decoded.faults)
        ledger.read(record.offset, timestamp, decoded.alerts, record.headers, self._dead(record, reason, bad))

    def _dead(self, record: ConsumerRecord, reason: str, bad_indexes: tuple[int, ...] = ()) -> DeadLetter:
        return DeadLetter(
            record.offset, record.timestamp, record.key, record.value, record.headers, reason, bad_indexes
        )
