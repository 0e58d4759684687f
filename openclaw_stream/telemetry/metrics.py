"""Every metric of the worker: the names stand here and nowhere else.

For scaling, watch `openclaw_log_end_offset - openclaw_stream_position`: it is how far the fold is behind. The group's
own lag is not it: committed offsets wait, by design, for alerts that are still gathering.
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
        self.foreign_keys = self._counter("foreign_keys", "Records whose key is not their alerts' scope.")
        self.lost_records = self._counter("lost_records", "Offsets retention took before they were read.", "partition")
        self.skipped_records = self._counter(
            "skipped_records", "Offsets between the last settled one and one that another program has set.", "partition"
        )
        self.pending_bytes = self._gauge("pending_bytes", "Size of undecided work in memory.", "partition")
        self.paused_partitions = self._gauge("paused_partitions", "Partitions whose intake is paused by pressure.")

    def _define_output(self) -> None:
        self.incidents_opened = self._counter("incidents_opened", "Incidents opened.")
        self.incidents_resolved = self._counter(
            "incidents_resolved", "Incidents ended; status resolved or assumed_resolved.", "status"
        )
        self.decisions = self._counter(
            "decisions",
            "Decision events published; event_type decision or resolution.",
            "team",
            "event_type",
            "provider",
        )
        self.tuning_events = self._counter("tuning_events", "Shadow-tuning events published.", "type")
        self.dead_letters = self._counter("dead_letters", "Records written to the dead letters.", "reason")
        self.refused_records = self._counter(
            "refused_records",
            "Output records that the brokers refused for good; action replaced (by a dead letter) or dropped.",
            "topic",
            "action",
        )
        self.pending_decisions = self._gauge("pending_decisions", "Revisions that wait for the arbiter.")
        self.decision_latency = self._histogram(
            "decision_latency_seconds", "From when a revision was due until it was published.", _LATENCY_BUCKETS
        )
        self.transactions = self._counter("transactions", "Kafka transactions; result committed or aborted.", "result")
        self.transaction_seconds = self._histogram(
            "transaction_duration_seconds", "From the beginning of a transaction to its commit.", _TRANSACTION_BUCKETS
        )

    def _define_models(self) -> None:
        self.llm_calls = self._counter(
            "llm_calls", "Calls of language models; outcome answered, or why there is no answer.", "provider", "outcome"
        )
        self.llm_seconds = self._histogram(
            "llm_call_duration_seconds", "Length of a call of a language model.", _LATENCY_BUCKETS, "provider"
        )
        self.llm_tokens = self._counter("llm_tokens", "Tokens; direction input or output.", "provider", "direction")
        self.llm_cost = self._counter("llm_cost_usd", "US dollars charged, as far as prices are known.", "provider")
        self.llm_available = self._gauge(
            "llm_available", "1 while a provider may be asked, 0 while it is left alone or too dear.", "provider"
        )
        self.llm_budget_spent = self._gauge("llm_budget_spent_usd", "US dollars spent in this hour of the clock.")
        self.golden_signals = self._counter(
            "golden_signals", "Incidents looked up in SigNoz; result known or unavailable.", "result"
        )
        self.cache_lookups = self._counter(
            "cache_lookups", "Answers looked up; result hit, miss or unreadable.", "result"
        )
        self.redis_bypassed = self._counter("redis_bypassed", "Commands that Redis did not carry out in time.")

    def _define_partitions(self) -> None:
        self.open_incidents = self._gauge("open_incidents", "Incidents that are open.", "partition")
        self.stream_position = self._gauge("stream_position", "Offset the fold reads next.", "partition")
        self.committed_offset = self._gauge("committed_offset", "Offset committed to the group.", "partition")
        self.log_end = self._gauge("log_end_offset", "End of the partition's log (high watermark).", "partition")
        self.log_stable = self._gauge(
            "log_stable_offset", "Last stable offset: records behind it belong to open transactions.", "partition"
        )
        self.lag = self._gauge("lag_records", "End of the log less the position of the fold.", "partition")
        self.stream_time = self._gauge(
            "stream_time_seconds", "Highest record timestamp folded, as Unix time.", "partition"
        )

    def _define_group(self) -> None:
        self.assigned_partitions = self._gauge("assigned_partitions", "Partitions this worker owns.")
        self.rebalances = self._counter("rebalances", "Assignments received from the consumer group.")
        self.restored_states = self._counter("restored_states", "Group states read back with a partition.")

    def forget(self, partition: int) -> None:
        """Drop the gauges of a partition that went to another worker: two reports of one position would add up."""
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

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"openclaw_{name}", meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"openclaw_{name}", meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"openclaw_{name}", meaning, labels, registry=self.registry, buckets=buckets)
