import re

from prometheus_client import generate_latest
from prometheus_client.metrics import MetricWrapperBase

from openclaw_stream import __version__
from openclaw_stream.telemetry.metrics import Metrics


def own(metrics: Metrics) -> list[MetricWrapperBase]:
    return [value for value in vars(metrics).values() if isinstance(value, MetricWrapperBase)]


def test_metric_names_follow_the_conventions_and_have_help_texts() -> None:
    families = [family for metric in own(Metrics()) for family in metric.collect()]
    assert len(families) == len({family.name for family in families}) > 25
    for family in families:
        assert re.fullmatch(r"openclaw_[a-z_]+", family.name)
        assert not family.name.endswith("_total")
        assert family.documentation.endswith(".")


def test_counted_values_are_exposed() -> None:
    metrics = Metrics()
    metrics.records.labels(partition=3).inc(5)
    metrics.decisions.labels(team="DB", event_type="decision", provider="rules").inc()
    metrics.transaction_seconds.observe(0.03)
    metrics.stream_position.labels(partition=3).set(41)
    text = generate_latest(metrics.registry).decode()
    for line in (
        'openclaw_records_total{partition="3"} 5.0',
        'openclaw_decisions_total{event_type="decision",provider="rules",team="DB"} 1.0',
        "openclaw_transaction_duration_seconds_count 1.0",
        'openclaw_stream_position{partition="3"} 41.0',
        f'openclaw_build_info{{version="{__version__}"}} 1.0',
        "# TYPE process_cpu_seconds_total counter",
    ):
        assert line in text.splitlines()


def test_two_workers_in_one_process_do_not_share_a_registry() -> None:
    first, second = Metrics(), Metrics()
    first.tombstones.inc()
    assert first.registry.get_sample_value("openclaw_tombstones_total") == 1
    assert second.registry.get_sample_value("openclaw_tombstones_total") == 0


def test_the_gauges_of_a_revoked_partition_are_removed() -> None:
    metrics = Metrics()
    gauges = [metric for metric in own(metrics) if metric._type == "gauge" and metric._labelnames == ("partition",)]  # noqa: SLF001
    assert metrics.lag in gauges
    for gauge in gauges:
        gauge.labels(partition=1)
        gauge.labels(partition=2)
    metrics.records.labels(partition=1).inc()
    metrics.remove_partition(1)
    metrics.remove_partition(1)
    left = {
        (family.name, sample.labels["partition"])
        for gauge in gauges
        for family in gauge.collect()
        for sample in family.samples
    }
    assert {partition for _, partition in left} == {"2"}
    assert len(left) == len(gauges)
    assert metrics.registry.get_sample_value("openclaw_records_total", {"partition": "1"}) == 1
