"""Tuning suggestions by fault type and metrics."""

import pytest

from openclaw_stream.arbitration.tuning.suggestions import tuning_suggestions
from openclaw_stream.events.decision import GoldenSignals, Judgement
from openclaw_stream.incidents.case import Exemplar
from openclaw_stream.vocabulary import Language, Responsibility, TuningType
from tests.arbitration.oracle import is_safe
from tests.arbitration.tuning.checkout import checkout_alert, suggested
from tests.builders import POD, case, exemplar, judgement

RESTART = "kubectl rollout restart deployment/checkout -n shop"


@pytest.mark.parametrize(
    ("alert", "metrics", "kind", "command"),
    [
        (
            checkout_alert("HighCPU"),
            GoldenSignals(rps=250),
            TuningType.HPA,
            "kubectl autoscale deployment/checkout --min=2 --max=10 --cpu=70% -n shop",
        ),
        (
            checkout_alert("HighCPU", metrics={"rps": 250, "replicas": 8}),
            None,
            TuningType.HPA,
            "kubectl autoscale deployment/checkout --min=8 --max=16 --cpu=70% -n shop",
        ),
        (
            checkout_alert("CPUThrottlingHigh", container="app"),
            GoldenSignals(rps=100),
            TuningType.RESOURCE_LIMIT,
            "kubectl set resources deployment/checkout --containers=app --limits=cpu=2 -n shop",
        ),
        (
            checkout_alert("HighCPU", metrics={"cpu_limit_cores": 1.5}),
            None,
            TuningType.RESOURCE_LIMIT,
            "kubectl set resources deployment/checkout --limits=cpu=2250m -n shop",
        ),
        (
            checkout_alert("HighMemoryUsage"),
            None,
            TuningType.RESOURCE_LIMIT,
            "kubectl set resources deployment/checkout --limits=memory=2Gi -n shop",
        ),
        (
            checkout_alert(
                "KubePodCrashLooping", message="last state OOMKilled", metrics={"memory_limit_bytes": 2**29}
            ),
            None,
            TuningType.RESOURCE_LIMIT,
            "kubectl set resources deployment/checkout --limits=memory=768Mi -n shop",
        ),
        (checkout_alert("KubePodCrashLooping"), None, TuningType.RESTART, RESTART),
        (
            checkout_alert("HighLatency", metrics={"replicas": 4}),
            GoldenSignals(p99_ms=750),
            TuningType.SCALE,
            "kubectl scale deployment/checkout --replicas=6 --current-replicas=4 -n shop",
        ),
        (
            checkout_alert("HighLatency", metrics={"replicas": 4}),
            GoldenSignals(p99_ms=90_000),
            TuningType.SCALE,
            "kubectl scale deployment/checkout --replicas=8 --current-replicas=4 -n shop",
        ),
        (
            checkout_alert("HighLatency", metrics={"replicas": 80, "p99_ms": 900}),
            None,
            TuningType.SCALE,
            "kubectl scale deployment/checkout --replicas=100 --current-replicas=80 -n shop",
        ),
        (
            checkout_alert("HighLatency"),
            GoldenSignals(p99_ms=501),
            TuningType.HPA,
            "kubectl autoscale deployment/checkout --min=2 --max=10 --cpu=70% -n shop",
        ),
        (checkout_alert("HighLatency"), GoldenSignals(p99_ms=500), TuningType.CACHE, ""),
        (checkout_alert("HighLatency"), None, TuningType.CACHE, ""),
        (checkout_alert("TooManyQueries"), None, TuningType.CACHE, ""),
        (checkout_alert("記憶體過高"), None, TuningType.RESOURCE_LIMIT, None),
        (checkout_alert("Unhealthy", message="回應時間過長"), None, TuningType.CACHE, ""),
    ],
)
def test_fault_type_and_metrics_select_the_tuning(
    alert: Exemplar, metrics: GoldenSignals | None, kind: TuningType, command: str | None
) -> None:
    (suggestion,) = suggested(alert, metrics=metrics)
    assert suggestion.type is kind
    assert command is None or suggestion.kubectl_or_config == command
    assert suggestion.kubectl_or_config == "" or is_safe(suggestion.kubectl_or_config)
    assert "checkout" in suggestion.description


def test_alerts_of_other_types_suggest_nothing() -> None:
    assert suggested(checkout_alert("CertificateExpiresSoon"), checkout_alert("DiskFull")) == []


@pytest.mark.parametrize("metric", ["cpu_limit", "memory_limit_bytes", "replicas", "p99_ms", "rps"])
@pytest.mark.parametrize("value", [1e308, 1e300, 5e-324, float("inf"), float("nan"), -1.0])
def test_invalid_metric_values_are_ignored(metric: str, value: float) -> None:
    alerts = [checkout_alert(name, metrics={metric: value}) for name in ("HighCPU", "OOM", "HighLatency")]
    suggestions = suggested(*alerts)
    assert len(suggestions) == 3
    assert all(len(suggestion.kubectl_or_config) < 200 for suggestion in suggestions)


def test_a_daemonset_is_not_scaled() -> None:
    agent = exemplar("HighCPU", {"daemonset": "agent"}, namespace="shop")
    (suggestion,) = suggested(agent, metrics=GoldenSignals(rps=1000))
    assert suggestion.kubectl_or_config == "kubectl set resources daemonset/agent --limits=cpu=2 -n shop"
    slow = exemplar("HighLatency", {"daemonset": "agent"}, namespace="shop")
    assert suggested(slow, metrics=GoldenSignals(p99_ms=5000))[0].type is TuningType.CACHE


def test_without_a_workload_or_namespace_there_is_no_command() -> None:
    alert = exemplar("HighMemoryUsage", {"instance": "10.0.0.1"})
    (unknown,) = tuning_suggestions(judgement(), case(alert, service=""), None, Language.EN)
    assert unknown.kubectl_or_config == ""
    assert "the workload" in unknown.description
    alert = exemplar("HighMemoryUsage", {"deployment": "checkout"})
    (unplaced,) = tuning_suggestions(judgement(), case(alert, namespace="", service=""), None, Language.EN)
    assert unplaced.kubectl_or_config == ""


def test_an_invalid_workload_name_gets_no_command() -> None:
    alert = exemplar("HighMemoryUsage", {"deployment": "check;out\u202e"}, namespace="shop")
    (suggestion,) = tuning_suggestions(judgement(), case(alert, service=""), None, Language.EN)
    assert suggestion.kubectl_or_config == ""
    assert "\u202e" not in suggestion.description


@pytest.mark.parametrize("container", ["app --requests=cpu=100", "app,sidecar", "*", "App", ""])
def test_a_container_name_injects_no_flags(container: str) -> None:
    (suggestion,) = suggested(checkout_alert("HighMemoryUsage", container=container))
    assert suggestion.kubectl_or_config == "kubectl set resources deployment/checkout --limits=memory=2Gi -n shop"


@pytest.mark.parametrize(
    "alert",
    [
        exemplar("OOM", {"deployment": "checkout --containers=x"}, namespace="shop"),
        exemplar("OOM", {"deployment": "checkout"}, namespace="shop --requests=cpu=1"),
    ],
)
def test_a_workload_or_namespace_injects_no_flags(alert: Exemplar) -> None:
    (suggestion,) = tuning_suggestions(judgement(), case(alert, service=""), None, Language.EN)
    assert suggestion.kubectl_or_config == ""


@pytest.mark.parametrize(
    "judged",
    [
        judgement(primary_responsibility=Responsibility.DB),
        judgement(primary_responsibility=Responsibility.COLLAB, secondary_teams=[Responsibility.DB]),
    ],
)
def test_databases_get_no_command(judged: Judgement) -> None:
    (suggestion,) = suggested(checkout_alert("PodCrashLooping"), judged=judged)
    assert suggestion.type is TuningType.RESTART
    assert suggestion.kubectl_or_config == ""


def test_a_pod_names_the_workload_to_tune() -> None:
    alert = exemplar("PodCrashLooping", {"pod": POD}, namespace="shop")
    (suggestion,) = tuning_suggestions(judgement(), case(alert, service=""), None, Language.EN)
    assert suggestion.kubectl_or_config == RESTART


def test_each_fault_type_is_tuned_once() -> None:
    alerts = [checkout_alert(name) for name in ("HighCPU", "HighCPUAgain", "HighMemoryUsage", "PodCrashLooping")]
    assert [each.type for each in suggested(*alerts)] == [
        TuningType.RESOURCE_LIMIT,
        TuningType.RESOURCE_LIMIT,
        TuningType.RESTART,
    ]
