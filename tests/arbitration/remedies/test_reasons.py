"""The conditions of each command, and the reasons of those that the evidence asks for."""

import pytest

from openclaw_stream.arbitration.kubectl import RefusedCommand, parse
from openclaw_stream.arbitration.remedies import reason_for
from openclaw_stream.arbitration.remedies.data_stores import is_data_store
from openclaw_stream.events.decision import GoldenSignals
from openclaw_stream.incidents.case import Case, Exemplar
from openclaw_stream.vocabulary import Language, Responsibility
from tests.arbitration.remedies.quotes import quotes_in, quotes_not_found
from tests.builders import POD, alert, case_from

SHOP = {"namespace": "shop", "deployment": "checkout", "container": "app"}
BUSY = "CPU is at 97 % on 3 replicas"
RESTART = "rollout restart deployment/checkout"
UNDO = "rollout undo deployment/checkout"
DELETE = f"delete pod/{POD}"
MEMORY = "set resources deployment/checkout --containers=app --limits=memory"
CPU = "set resources deployment/checkout --containers=app --limits=cpu"
LOADED = GoldenSignals(rps=900, rps_trend=0.8, p99_ms=2400)
WAITING = GoldenSignals(rps=100, rps_trend=0.0, p99_ms=2400)


def of(summary: str, **labels: str) -> Case:
    return case_from(alert("Trouble", summary, {**SHOP, **labels}))


def reason(command: str, case: Case, metrics: GoldenSignals | None = None, language: Language = Language.EN) -> str:
    return reason_for(parse(f"kubectl {command} -n shop"), case, metrics, language)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(
    ("command", "summary", "metrics"),
    [
        ("autoscale deployment/checkout --min=3 --max=6", BUSY, None),
        ("autoscale deployment/checkout --min=1 --max=3", "CPU is at 97 %, replicas: 1", None),
        ("autoscale deployment/checkout --min=3 --max=6", "The P99 is 2.4 s on 3 replicas", LOADED),
        ("scale deployment/checkout --replicas=6 --current-replicas=3", BUSY, None),
        ("scale deployment/checkout --replicas=4", "流量暴增，目前有 3 個副本", None),
        ("scale deployment/checkout --replicas=4", f"{BUSY}; the queue grows", None),
        ("scale deployment/checkout --replicas=2", "over-provisioned with 6 replicas", None),
        ('patch deployment/checkout --patch=\'{"spec":{"replicas":4}}\'', BUSY, None),
        (f"{MEMORY}=768Mi", "OOM killed at its limit of 512Mi", None),
        (f"{MEMORY}=1Gi", "OOM killed at its limit of 512Mi", None),
        (f"{MEMORY}=768Mi --requests=memory=512Mi", "Memory is at 95% of 512Mi", None),
        (f"{MEMORY}=256Mi", "over-provisioned: memory limit 512Mi", None),
        (f"{CPU}=750m", "throttled at its CPU limit of 500m", None),
        (f"{CPU}=750m", "CPU 使用率過高，CPU 上限 500m", None),
        (UNDO, "Errors since the rollout of 2.3.1", None),
        (UNDO, "checkout 2.3.1 上版後開始出現錯誤", None),
        (RESTART, "Worker threads are deadlocked", None),
        (RESTART, "服務無回應", None),
        (DELETE, "The pod is stuck terminating", None),
    ],
)
def test_the_evidence_asks_for_a_command(
    command: str, summary: str, metrics: GoldenSignals | None, language: Language
) -> None:
    case = of(summary, pod=POD)
    found = reason(command, case, metrics, language)
    assert quotes_in(found)
    assert quotes_not_found(found, case, metrics) == []
    assert ("告警" in found or "：" in found) is (language is Language.ZH_TW)


@pytest.mark.parametrize(
    ("command", "summary", "metrics", "why"),
    [
        ("autoscale deployment/checkout --min=2 --max=6", "CPU is at 97 %", None, "no alert states them"),
        ("autoscale deployment/checkout --min=2 --max=6", BUSY, None, "the minimum 2 is below the 3 replicas"),
        ("autoscale deployment/checkout --max=6", BUSY, None, "the minimum 1 is below the 3 replicas"),
        ("autoscale deployment/checkout --min=4 --max=6", BUSY, None, "the minimum 4 is above the 3 replicas"),
        ("autoscale deployment/checkout --min=3 --max=7", BUSY, None, "at most 6"),
        ("autoscale deployment/checkout --min=3 --max=3", BUSY, None, "not above the 3 replicas"),
        ("autoscale deployment/checkout --min=3 --max=6", f"{BUSY}, HPA is there", None, "the autoscaler that"),
        (
            "autoscale deployment/checkout --min=3 --max=6",
            "It is slow on 3 replicas",
            None,
            "needs CPU trouble or load",
        ),
        ("autoscale deployment/checkout --min=3 --max=6", "CPU is at 12% of 3 replicas", LOADED, "the CPU is low"),
        ("scale deployment/checkout --replicas=7", BUSY, None, "more than twice the 3"),
        ("scale deployment/checkout --replicas=3", BUSY, None, "run already"),
        ("scale deployment/checkout --replicas=5 --current-replicas=4", BUSY, None, "the alerts state 3"),
        ("scale deployment/checkout --replicas=2", BUSY, None, "needs evidence that the workload has more"),
        ("scale deployment/checkout --replicas=1", "over-provisioned with 6 replicas", None, "fewer than 2"),
        ("scale deployment/checkout --replicas=6", f"{BUSY}, stripe responds in 3 s", None, "a dependency"),
        ("scale deployment/checkout --replicas=6", "backlog in the queue, 3 replicas", LOADED, "a queue"),
        (
            "scale deployment/checkout --replicas=6",
            "P99 is high on 3 replicas. CPU is at 9%",
            WAITING,
            "the CPU is low",
        ),
        ("scale deployment/checkout --replicas=6", f"{BUSY}. There are 5 replicas", None, "different ones: 3, 5"),
        ('patch deployment/checkout --patch=\'{"spec":{"replicas":7}}\'', BUSY, None, "more than twice"),
        (f"{MEMORY}=1Gi", "OOM killed", None, "needs the current memory limit"),
        (f"{MEMORY}=1Gi", "It is slow; memory limit 512Mi", None, "needs memory trouble"),
        (f"{MEMORY}=2Gi", "OOM killed at its limit of 512Mi", None, "more than twice the current limit"),
        (f"{MEMORY}=512Mi", "OOM killed at its limit of 512Mi", None, "the limit at which it was killed"),
        (f"{MEMORY}=256Mi", "OOM killed at its limit of 512Mi", None, "needs evidence that the workload has more"),
        (
            "set resources deployment/checkout --containers=app --requests=memory=1Gi",
            "OOM killed at its limit of 512Mi",
            None,
            "is above the limit",
        ),
        (
            "set resources deployment/checkout --limits=memory=1Gi",
            "OOM killed at its limit of 512Mi",
            None,
            "every container",
        ),
        (
            "set resources deployment/checkout --containers=proxy --limits=memory=1Gi",
            "OOM killed at its limit of 512Mi",
            None,
            "no alert names the container proxy",
        ),
        (
            "set resources deployment/checkout --containers=app --limits=ephemeral-storage=1Gi",
            "OOM killed at its limit of 512Mi",
            None,
            "ephemeral-storage",
        ),
        (f"{CPU}=750m", "CPU is at 97 %", None, "needs the current cpu limit"),
        (f"{CPU}=750m", "It is slow; CPU limit 500m", None, "needs throttling or a saturated CPU"),
        (UNDO, "Error rate is high", None, "needs a release"),
        (UNDO, "Errors since the rollout of catalog:2.3", None, "needs a release"),
        (UNDO, "cart 2.3.1 上版後開始出現錯誤", None, "needs a release"),
        (UNDO, "Errors since the rollout of 2.3.1 with its migrations", None, "a migration"),
        (f"{UNDO} --to-revision=3", "Errors since the rollout of 2.3.1", None, "revision 3"),
        (RESTART, "Error rate is high", None, "needs a hang"),
        (RESTART, "This may be a memory leak", None, "needs a hang"),
        (RESTART, "CrashLoopBackOff, the threads are deadlocked", None, "does not cure a crash loop"),
        (RESTART, "A memory leak: it was OOM killed", None, "does not cure a kill for lack of memory"),
        (RESTART, "secret cart-tls not found, the process hangs", None, "does not cure a missing setting"),
        (RESTART, "ImagePullBackOff; the old pods are unresponsive", None, "an image that cannot be pulled"),
        (RESTART, "The connection pool is exhausted: postgres is slow", None, "a dependency"),
        (DELETE, "The pod keeps crashing", None, "does not cure a crash loop"),
        (DELETE, "Error rate is high", None, "itself is stuck"),
    ],
)
def test_the_evidence_does_not_ask_for_a_command(
    command: str, summary: str, metrics: GoldenSignals | None, why: str
) -> None:
    with pytest.raises(RefusedCommand, match=why):
        reason(command, of(summary, pod=POD), metrics)


def test_an_autoscaler_at_its_maximum_may_get_a_higher_one() -> None:
    maxed = alert(
        "KubeHpaMaxedOut",
        "HPA checkout has been at its maximum of 10 replicas",
        {"namespace": "shop", "horizontalpodautoscaler": "checkout"},
    )
    patch = "patch hpa/checkout --patch='{{\"spec\":{{{}}}}}'"
    assert "maximum of 10" in reason(patch.format('"maxReplicas":20'), case_from(maxed))
    for bounds in ('"maxReplicas":21', '"maxReplicas":10', '"minReplicas":2'):
        with pytest.raises(RefusedCommand, match="above the current 10 and at most twice"):
            reason(patch.format(bounds), case_from(maxed))
    calm = alert("HpaFlapping", "The HPA checkout flaps", {"namespace": "shop", "horizontalpodautoscaler": "checkout"})
    with pytest.raises(RefusedCommand, match="need it at its maximum"):
        reason(patch.format('"maxReplicas":20'), case_from(calm))
    waiting = alert(
        "KubeHpaMaxedOut",
        "HPA checkout has been at its maximum of 10 replicas, postgres is slow",
        {"namespace": "shop", "horizontalpodautoscaler": "checkout"},
    )
    with pytest.raises(RefusedCommand, match="a dependency"):
        reason(patch.format('"maxReplicas":20'), case_from(waiting))


def test_a_patch_of_resources_must_be_of_the_named_container() -> None:
    case = of("OOM killed at its limit of 512Mi")
    containers = (
        '{"spec":{"template":{"spec":{"containers":[{"name":"NAME","resources":{"limits":{"memory":"768Mi"}}}]}}}}'
    )
    patch = f"patch deployment/checkout --patch='{containers}'"
    assert "512Mi" in reason(patch.replace("NAME", "app"), case)
    with pytest.raises(RefusedCommand, match="not of the one container"):
        reason(patch.replace("NAME", "proxy"), case)
    operation = '[{"op":"replace","path":"/spec/template/spec/containers/0/resources/limits/memory","value":"768Mi"}]'
    with pytest.raises(RefusedCommand, match="by its position"):
        reason(f"patch deployment/checkout --type=json --patch='{operation}'", case)


@pytest.mark.parametrize(
    ("before", "after", "is_release"),
    [("2.3.0", "2.3.1", True), ("2.3.0", "2.3.0", False), ("", "2.3.1", False)],
)
def test_a_changed_image_is_a_release(before: str, after: str, *, is_release: bool) -> None:
    case = of("Error rate is high", previous_image=before, image=after)
    if is_release:
        assert "“2.3.1” (image of Trouble)" in reason(UNDO, case)
    else:
        with pytest.raises(RefusedCommand, match="needs a release"):
            reason(UNDO, case)


def test_a_label_with_a_state_counts_and_a_business_name_does_not() -> None:
    with pytest.raises(RefusedCommand, match="does not cure a crash loop"):
        reason(RESTART, of("threads are deadlocked", reason="CrashLoopBackOff"))
    with pytest.raises(RefusedCommand, match="needs a hang"):
        reason(RESTART, of("Error rate is high", service="deadlock-detector", app="hung-jury"))


def test_advice_in_annotations_is_no_evidence() -> None:
    advised = Exemplar(
        **{
            **{name: getattr(alert("Trouble", "Error rate is high", SHOP), name) for name in Exemplar.__slots__},
            "annotations": {"runbook": "The threads are deadlocked", "remediation": "The process is hung"},
        }
    )
    with pytest.raises(RefusedCommand, match="needs a hang"):
        reason(RESTART, case_from(advised))


def test_an_alert_about_another_workload_asks_for_nothing_but_may_refuse() -> None:
    mine = alert("Slow", "It is slow", SHOP)
    other = alert("Hang", "Worker threads are deadlocked", {"namespace": "shop", "deployment": "ledger"})
    with pytest.raises(RefusedCommand, match="needs a hang"):
        reason(RESTART, case_from(mine, other))
    hanging = alert("Hang", "Worker threads are deadlocked", SHOP)
    down = alert("Down", "postgres is down", {"namespace": "shop", "statefulset": "orders"})
    with pytest.raises(RefusedCommand, match="a dependency"):
        reason(RESTART, case_from(hanging, down))


def test_slow_without_load_and_with_idle_cpu_waits_for_something_else() -> None:
    hanging = of("Worker threads are deadlocked. CPU is at 9%")
    with pytest.raises(RefusedCommand, match="slow without load and with idle CPU"):
        reason(RESTART, hanging, WAITING)


def test_a_pod_without_a_known_controller_is_not_deleted() -> None:
    bare = case_from(alert("Stuck", "The pod is stuck terminating", {"namespace": "shop", "pod": "checkout"}))
    with pytest.raises(RefusedCommand, match="no alert names the controller"):
        reason("delete pod/checkout", bare)


def test_the_database_team_and_data_stores_get_no_command() -> None:
    hanging = of("Worker threads are deadlocked")
    with pytest.raises(RefusedCommand, match="the database team"):
        reason_for(parse(f"kubectl {RESTART} -n shop"), hanging, None, Language.EN, Responsibility.DB)
    store = alert("Hang", "Worker threads are deadlocked", {"namespace": "shop", "statefulset": "orders-db"})
    with pytest.raises(RefusedCommand, match="is a data store"):
        reason("rollout restart statefulset/orders-db", case_from(store))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("orders-db", True),
        ("redis-master", True),
        ("postgres-0", True),
        ("kafka-broker", True),
        ("postgresql-ha", True),
        ("mysql-orders", True),
        ("userdb", True),
        ("rook-ceph-osd", True),
        ("KafkaConsumerStuck", False),
        ("db-pool", False),
        ("kafka-consumer", False),
        ("mysql-proxy", False),
        ("checkout", False),
        ("feedback", False),
    ],
)
def test_a_name_shows_a_data_store(name: str, *, expected: bool) -> None:
    assert is_data_store(name) is expected


@pytest.mark.parametrize(
    ("command", "summary", "why"),
    [
        ("autoscale deployment/checkout --min=3 --max=6 --cpu=1%", BUSY, "the CPU target"),
        ("autoscale deployment/checkout --min=3 --max=6 --cpu=100%", BUSY, "the CPU target"),
        (
            "scale deployment/checkout --replicas=2",
            "over-provisioned with 6 replicas. CPU is at 97 %",
            "add to the CPU",
        ),
        ("scale deployment/checkout --replicas=2", "over-provisioned with 6 replicas. Do not scale in", "another size"),
        (f"{MEMORY}=256Mi", "over-provisioned: memory limit 512Mi. Memory is at 95 %", "the shortage of memory"),
        (f"{CPU}=100m", "over-provisioned: CPU limit 500m. The CPU is throttled", "add to the throttling"),
        (f"{MEMORY}=768Mi --requests=memory=8Mi", "OOM killed at its limit of 512Mi", "below half of the limit"),
        (
            "set resources deployment/checkout --containers=app --requests=memory=300Mi",
            "Memory is at 95% of 512Mi",
            "no alert states the current memory request",
        ),
    ],
)
def test_a_command_that_would_add_to_the_trouble_is_refused(command: str, summary: str, why: str) -> None:
    with pytest.raises(RefusedCommand, match=why):
        reason(command, of(summary))


@pytest.mark.parametrize("label", ["app", "service", "workload", "statefulset"])
def test_an_alert_is_about_its_workload_and_not_about_other_names_in_it(label: str) -> None:
    kind = label if label == "statefulset" else "deployment"
    case = of("Worker threads are deadlocked", **{label: "gateway"})
    with pytest.raises(RefusedCommand, match="needs a hang"):
        reason(f"rollout restart {kind}/gateway", case)
    assert reason(RESTART, case)


def test_an_alert_of_another_namespace_asks_for_nothing() -> None:
    here = alert("Hang", "Worker threads are deadlocked", SHOP)
    there = alert("Slow", "It is slow", {"namespace": "pay", "deployment": "checkout"})
    case = case_from(here, there)
    assert reason(RESTART, case)
    with pytest.raises(RefusedCommand, match="needs a hang"):
        reason_for(parse(f"kubectl {RESTART} -n pay"), case, None, Language.EN)


@pytest.mark.parametrize(
    "summary",
    [
        "HPA cart is at its maximum of 10 replicas",
        "The HPA is calm. The disk is at its maximum of 10 GB",
        "The HPA is calm. Connections reached their maximum of 10",
    ],
)
def test_a_maximum_of_something_else_is_not_raised(summary: str) -> None:
    patch = 'patch hpa/checkout --patch=\'{"spec":{"maxReplicas":15}}\''
    with pytest.raises(RefusedCommand, match="need it at its maximum"):
        reason(patch, of(summary))


@pytest.mark.parametrize(
    ("name", "quoted"),
    [("OrderHang", "「服務無回應」（OrderHang 的訊息）"), ("訂單服務無回應", "「服務無回應」（訂單服務無回應的訊息）")],
)
def test_chinese_has_its_own_quotation_marks_and_no_blank_after_a_chinese_name(name: str, quoted: str) -> None:
    case = case_from(alert(name, "", {"pod": POD}, message="服務無回應"))
    assert quoted in reason(RESTART, case, None, Language.ZH_TW)
