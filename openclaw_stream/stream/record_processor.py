"""Intake: records of one partition are decoded and folded into its ledger, as long as there is room for more work."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from aiokafka import ConsumerRecord

from openclaw_stream.alerts.decode import decode
from openclaw_stream.alerts.identity import Grouping
from openclaw_stream.errors import PoisonError, RetryableError
from openclaw_stream.incidents.state import NEVER
from openclaw_stream.stream.partition_metrics import PartitionMetrics
from openclaw_stream.stream.state.ledger import Ledger
from openclaw_stream.stream.state.transaction_plan import DeadLetter

_LATEST = NEVER >> 1
"""The latest time that is believed; a broker takes any where it is told to."""
_PART_BYTES, _RECORD_BYTES = 256 * 1024, 256


class FoldError(RetryableError):
    """This program failed on a record: a defect of ours, whatever the record holds."""

    def __init__(self, offset: int, cause: Exception) -> None:
        super().__init__(f"offset {offset} could not be folded: {cause!r}")
        self.offset = offset


class RecordProcessor:
    """Feeds one ledger; whatever a record holds, it is folded, dead-lettered or counted.

    `poison_offsets` maps offsets on which the fold failed to the error: they go to the dead letters, so that they do
    not block the records behind them.
    """

    def __init__(
        self,
        ledger: Ledger,
        grouping: Grouping,
        meter: PartitionMetrics,
        full: Callable[[], bool],
        poison_offsets: Mapping[int, str],
    ) -> None:
        self._ledger = ledger
        self._grouping = grouping
        self._meter = meter
        self._full = full
        self._poison_offsets = poison_offsets

    def feed(self, records: Sequence[ConsumerRecord]) -> bool:
        """Fold records in order; False where the room was used up before the last, the rest being left out.

        Raises:
            FoldError: this program failed on a record; the ledger is of no more use.
        """
        fed, owed = 0, -1
        for record in records:
            if record.offset < self._ledger.position:
                continue
            if self._ledger.pending_bytes != owed:
                owed = self._ledger.pending_bytes
                if self._full():
                    break
            try:
                self._fold(record)
            except Exception as error:
                raise FoldError(record.offset, error) from error
            fed += 1
        self._meter.fed(fed)
        return not records or self._ledger.position > records[-1].offset

    def dead_letter(self, offset: int, reason: str) -> None:
        """Pass a record that nobody could read; its dead letter is empty."""
        ledger = self._ledger
        ledger.apply(
            offset, ledger.stream_time, (), (), DeadLetter(offset, max(ledger.stream_time, 0), None, b"", (), reason)
        )
        self._meter.fed(1)

    def _fold(self, record: ConsumerRecord) -> None:
        ledger, timestamp = self._ledger, min(max(record.timestamp, 0), _LATEST)
        if record.value is None:
            self._meter.metrics.tombstones.inc()
            ledger.apply(record.offset, timestamp, ())
            return
        if record.offset in self._poison_offsets:
            ledger.apply(
                record.offset, timestamp, (), record.headers, self._dead(record, self._poison_offsets[record.offset])
            )
            return
        try:
            decoded = decode(record.value, timestamp, self._grouping)
        except PoisonError as error:
            ledger.apply(record.offset, timestamp, (), record.headers, self._dead(record, str(error)))
            return
        self._meter.decoded(record.key, decoded)
        if not decoded.faults:
            ledger.apply(record.offset, timestamp, decoded.alerts, record.headers)
            return
        reason = "; ".join(f"alert {fault.index}: {fault.reason}" for fault in decoded.faults)
        bad = tuple(fault.index for fault in decoded.faults)
        ledger.apply(record.offset, timestamp, decoded.alerts, record.headers, self._dead(record, reason, bad))

    def _dead(self, record: ConsumerRecord, reason: str, bad_indexes: tuple[int, ...] = ()) -> DeadLetter:
        return DeadLetter(
            record.offset, record.timestamp, record.key, record.value, record.headers, reason, bad_indexes
        )


def in_parts(records: Sequence[ConsumerRecord]) -> Iterator[Sequence[ConsumerRecord]]:
    """Cut records, in order, into parts of a size that is folded in some 20 ms where they are of the usual kind."""
    first, size = 0, 0
    for place, record in enumerate(records, 1):
        size += len(record.value or b"") + _RECORD_BYTES
        if size >= _PART_BYTES:
            yield records[first:place]
            first, size = place, 0
    if first < len(records):
        yield records[first:]
