"""Decodes the records of one partition and applies them to its ledger, while there is room for undecided work."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from aiokafka import ConsumerRecord

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.alerts.decoding.decode import decode
from openclaw_stream.alerts.reader import AlertReader
from openclaw_stream.errors import PoisonError, RetryableError
from openclaw_stream.incidents.state import NEVER
from openclaw_stream.stream.partition_metrics import PartitionMetrics
from openclaw_stream.stream.state.ledger import Ledger
from openclaw_stream.stream.state.transaction_plan import DeadLetter

_TIMESTAMP_MAX = NEVER >> 1
"""Later timestamps are reduced to this one: a topic may be configured to accept any."""
_CHUNK_BYTES, _RECORD_BYTES = 256 * 1024, 256


class FoldError(RetryableError):
    """This program failed on a record: a defect, since any content must be accepted."""

    def __init__(self, offset: int, cause: Exception) -> None:
        super().__init__(f"offset {offset} could not be folded: {cause!r}")
        self.offset = offset


class RecordProcessor:
    """Applies records to one ledger; each is folded, dead-lettered or counted.

    `is_full` returns whether undecided work has reached its limit. `poison_offsets` maps offsets on which the fold
    failed to the error: their records become dead letters, so that they do not block the records behind them.
    """

    def __init__(
        self,
        ledger: Ledger,
        reader: AlertReader,
        metrics: PartitionMetrics,
        is_full: Callable[[], bool],
        poison_offsets: Mapping[int, str],
    ) -> None:
        self._ledger = ledger
        self._reader = reader
        self._metrics = metrics
        self._is_full = is_full
        self._poison_offsets = poison_offsets

    def process(self, records: Sequence[ConsumerRecord]) -> bool:
        """Fold records in order; False where a limit was reached before the last, and the rest was left out.

        Raises:
            FoldError: this program failed on a record; the ledger must be discarded.
        """
        ledger, processed, checked_bytes = self._ledger, 0, -1
        for record in records:
            if record.offset < ledger.position:
                continue
            # The limits change with undecided work only, so most records need no check.
            if ledger.pending_bytes != checked_bytes:
                checked_bytes = ledger.pending_bytes
                if self._is_full():
                    break
            try:
                timestamp = min(max(record.timestamp, 0), _TIMESTAMP_MAX)
                alerts, dead_letter = self._decode(record, timestamp)
                ledger.apply(record.offset, timestamp, alerts, record.headers, dead_letter)
            except Exception as error:
                raise FoldError(record.offset, error) from error
            processed += 1
        self._metrics.record_batch(processed)
        return not records or ledger.position > records[-1].offset

    def dead_letter(self, offset: int, reason: str) -> None:
        """Skip a record that the client cannot read; its dead letter has neither key nor value."""
        ledger = self._ledger
        letter = DeadLetter(offset, max(ledger.stream_time, 0), None, b"", (), reason)
        ledger.apply(offset, ledger.stream_time, (), (), letter)
        self._metrics.record_batch(1)

    def _decode(self, record: ConsumerRecord, timestamp: int) -> tuple[Sequence[Alert], DeadLetter | None]:
        if record.value is None:
            self._metrics.metrics.tombstones.inc()
            return (), None
        if record.offset in self._poison_offsets:
            return (), _dead_letter(record, self._poison_offsets[record.offset])
        try:
            decoded = decode(record.value, timestamp, self._reader)
        except PoisonError as error:
            return (), _dead_letter(record, str(error))
        self._metrics.count_decoded(record.key, decoded, timestamp)
        if not decoded.faults:
            return decoded.alerts, None
        reason = "; ".join(f"alert {fault.index}: {fault.reason}" for fault in decoded.faults)
        return decoded.alerts, _dead_letter(record, reason, tuple(fault.index for fault in decoded.faults))


def _dead_letter(record: ConsumerRecord, reason: str, bad_indexes: tuple[int, ...] = ()) -> DeadLetter:
    return DeadLetter(record.offset, record.timestamp, record.key, record.value, record.headers, reason, bad_indexes)


def in_chunks(records: Sequence[ConsumerRecord]) -> Iterator[Sequence[ConsumerRecord]]:
    """Split records, in order, into chunks that take about 20 ms to fold where the records are of usual size."""
    first, size = 0, 0
    for end, record in enumerate(records, 1):
        size += len(record.value or b"") + _RECORD_BYTES
        if size >= _CHUNK_BYTES:
            yield records[first:end]
            first, size = end, 0
    if first < len(records):
        yield records[first:]
