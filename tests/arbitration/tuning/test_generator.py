"""Tuning suggestions by fault type and metrics."""

import pytest

from openclaw_stream.arbitration.tuning.suggestions import tuning_suggestions
from openclaw_stream.events.decision import GoldenSignals, Judgement
from openclaw_stream.incidents.case import Exemplar
from openclaw_stream.vocabulary import Language, Responsibility, TuningType
from tests.arbitration.oracle import is_safe
from tests.arbitration.remedies.quotes import quotes_in, quotes_not_found
from tests.arbitration.tuning.checkout import checkout_alert, suggested
from tests.builders import POD, case, exemplar, judgement

HANG = "Worker threads are deadlocked"
RESTART = "kubectl rollout restart deployment/checkout -n shop"
LIMITED = {"memory_limit_bytes": 2**29, "cpu_limit_cores": 1.5}
BUSIER = GoldenSignals(rps=900, rps_trend=0.8, p99_ms=750)


@pytest.mark.parametrize(
    ("alert", "metrics", "kind", "command"),
    [
        (
            checkout_alert("HighCPU", metrics={"rps": 250, "replicas": 8}),
            None,
            TuningType.HPA,
            "kubectl autoscale deployment/checkout --min=8 --max=16 --cpu=70% -n shop",
        ),
        (
            checkout_alert("HighCPU", metrics={"replicas": 1}),
            GoldenSignals(rps=101),
            TuningType.HPA,
            "kubectl autoscale deployment/checkout --min=1 --max=3 --cpu=70% -n shop",
        ),
        (
            checkout_alert("CPUThrottlingHigh", container="app", metrics=LIMITED),
            GoldenSignals(rps=100),
            TuningType.RESOURCE_LIMIT,
            "kubectl set resources deployment/checkout --containers=app --limits=cpu=2250m -n shop",
        ),
        (
            checkout_alert("HighCPU", container="app", message="CPU limit of 200m"),
            None,
            TuningType.RESOURCE_LIMIT,
            "kubectl set resources deployment/checkout --containers=app --limits=cpu=300m -n shop",
        ),
        (
            checkout_alert("HighMemoryUsage", container="app", metrics=LIMITED),
            None,
            TuningType.RESOURCE_LIMIT,
            "kubectl set resources deployment/checkout --containers=app --limits=memory=768Mi -n shop",
        ),
        (
            checkout_alert("KubePodCrashLooping", message="OOMKilled at its limit of 1Gi", container="app"),
            None,
            TuningType.RESOURCE_LIMIT,
            "kubectl set resources deployment/checkout --containers=app --limits=memory=1536Mi -n shop",
        ),
        (checkout_alert("CheckoutCrashed", message=HANG), None, TuningType.RESTART, RESTART),
        (
            checkout_alert("HighLatency", metrics={"replicas": 4}),
            BUSIER,
            TuningType.SCALE,
            "kubectl scale deployment/checkout --replicas=6 --current-replicas=4 -n shop",
        ),
        (
            checkout_alert("HighLatency", metrics={"replicas": 4, "cpu_percent": 97}),
            GoldenSignals(p99_ms=90_000),
            TuningType.SCALE,
            "kubectl scale deployment/checkout --replicas=8 --current-replicas=4 -n shop",
        ),
        (
            checkout_alert("HighLatency", metrics={"replicas": 80, "p99_ms": 900, "cpu_percent": 97}),
            None,
            TuningType.SCALE,
            "kubectl scale deployment/checkout --replicas=100 --current-replicas=80 -n shop",
        ),
    ],
)
def test_fault_type_and_metrics_select_the_tuning(
    alert: Exemplar, metrics: GoldenSignals | None, kind: TuningType, command: str
) -> None:
    (suggestion,) = suggested(alert, metrics=metrics)
    assert (suggestion.type, suggestion.kubectl_or_config) == (kind, command)
    assert is_safe(command)
    assert "checkout" in suggestion.description
    assert not quotes_not_found(suggestion.command_reason, case(alert), metrics)
    assert quotes_in(suggestion.command_reason)


@pytest.mark.parametrize(
    ("alert", "metrics", "kind", "words"),
    [
        (checkout_alert("HighCPU"), GoldenSignals(rps=250), TuningType.HPA, "look up the current replicas"),
        (checkout_alert("HighCPU"), GoldenSignals(rps=100), TuningType.RESOURCE_LIMIT, "Look up the CPU limit"),
        (checkout_alert("HighMemoryUsage"), None, TuningType.RESOURCE_LIMIT, "Look up the memory limit"),
        (checkout_alert("HighMemoryUsage", metrics=LIMITED), None, TuningType.RESOURCE_LIMIT, "Look up the memory"),
        (checkout_alert("KubePodCrashLooping"), None, TuningType.RESTART, "exit code"),
        (checkout_alert("KubePodCrashLooping", message=HANG), None, TuningType.RESTART, "exit code"),
        (
            checkout_alert("HighLatency", metrics={"replicas": 4}),
            GoldenSignals(p99_ms=750),
            TuningType.SCALE,
            "help only if it is short of CPU",
        ),
        (checkout_alert("HighLatency"), GoldenSignals(p99_ms=501), TuningType.SCALE, "the current replicas"),
        (checkout_alert("HighLatency"), GoldenSignals(p99_ms=500), TuningType.CACHE, "the same for all users"),
        (
            checkout_alert("HighLatency", message="Traffic has doubled"),
            None,
            TuningType.CACHE,
            "the same for all users",
        ),
        (checkout_alert("TooManyQueries"), None, TuningType.CACHE, "the same for all users"),
        (checkout_alert("記憶體過高"), None, TuningType.RESOURCE_LIMIT, "Look up the memory limit"),
        (
            checkout_alert("Unhealthy", message="回應時間過長"),
            GoldenSignals(p99_ms=480),
            TuningType.CACHE,
            "the same for all users",
        ),
    ],
)
def test_without_what_a_command_needs_there_is_advice(
    alert: Exemplar, metrics: GoldenSignals | None, kind: TuningType, words: str
) -> None:
    (suggestion,) = suggested(alert, metrics=metrics)
    assert (suggestion.type, suggestion.kubectl_or_config, suggestion.command_reason) == (kind, "", "")
    assert words in suggestion.description
    assert "checkout" in suggestion.description


def test_alerts_of_other_types_suggest_nothing() -> None:
    assert suggested(checkout_alert("CertificateExpiresSoon"), checkout_alert("DiskFull")) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [("RequestRateTooLow", ""), ("TrafficDrop", "checkout gets fewer requests"), ("流量過低", ""), ("SLOSlowBurn", "")],
)
def test_less_traffic_and_a_slow_burn_need_no_cache(name: str, message: str) -> None:
    assert suggested(checkout_alert(name, message=message)) == []


@pytest.mark.parametrize(
    ("name", "message", "metrics"),
    [
        ("HighCPU", "CPU at 93 %, HPA 6 of 20", GoldenSignals(rps=312)),
        ("HighCPU", "CPU at 93 %, pods are pending", GoldenSignals(rps=312)),
        ("HighLatency", "P99 rises, HPA 6 of 20", GoldenSignals(p99_ms=900)),
        ("HighLatency", "Stripe responds in 3 s", BUSIER),
        ("HighLatency", "Stripe responds in 3 s", None),
        ("HighLatency", "", None),
        ("API 延遲過高", "追蹤顯示 3.9 秒花在簡訊供應商 API", GoldenSignals(p99_ms=4200)),
        ("HighLatency", "requests wait for the database, which is slow", GoldenSignals(p99_ms=900)),
        ("HighLatency", "one of the replicas is a hot spot", GoldenSignals(p99_ms=900)),
        ("HighMemoryUsage", "memory is high, pods cannot be placed: insufficient memory", None),
        ("HighMemoryUsage", "JVM heap at 95 %", None),
        ("HighCPU", "load test: game day", None),
    ],
)
def test_no_change_is_suggested_that_the_alert_speaks_against(
    name: str, message: str, metrics: GoldenSignals | None
) -> None:
    assert suggested(checkout_alert(name, message), metrics=metrics) == []


@pytest.mark.parametrize(
    "message",
    [
        "Third-party script of the chat widget is slow to load",
        "Room availability answers slowly",
        "Login requests are slow",
        "Uploads are slow",
        "Hot key campaign:11 makes requests slow",
        "庫存查詢延遲",
    ],
)
def test_what_must_be_current_gets_no_cache(message: str) -> None:
    assert suggested(checkout_alert("HighLatency", message), metrics=GoldenSignals(p99_ms=480)) == []


@pytest.mark.parametrize("name", ["RedisMemoryHigh", "HighCPU"])
def test_a_data_store_gets_no_advice_on_its_container(name: str) -> None:
    store = exemplar(name, {"statefulset": "session-redis"}, namespace="cache", service="session-redis")
    assert tuning_suggestions(judgement(), case(store, service="session-redis"), None, Language.EN) == []
    judged = judgement(primary_responsibility=Responsibility.DB)
    assert suggested(checkout_alert(name), judged=judged) == []


@pytest.mark.parametrize(
    "message",
    [
        "container exits with SIGSEGV, memory dump written",
        "exit code 139, segmentation fault",
        "panic: runtime error: invalid memory address or nil pointer dereference",
    ],
)
def test_a_crash_of_the_program_asks_for_no_memory(message: str) -> None:
    (suggestion,) = suggested(checkout_alert("PodCrashLooping", message, LIMITED, container="app"))
    assert (suggestion.type, suggestion.kubectl_or_config) == (TuningType.RESTART, "")
    assert "limit" not in suggestion.description


def test_what_waits_in_a_queue_needs_no_cache() -> None:
    assert suggested(checkout_alert("HighLatency", message="Jobs of checkout wait 9 min in the queue")) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ScheduleToStartLatency", "p95 is 412 s on task queue orders"),
        ("EventLoopLagHigh", "event loop lag p99 1.9 s"),
        ("JobLatencyHigh", "jobs wait 20 min"),
        ("回應變慢", "佇列延遲 20 分鐘"),
        ("PodCrashLooping", 'crash loop: secret "checkout-db" not found'),
        ("PodCrashLooping", "back-off pulling image: manifest unknown"),
    ],
)
def test_a_delay_of_work_and_a_container_that_cannot_start_have_no_tuning(name: str, message: str) -> None:
    assert not suggested(checkout_alert(name, message=message))


@pytest.mark.parametrize("metric", ["cpu_limit", "memory_limit_bytes", "replicas", "p99_ms", "rps"])
@pytest.mark.parametrize("value", [1e308, 1e300, 5e-324, float("inf"), float("nan"), -1.0])
def test_invalid_metric_values_are_ignored(metric: str, value: float) -> None:
    names = ("HighCPU", "OOM", "HighLatency")
    alerts = [checkout_alert(name, "Traffic has doubled", metrics={metric: value}) for name in names]
    suggestions = suggested(*alerts)
    assert len(suggestions) == 3
    assert all(len(suggestion.kubectl_or_config) < 200 for suggestion in suggestions)


def test_a_daemonset_is_not_scaled() -> None:
    labels = {"daemonset": "agent", "container": "agent"}
    agent = exemplar("HighCPU", labels, namespace="shop", metrics={"cpu_limit": 1, "replicas": 3})
    (suggestion,) = suggested(agent, metrics=GoldenSignals(rps=1000))
    command = "kubectl set resources daemonset/agent --containers=agent --limits=cpu=1500m -n shop"
    assert suggestion.kubectl_or_config == command
    slow = exemplar("HighLatency", labels, namespace="shop", metrics={"replicas": 3})
    assert suggested(slow, metrics=BUSIER) == []


def test_without_a_workload_or_namespace_there_is_no_command() -> None:
    alert = exemplar("HighMemoryUsage", {"instance": "10.0.0.1"})
    assert tuning_suggestions(judgement(), case(alert, service=""), None, Language.EN) == []
    (unknown,) = tuning_suggestions(judgement(), case(alert), None, Language.EN)
    assert unknown.kubectl_or_config == ""
    assert "checkout" in unknown.description
    alert = exemplar("HighMemoryUsage", {"deployment": "checkout"})
    (unplaced,) = tuning_suggestions(judgement(), case(alert, namespace=""), None, Language.EN)
    assert unplaced.kubectl_or_config == ""


@pytest.mark.parametrize(
    ("alert", "team"),
    [
        (exemplar("HighMemoryUsage", {"instance": "10.0.0.1"}), Responsibility.INFRA),
        (exemplar("HighMemoryUsage", {"instance": "10.0.0.1"}), Responsibility.DB),
        (checkout_alert("LatencyHigh"), Responsibility.INFRA),
        (checkout_alert("SlowQueries"), Responsibility.DB),
        (exemplar("AppCrashRateHigh", {"app": "shop-android"}), Responsibility.FE),
        (exemplar("FlinkJobRestartIncreasing", {"job_name": "totals"}), Responsibility.BE),
    ],
)
def test_nothing_is_suggested_for_what_cannot_be_tuned(alert: Exemplar, team: Responsibility) -> None:
    assert suggested(alert, judged=judgement(primary_responsibility=team)) == []


def test_what_is_hardly_used_gets_no_higher_limit() -> None:
    assert suggested(checkout_alert("ContainerLowCpuUtilization", metrics={"cpu_percent": 3})) == []


def test_an_invalid_workload_name_gets_no_command() -> None:
    alert = exemplar("HighMemoryUsage", {"deployment": "check;out\u202e"}, namespace="shop")
    (suggestion,) = tuning_suggestions(judgement(), case(alert), None, Language.EN)
    assert suggestion.kubectl_or_config == ""
    assert "\u202e" not in suggestion.description


@pytest.mark.parametrize("container", ["app --requests=cpu=100", "app,sidecar", "*", "App", ""])
def test_a_container_name_injects_no_flags(container: str) -> None:
    (suggestion,) = suggested(checkout_alert("HighMemoryUsage", container=container, metrics=LIMITED))
    assert suggestion.kubectl_or_config == ""


@pytest.mark.parametrize(
    "alert",
    [
        exemplar("OOM", {"deployment": "checkout --containers=x"}, namespace="shop"),
        exemplar("OOM", {"deployment": "checkout"}, namespace="shop --requests=cpu=1"),
    ],
)
def test_a_workload_or_namespace_injects_no_flags(alert: Exemplar) -> None:
    (suggestion,) = tuning_suggestions(judgement(), case(alert), None, Language.EN)
    assert suggestion.kubectl_or_config == ""


@pytest.mark.parametrize(
    "judged",
    [
        judgement(primary_responsibility=Responsibility.DB),
        judgement(primary_responsibility=Responsibility.COLLAB, secondary_teams=[Responsibility.DB]),
    ],
)
def test_databases_get_no_command(judged: Judgement) -> None:
    (suggestion,) = suggested(checkout_alert("PodCrashed", message=HANG), judged=judged)
    assert suggestion.type is TuningType.RESTART
    assert suggestion.kubectl_or_config == ""


def test_a_pod_names_the_workload_to_tune() -> None:
    alert = exemplar("PodCrashed", {"pod": POD}, message=HANG, namespace="shop")
    (suggestion,) = tuning_suggestions(judgement(), case(alert, service=""), None, Language.EN)
    assert suggestion.kubectl_or_config == RESTART


def test_each_fault_type_is_tuned_once() -> None:
    alerts = [checkout_alert(name) for name in ("HighCPU", "HighCPUAgain", "HighMemoryUsage", "PodCrashLooping")]
    assert [each.type for each in suggested(*alerts)] == [
        TuningType.RESOURCE_LIMIT,
        TuningType.RESOURCE_LIMIT,
        TuningType.RESTART,
    ]
