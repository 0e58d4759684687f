"""All metrics of the worker: the one place where they are defined, in the order in which they are documented.

To scale, use `openclaw_lag_records`, the records that are not folded yet. The lag of the consumer group is higher:
offsets of alerts are committed only when their incident is decided.
"""

import math

from prometheus_client import CollectorRegistry, Counter, Gauge, GCCollector, Histogram, Info, ProcessCollector

from openclaw_stream import __version__
from openclaw_stream.telemetry import definitions as label
from openclaw_stream.telemetry.definitions import PARTITION, Label, MetricDefinition

_TRANSACTION_BUCKETS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_LOOP_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_LATENCY_BUCKETS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300)


class Metrics:
    """The metrics of one worker, on a registry of their own, and their `definitions`.

    A counter whose only label has a fixed set of values starts at 0 for each of them: Prometheus cannot see the
    increase of a series that appears with its first event.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.definitions: list[MetricDefinition] = []
        self._partition_gauges: list[Gauge] = []
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._define_process()
        self._define_intake()
        self._define_decisions()
        self._define_transactions()
        self._define_models()
        self._define_partitions()
        self._define_group()

    def _define_process(self) -> None:
        build = Info("openclaw_build", "What is running.", registry=self.registry)
        build.info({"version": __version__})
        self.definitions.append(
            MetricDefinition("openclaw_build_info", "info", "What is running.", (Label("version"),))
        )
        self.ready = self._gauge(
            "ready", "1 if an alert that arrives now would be decided, as `/readyz` reports; else 0."
        )
        self.event_loop_lag = self._histogram(
            "event_loop_lag_seconds",
            "How much later than requested a timer of the event loop fires, measured twice a second.",
            _LOOP_BUCKETS,
        )

    def _define_intake(self) -> None:
        self.records = self._counter("records", "Records read from the alerts topic.", PARTITION)
        self.alerts = self._counter("alerts", "Alerts decoded, by format and status.", label.FORMAT, label.ALERT_STATUS)
        self.tombstones = self._counter("tombstones", "Records without a value, which are skipped.")
        self.skipped_alerts = self._counter(
            "skipped_alerts", "Alerts and events that are understood and not folded, by reason.", label.SKIP_REASON
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
            "lost_records", "Records deleted by retention before they were read.", PARTITION
        )
        self.skipped_records = self._counter(
            "skipped_records", "Records skipped because another program committed a higher offset.", PARTITION
        )
        self.pending_bytes = self._gauge("pending_bytes", "Bytes of undecided work in memory.", PARTITION)
        self.paused_partitions = self._gauge(
            "paused_partitions", "Partitions that read nothing: undecided work is at its limit, or the log is damaged."
        )

    def _define_decisions(self) -> None:
        self.incidents_opened = self._counter("incidents_opened", "Incidents opened.")
        self.incidents_resolved = self._counter(
            "incidents_resolved", "Incidents resolved; assumed_resolved after a long silence.", label.END_STATUS
        )
        self.decisions = self._counter(
            "decisions",
            "Decision events published, by team, type, and who judged: the rules or a provider.",
            label.TEAM,
            label.EVENT_TYPE,
            label.DECIDER,
        )
        self.gate_outcomes = self._counter(
            "gate_outcomes", "Decisions, without resolutions, by the outcome of the confidence gate.", label.GATE
        )
        self.degraded_decisions = self._counter(
            "degraded_decisions", "Decisions, without resolutions, that the rules judged because no model answered."
        )
        self.tuning_events = self._counter("tuning_events", "Shadow-tuning events published.", label.TUNING_TYPE)
        self.pending_decisions = self._gauge("pending_decisions", "Revisions in the decision queue.")
        self.decision_latency = self._histogram(
            "decision_latency_seconds",
            "Seconds from the due time of a revision until it is published.",
            _LATENCY_BUCKETS,
        )

    def _define_transactions(self) -> None:
        self.transactions = self._counter(
            "transactions", "Kafka transactions; aborted: a failed one, or a failed restore.", label.TRANSACTION_RESULT
        )
        self.transaction_seconds = self._histogram(
            "transaction_duration_seconds",
            "Seconds from the begin of a transaction to its commit.",
            _TRANSACTION_BUCKETS,
        )
        self.dead_letters = self._counter(
            "dead_letters",
            "Records written to the dead-letter topic; partial where other alerts of the record were folded.",
            label.DEAD_LETTER,
        )
        self.refused_records = self._counter(
            "refused_records",
            "Output records that the brokers rejected permanently; replaced by a dead letter, or dropped.",
            label.TOPIC,
            label.REFUSED_ACTION,
        )

    def _define_models(self) -> None:
        self.llm_calls = self._counter(
            "llm_calls", "Calls to language models; answered, or why there is no answer.", label.PROVIDER, label.OUTCOME
        )
        self.llm_seconds = self._histogram(
            "llm_call_duration_seconds", "Seconds of a call to a language model.", _LATENCY_BUCKETS, label.PROVIDER
        )
        self.llm_tokens = self._counter("llm_tokens", "Tokens of the calls.", label.PROVIDER, label.DIRECTION)
        self.llm_cost = self._counter(
            "llm_cost_usd", "US dollars charged by models with a known price.", label.PROVIDER
        )
        self.llm_available = self._gauge(
            "llm_available",
            "1 if a provider is called, 0 while its circuit is open or the budget is spent.",
            label.PROVIDER,
        )
        self.llm_budget_spent = self._gauge("llm_budget_spent_usd", "US dollars spent in the current clock hour.")
        self.llm_budget_limit = self._gauge(
            "llm_budget_limit_usd", "US dollars that may be spent in a clock hour; +Inf without a limit."
        )
        self.llm_budget_limit.set(math.inf)
        self.golden_signals = self._counter(
            "golden_signals", "Golden signals queried from SigNoz.", label.SIGNALS_RESULT
        )
        self.cache_lookups = self._counter("cache_lookups", "Lookups in the answer cache.", label.LOOKUP_RESULT)
        self.redis_bypassed = self._counter(
            "redis_bypassed", "Redis commands that failed or timed out; the decision continued without."
        )

    def _define_partitions(self) -> None:
        self.open_incidents = self._gauge("open_incidents", "Incidents that have not ended.", PARTITION)
        self.overdue = self._gauge(
            "oldest_overdue_revision_seconds",
            "Seconds past the due time of the oldest revision that is not published, replays excepted; else 0.",
            PARTITION,
        )
        self.generation = self._gauge("generation", "Generation of the events; each replay begins another.", PARTITION)
        self.stream_position = self._gauge("stream_position", "Offset of the next record to fold.", PARTITION)
        self.committed_offset = self._gauge("committed_offset", "Committed offset of the consumer group.", PARTITION)
        self.log_end = self._gauge("log_end_offset", "End of the partition's log (high watermark).", PARTITION)
        self.log_stable = self._gauge(
            "log_stable_offset", "Last stable offset: later records may belong to open transactions.", PARTITION
        )
        self.lag = self._gauge(
            "lag_records", "Records between the position of the fold and the end of the log.", PARTITION
        )
        self.stream_time = self._gauge(
            "stream_time_seconds", "Highest record timestamp folded, as Unix time.", PARTITION
        )

    def _define_group(self) -> None:
        self.assigned_partitions = self._gauge("assigned_partitions", "Partitions assigned to this worker.")
        self.rebalances = self._counter("rebalances", "Assignments received from the consumer group.")
        self.restored_states = self._counter("restored_states", "Group states restored when a partition was assigned.")

    def remove_partition(self, partition: int) -> None:
        """Remove the gauges of a revoked partition: the new owner reports them, and both would be summed."""
        for gauge in self._partition_gauges:
            gauge.remove(str(partition))

    def _counter(self, name: str, description: str, *labels: Label) -> Counter:
        counter = Counter(f"openclaw_{name}", description, _names(labels), registry=self.registry)
        self.definitions.append(MetricDefinition(f"openclaw_{name}_total", "counter", description, labels))
        if len(labels) == 1:
            for value in labels[0].values:
                counter.labels(value)
        return counter

    def _gauge(self, name: str, description: str, *labels: Label) -> Gauge:
        gauge = Gauge(f"openclaw_{name}", description, _names(labels), registry=self.registry)
        self.definitions.append(MetricDefinition(f"openclaw_{name}", "gauge", description, labels))
        if PARTITION in labels:
            self._partition_gauges.append(gauge)
        return gauge

    def _histogram(self, name: str, description: str, buckets: tuple[float, ...], *labels: Label) -> Histogram:
        self.definitions.append(MetricDefinition(f"openclaw_{name}", "histogram", description, labels))
        return Histogram(f"openclaw_{name}", description, _names(labels), registry=self.registry, buckets=buckets)


def _names(labels: tuple[Label, ...]) -> list[str]:
    return [label.name for label in labels]
