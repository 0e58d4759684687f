"""The metrics of one partition, as they are exported."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.alerts.decoding.decode import DecodedRecord
from openclaw_stream.events.decision import Suggestion
from openclaw_stream.stream.partition_metrics import PartitionMetrics
from openclaw_stream.stream.state.ledger import Ledger
from openclaw_stream.stream.state.transaction_plan import DeadLetter, TransactionPlan
from openclaw_stream.telemetry.metrics import Metrics
from openclaw_stream.vocabulary import TuningType
from tests.stream.bench import ENDS, FIRES, OTHER, Partition, played
from tests.stream.results import result


class Exported:
    """The metrics of partition 3, and their exported values."""

    def __init__(self, ledger: Callable[[], Ledger | None] = lambda: None) -> None:
        self.all = Metrics()
        self.partition = PartitionMetrics(self.all, 3, ledger)

    def value(self, name: str, **labels: str) -> float | None:
        """Return a sample; None where it is not exported."""
        return self.all.registry.get_sample_value(f"openclaw_{name}", labels)

    def of_partition(self, name: str) -> float | None:
        return self.value(name, partition="3")


RECORD_TIME = 1_795_346_000_000


@pytest.fixture
def exported() -> Exported:
    return Exported()


def decoded(*alerts: Alert, warnings: tuple[str, ...] = ()) -> DecodedRecord:
    return DecodedRecord(list(alerts), [], list(warnings), "native", [])


def test_alerts_are_counted_by_format_and_status_with_their_batch(exported: Exported) -> None:
    exported.partition.count_decoded(b"g", decoded(FIRES), RECORD_TIME)
    exported.partition.count_decoded(b"g", decoded(FIRES, ENDS), RECORD_TIME)
    assert exported.value("alerts_total", format="native", status="firing") is None
    exported.partition.record_batch(2)
    exported.partition.record_batch(5)
    assert exported.of_partition("records_total") == 7
    assert exported.value("alerts_total", format="native", status="firing") == 2
    assert exported.value("alerts_total", format="native", status="resolved") == 1


def test_a_key_is_foreign_where_it_differs_from_the_group_of_the_only_alert(exported: Exported) -> None:
    exported.partition.count_decoded(None, decoded(FIRES), RECORD_TIME)
    exported.partition.count_decoded(b"g", decoded(FIRES), RECORD_TIME)
    exported.partition.count_decoded(b"another", decoded(FIRES), RECORD_TIME)
    exported.partition.count_decoded(b"another", decoded(FIRES, OTHER), RECORD_TIME)
    exported.partition.record_batch(4)
    exported.partition.record_batch(0)
    assert (exported.value("null_keys_total"), exported.value("foreign_keys_total")) == (1, 1)


def test_ignored_parts_of_many_records_are_logged_once(exported: Exported) -> None:
    with capture_logs() as lines:
        for n in range(100):
            exported.partition.count_decoded(
                b"g", decoded(FIRES, warnings=("labels are no object", f"last {n}")), RECORD_TIME
            )
    [line] = lines
    assert (line["event"], line["log_level"]) == ("parts of alerts were ignored", "warning")
    assert (line["count"], line["last"], line["partition"]) == (2, "last 0", 3)


def test_the_lag_is_measured_to_the_high_watermark(exported: Exported) -> None:
    partition = played(2)
    exported.partition.record_position(partition.ledger, 8, 12, None)
    assert exported.of_partition("stream_position") == 2
    assert exported.of_partition("log_stable_offset") == 8
    assert exported.of_partition("log_end_offset") == 12
    assert exported.of_partition("lag_records") == 10
    assert exported.of_partition("committed_offset") == 0, "none is known"
    exported.partition.record_position(partition.ledger, 1, 1, 2)
    assert exported.of_partition("lag_records") == 0, "the end was fetched before the position moved"
    assert exported.of_partition("committed_offset") == 2


def test_stream_time_is_in_seconds_and_zero_before_the_first_record(exported: Exported) -> None:
    partition = Partition()
    exported.partition.record_position(partition.ledger, 0, 0, None)
    assert exported.of_partition("stream_time_seconds") == 0
    partition.read(1500, FIRES)
    exported.partition.record_position(partition.ledger, 1, 1, None)
    assert exported.of_partition("stream_time_seconds") == 1.5


def test_restored_incidents_are_not_counted_as_opened_again(exported: Exported) -> None:
    partition = played(2)
    exported.partition.record_position(partition.ledger, 2, 2, 2)
    partition.start()
    exported.partition.count_restored(partition.ledger)
    exported.partition.record_position(partition.ledger, 2, 2, 2)
    assert exported.value("incidents_opened_total") == 1
    assert exported.value("restored_states_total") == 1
    assert exported.of_partition("open_incidents") == 1
    partition.read(20, replace(FIRES, group_key="new"))
    exported.partition.record_position(partition.ledger, 3, 3, 2)
    assert exported.value("incidents_opened_total") == 2


def test_a_commit_counts_what_it_has_published(exported: Exported) -> None:
    partition = Partition()
    partition.fold(4)
    cache = Suggestion(type=TuningType.CACHE, description="cache the catalogue")
    while partition.ledger.ready:
        partition.ledger.complete(partition.ledger.ready.popleft(), result(suggestions=[cache]), None)
    plan = partition.ledger.plan(lazy=True)
    assert plan
    exported.partition.count_committed(plan, 0.03)
    for kind in ("decision", "resolution"):
        assert exported.value("decisions_total", team="DB", event_type=kind, provider="rules") == 1
    assert exported.value("incidents_resolved_total", status="resolved") == 1
    assert exported.value("tuning_events_total", type="CACHE") == 2
    assert exported.value("decision_latency_seconds_count") == 2
    assert exported.value("transactions_total", result="committed") == 1
    assert exported.value("transaction_duration_seconds_sum") == pytest.approx(0.03)
    assert exported.value("gate_outcomes_total", gate="passed") == 1, "a resolution passes no gate"
    assert exported.value("degraded_decisions_total") == 0


def test_degraded_decisions_are_counted_without_resolutions(exported: Exported) -> None:
    partition = Partition()
    partition.fold(4)
    while partition.ledger.ready:
        partition.ledger.complete(partition.ledger.ready.popleft(), result(degraded=True), None)
    plan = partition.ledger.plan(lazy=True)
    assert plan
    assert len(plan.revisions) == 2
    exported.partition.count_committed(plan, 0.03)
    assert exported.value("degraded_decisions_total") == 1


def test_the_oldest_overdue_revision_ages_until_it_is_published(monkeypatch: pytest.MonkeyPatch) -> None:
    partition, now = Partition(), 0.0
    running = Exported(lambda: partition.ledger)
    monkeypatch.setattr("openclaw_stream.stream.partition_metrics.time.time", lambda: now)

    def overdue(at: float) -> float | None:
        nonlocal now
        now = at
        return running.of_partition("oldest_overdue_revision_seconds")

    assert overdue(0.0) is None, "nothing is restored"
    running.partition.count_restored(partition.ledger)
    partition.read(0, FIRES)
    partition.read(1, OTHER)
    assert overdue(0.003) == 0, "it gathers until 4 ms"
    assert overdue(10.004) == pytest.approx(10)
    partition.read(9, FIRES)
    partition.decide_next()
    partition.write()
    assert overdue(10.005) == pytest.approx(10), "the other one was due at 5 ms"
    partition.commit()
    assert overdue(99) == 0


def test_while_a_partition_is_restored_the_last_due_time_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    partition = Partition()
    ledger: Ledger | None = partition.ledger
    running = Exported(lambda: ledger)
    running.partition.count_restored(partition.ledger)
    partition.read(0, FIRES)
    monkeypatch.setattr("openclaw_stream.stream.partition_metrics.time.time", lambda: 5.004)
    assert running.of_partition("oldest_overdue_revision_seconds") == pytest.approx(5)
    ledger = None
    assert running.of_partition("oldest_overdue_revision_seconds") == pytest.approx(5)


def test_revisions_of_a_replay_are_not_overdue() -> None:
    partition = played(2)
    partition.reset(0)
    partition.read(0, FIRES)
    assert partition.ledger.pending == 1
    assert partition.ledger.oldest_due is None
    partition.read(1, OTHER)
    assert partition.ledger.oldest_due == 5, "this group is not replayed"


def test_the_generation_is_exported(exported: Exported) -> None:
    partition = played(2)
    exported.partition.count_restored(partition.ledger)
    assert exported.of_partition("generation") == 1
    partition.reset(0)
    exported.partition.count_restored(partition.ledger)
    assert exported.of_partition("generation") == 2


def test_a_partition_that_is_not_restored_exports_no_position(exported: Exported) -> None:
    for name in ("stream_position", "lag_records", "open_incidents", "generation"):
        assert exported.of_partition(name) is None


def test_dead_letters_are_counted_by_whether_other_alerts_of_the_record_were_folded(exported: Exported) -> None:
    letters = [DeadLetter(n, 0, None, b"", (), "bad", (1,) if n else ()) for n in range(3)]
    exported.partition.count_committed(TransactionPlan([], [], letters, 3, ""), 0.01)
    assert exported.value("dead_letters_total", reason="poison") == 1
    assert exported.value("dead_letters_total", reason="partial") == 2


def test_an_aborted_transaction_is_counted(exported: Exported) -> None:
    exported.partition.count_aborted()
    assert exported.value("transactions_total", result="aborted") == 1


def test_a_revoked_partition_exports_no_gauges_and_keeps_its_counters(exported: Exported) -> None:
    exported.partition.record_batch(5)
    exported.partition.record_position(played().ledger, 8, 8, 8)
    exported.partition.remove_gauges()
    for name in ("stream_position", "committed_offset", "lag_records", "open_incidents", "log_end_offset"):
        assert exported.of_partition(name) is None
    assert exported.of_partition("records_total") == 5


def test_skipped_alerts_are_counted_by_reason(exported: Exported) -> None:
    exported.partition.count_decoded(
        b"g", DecodedRecord([], [], [], "native", ["pending", "muted", "muted"]), RECORD_TIME
    )
    assert exported.value("skipped_alerts_total", reason="muted") == 2
    assert exported.value("skipped_alerts_total", reason="pending") == 1


def test_the_time_of_the_last_heartbeat_is_exported_in_seconds(exported: Exported) -> None:
    beating, ended = replace(ENDS, is_heartbeat=True), replace(FIRES, is_heartbeat=True)
    exported.partition.count_decoded(b"g", decoded(ended), RECORD_TIME - 5000)
    assert exported.value("last_heartbeat_timestamp_seconds") == 0
    exported.partition.count_decoded(b"g", decoded(beating), RECORD_TIME)
    assert exported.value("last_heartbeat_timestamp_seconds") == RECORD_TIME / 1000
