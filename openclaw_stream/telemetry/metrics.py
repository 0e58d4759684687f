"""All metrics of the worker, with their names.

To scale, use `openclaw_log_end_offset - openclaw_stream_position`, the records that are not folded yet. The lag of the
consumer group is higher: offsets of alerts are committed only when their incident is decided.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, GCCollector, Histogram, Info, ProcessCollector

from openclaw_stream import __version__

_TRANSACTION_BUCKETS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_LATENCY_BUCKETS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300)


class Metrics:
    """The metrics of one worker, on a registry of their own; a `partition` label is the partition's number."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        Info("openclaw_build", "What is running.", registry=self.registry).info({"version": __version__})
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._define_intake()
        self._define_output()
        self._define_models()
        self._define_partitions()
        self._define_group()

    def _define_intake(self) -> None:
        self.records = self._counter("records", "Records read from the alerts topic.", "partition")
        self.alerts = self._counter(
            "alerts", "Alerts decoded; format native, alertmanager …; status firing or resolved.", "format", "status"
        )
        self.tombstones = self._counter("tombstones", "Records without a value, which are skipped.")
        self.skipped_alerts = self._counter(
            "skipped_alerts", "Alerts and events that are understood and not folded, by reason.", "reason"
        )
        self.heartbeat = self._gauge(
            "last_heartbeat_timestamp_seconds",
            "Record time of the last heartbeat of an alerting pipeline; 0 before.",
        )
        self.null_keys = self._counter("null_keys", "Records without a key.")
        self.foreign_keys = self._counter(
            "foreign_keys", "Records whose key differs from the group key of their alerts."
        )
        self.lost_records = self._counter(
            "lost_records", "Records deleted by retention before they were read.", "partition"
        )
        self.skipped_records = self._counter(
            "skipped_records", "Records skipped because another program committed a higher offset.", "partition"
        )
        self.pending_bytes = self._gauge("pending_bytes", "Bytes of undecided work in memory.", "partition")
        self.paused_partitions = self._gauge("paused_partitions", "Partitions paused by backpressure.")

    def _define_output(self) -> None:
        self.incidents_opened = self._counter("incidents_opened", "Incidents opened.")
        self.incidents_resolved = self._counter(
            "incidents_resolved", "Incidents resolved; status resolved or assumed_resolved.", "status"
        )
        self.decisions = self._counter(
            "decisions",
            "Decision events published; event_type decision or resolution.",
            "team",
            "event_type",
            "provider",
        )
        self.tuning_events = self._counter("tuning_events", "Shadow-tuning events published.", "type")
        self.dead_letters = self._counter("dead_letters", "Records written to the dead-letter topic.", "reason")
        self.refused_records = self._counter(
            "refused_records",
            "Output records that the brokers rejected permanently; action replaced (by a dead letter) or dropped.",
            "topic",
            "action",
        )
        self.pending_decisions = self._gauge("pending_decisions", "Revisions in the decision queue.")
        self.decision_latency = self._histogram(
            "decision_latency_seconds",
            "Seconds from the due time of a revision until it is published.",
            _LATENCY_BUCKETS,
        )
        self.transactions = self._counter("transactions", "Kafka transactions; result committed or aborted.", "result")
        self.transaction_seconds = self._histogram(
            "transaction_duration_seconds",
            "Seconds from the begin of a transaction to its commit.",
            _TRANSACTION_BUCKETS,
        )

    def _define_models(self) -> None:
        self.llm_calls = self._counter(
            "llm_calls", "Calls to language models; outcome answered, or why there is no answer.", "provider", "outcome"
        )
        self.llm_seconds = self._histogram(
            "llm_call_duration_seconds", "Seconds of a call to a language model.", _LATENCY_BUCKETS, "provider"
        )
        self.llm_tokens = self._counter("llm_tokens", "Tokens; direction input or output.", "provider", "direction")
        self.llm_cost = self._counter("llm_cost_usd", "US dollars charged by models with a known price.", "provider")
        self.llm_available = self._gauge(
            "llm_available",
            "1 if a provider is called, 0 while its circuit is open or the budget is spent.",
            "provider",
        )
        self.llm_budget_spent = self._gauge("llm_budget_spent_usd", "US dollars spent in the current clock hour.")
        self.golden_signals = self._counter(
            "golden_signals", "Golden signals queried from SigNoz; result known or unavailable.", "result"
        )
        self.cache_lookups = self._counter(
            "cache_lookups", "Lookups in the answer cache; result hit, miss or unreadable.", "result"
        )
        self.redis_bypassed = self._counter(
            "redis_bypassed", "Redis commands that failed or timed out; the decision continued without."
        )

    def _define_partitions(self) -> None:
        self.open_incidents = self._gauge("open_incidents", "Open incidents.", "partition")
        self.stream_position = self._gauge("stream_position", "Offset of the next record to fold.", "partition")
        self.committed_offset = self._gauge("committed_offset", "Committed offset of the consumer group.", "partition")
        self.log_end = self._gauge("log_end_offset", "End of the partition's log (high watermark).", "partition")
        self.log_stable = self._gauge(
            "log_stable_offset", "Last stable offset: later records may belong to open transactions.", "partition"
        )
        self.lag = self._gauge(
            "lag_records", "Records between the position of the fold and the end of the log.", "partition"
        )
        self.stream_time = self._gauge(
            "stream_time_seconds", "Highest record timestamp folded, as Unix time.", "partition"
        )

    def _define_group(self) -> None:
        self.assigned_partitions = self._gauge("assigned_partitions", "Partitions assigned to this worker.")
        self.rebalances = self._counter("rebalances", "Assignments received from the consumer group.")
        self.restored_states = self._counter("restored_states", "Group states restored when a partition was assigned.")

    def remove_partition(self, partition: int) -> None:
        """Remove the gauges of a revoked partition: the new owner reports them, and both would be summed."""
        for gauge in (
            self.pending_bytes,
            self.open_incidents,
            self.stream_position,
            self.committed_offset,
            self.log_end,
            self.log_stable,
            self.lag,
            self.stream_time,
        ):
            gauge.remove(str(partition))

    def _counter(self, name: str, help_text: str, *labels: str) -> Counter:
        return Counter(f"openclaw_{name}", help_text, labels, registry=self.registry)

    def _gauge(self, name: str, help_text: str, *labels: str) -> Gauge:
        return Gauge(f"openclaw_{name}", help_text, labels, registry=self.registry)

    def _histogram(self, name: str, help_text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"openclaw_{name}", help_text, labels, registry=self.registry, buckets=buckets)
