"""The metrics of one partition."""

import time
from collections import Counter
from collections.abc import Callable

import structlog

from openclaw_stream.alerts.decoding.decode import DecodedRecord
from openclaw_stream.events.arbitration_result import ArbitrationResult
from openclaw_stream.stream.state.ledger import Ledger
from openclaw_stream.stream.state.revision import Revision
from openclaw_stream.stream.state.transaction_plan import TransactionPlan
from openclaw_stream.telemetry.metrics import Metrics
from openclaw_stream.vocabulary import EventType

log = structlog.get_logger(__name__)

_WARN_SECONDS = 30


class _Gauges:
    """The gauges of a partition that is restored: before, a 0 would be wrong."""

    def __init__(self, metrics: Metrics, label: str) -> None:
        self.pending_bytes = metrics.pending_bytes.labels(label)
        self.open_incidents = metrics.open_incidents.labels(label)
        self.stream_position = metrics.stream_position.labels(label)
        self.committed = metrics.committed_offset.labels(label)
        self.log_end = metrics.log_end.labels(label)
        self.log_stable = metrics.log_stable.labels(label)
        self.lag = metrics.lag.labels(label)
        self.stream_time = metrics.stream_time.labels(label)


class PartitionMetrics:
    """Counts for one partition; label children are fetched once, alerts are counted by the batch.

    `ledger` returns the current ledger, None while there is none; it is called with each scrape.
    """

    def __init__(self, metrics: Metrics, partition: int, ledger: Callable[[], Ledger | None] = lambda: None) -> None:
        self.metrics = metrics
        self._partition = partition
        self._ledger = ledger
        self._oldest_due: int | None = None
        label = str(partition)
        self._records = metrics.records.labels(label)
        self.lost_records = metrics.lost_records.labels(label)
        self.skipped_records = metrics.skipped_records.labels(label)
        self._gauges: _Gauges | None = None
        self._aborted = metrics.transactions.labels("aborted")
        self._commits = metrics.transactions.labels("committed")
        self._alerts: Counter[tuple[str, bool]] = Counter()
        self._opened = 0
        self._null_keys = self._foreign_keys = 0
        self._ignored = 0
        self._warn_again_at = 0.0

    def count_decoded(self, key: bytes | None, decoded: DecodedRecord, timestamp: int) -> None:
        """Count the alerts of a record, its kind of key, and what of it was ignored.

        `timestamp` is the record's, in epoch milliseconds.
        """
        for alert in decoded.alerts:
            self._alerts[decoded.format, alert.firing] += 1
            if alert.is_heartbeat and not alert.firing:
                self.metrics.heartbeat.set(timestamp / 1000)
        for reason in decoded.skipped:
            self.metrics.skipped_alerts.labels(reason).inc()
        if key is None:
            self._null_keys += 1
        elif len(decoded.alerts) == 1 and key != decoded.alerts[0].group_key.encode():
            self._foreign_keys += 1
        if decoded.warnings:
            self._warn(decoded.warnings)

    def _warn(self, warnings: list[str]) -> None:
        """Log what was ignored, at most once per period: a faulty producer sends such alerts in every record."""
        self._ignored += len(warnings)
        now = time.monotonic()
        if now >= self._warn_again_at:
            self._warn_again_at = now + _WARN_SECONDS
            log.warning(
                "parts of alerts were ignored", count=self._ignored, last=warnings[-1], partition=self._partition
            )
            self._ignored = 0

    def record_batch(self, records: int) -> None:
        """Count a batch of processed records and their alerts."""
        self._records.inc(records)
        self.metrics.null_keys.inc(self._null_keys)
        self.metrics.foreign_keys.inc(self._foreign_keys)
        self._null_keys = self._foreign_keys = 0
        for (form, firing), number in self._alerts.items():
            self.metrics.alerts.labels(form, "firing" if firing else "resolved").inc(number)
        self._alerts.clear()

    def record_position(self, ledger: Ledger, stable: int, end: int, committed: int | None) -> None:
        """Record the position, and both ends of the log: the last stable offset and the high watermark."""
        gauges = self._gauges = self._gauges or _Gauges(self.metrics, str(self._partition))
        gauges.stream_position.set(ledger.position)
        gauges.log_stable.set(stable)
        gauges.log_end.set(end)
        gauges.lag.set(max(end - ledger.position, 0))
        gauges.pending_bytes.set(ledger.pending_bytes)
        gauges.open_incidents.set(ledger.open_incidents)
        gauges.stream_time.set(max(ledger.stream_time, 0) / 1000)
        gauges.committed.set(committed or 0)
        self.metrics.incidents_opened.inc(ledger.incidents_opened - self._opened)
        self._opened = ledger.incidents_opened

    def count_restored(self, ledger: Ledger) -> None:
        """Count the restored group states, and record the generation."""
        self._opened = ledger.incidents_opened
        self.metrics.generation.labels(str(self._partition)).set(ledger.generation)
        self.metrics.overdue.labels(str(self._partition)).set_function(self._overdue_seconds)
        self.metrics.restored_states.inc(len(ledger.groups))

    def count_aborted(self) -> None:
        """Count a failed transaction, or a failed restore."""
        self._aborted.inc()

    def count_committed(self, plan: TransactionPlan, seconds: float) -> None:
        """Count a committed transaction, its duration in seconds, and what it has published."""
        metrics = self.metrics
        self._commits.inc()
        metrics.transaction_seconds.observe(seconds)
        for letter in plan.dead_letters:
            metrics.dead_letters.labels("partial" if letter.bad_indexes else "poison").inc()
        for revision in plan.revisions:
            self._count_revision(revision)

    def _count_revision(self, revision: Revision) -> None:
        result, metrics = revision.outcome, self.metrics
        if not isinstance(result, ArbitrationResult) or revision.snapshot is None:
            return
        team, provider = result.judgement.primary_responsibility, result.provenance.provider
        metrics.decisions.labels(team, revision.event_type, provider).inc()
        metrics.decision_latency.observe(max(time.time() - revision.due / 1000, 0))
        for suggestion in result.suggestions:
            metrics.tuning_events.labels(suggestion.type).inc()
        if revision.event_type is EventType.RESOLUTION:
            metrics.incidents_resolved.labels(revision.snapshot.status).inc()
            return
        metrics.gate_outcomes.labels(result.confidence.gate).inc()
        if result.provenance.degraded:
            metrics.degraded_decisions.inc()

    def _overdue_seconds(self) -> float:
        """Return how long the oldest revision is overdue; while no ledger is restored the last due time counts."""
        ledger = self._ledger()
        if ledger:
            self._oldest_due = ledger.oldest_due
        return 0.0 if self._oldest_due is None else max(time.time() - self._oldest_due / 1000, 0)

    def remove_gauges(self) -> None:
        """Remove the gauges: the partition belongs to another worker now."""
        self.metrics.remove_partition(self._partition)
