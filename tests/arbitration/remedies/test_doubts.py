"""What takes a command from the evidence: it is over, denied, of another workload, or something speaks against it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.arbitration.remedies import propose
from openclaw_stream.arbitration.remedies.statements import statements
from openclaw_stream.vocabulary import Language, Responsibility
from tests.builders import POD, alert, case_from

LABELS = {"namespace": "shop", "deployment": "checkout", "container": "app", "pod": POD}
HANG = "Worker threads are deadlocked."
RELEASE = "Errors since the rollout of 2.3.1."
BUSY = "CPU is at 97 % on 3 replicas."
OOM = "OOM killed at its limit of 512Mi."
STUCK = "The pod is stuck terminating."
ASKING = (HANG, RELEASE, BUSY, OOM, STUCK)


def command(summary: str, **annotations: str) -> str:
    stated = alert("Trouble", "", LABELS, annotations={"summary": summary, **annotations})
    return propose(case_from(stated), Responsibility.BE, None, Language.EN).command


@pytest.mark.parametrize("text", ASKING)
def test_each_text_alone_asks_for_a_command(text: str) -> None:
    assert command(text)


@pytest.mark.parametrize(
    "text",
    [
        "Worker threads were deadlocked yesterday",
        "The deadlock was resolved",
        "Deadlock cleared 5 minutes ago",
        "Memory leak fixed in 2.3.1",
        "The process hung only once",
        "執行緒死鎖已解除",
        "服務昨日曾無回應，現已恢復",
        "服務恢復後不再卡死",
        "OOM killed last night at its limit of 512Mi",
        "CPU was at 97 % on 3 replicas yesterday",
        "CPU is back from 97 %, 3 replicas",
        "The pod was stuck terminating, now gone",
        "memory limit was 512Mi before the change to 1Gi: OOM killed",
        "Error rate fell since the rollout of 2.3.1",
        "Error rate is normal since the release of 2.3.1",
        "上版後錯誤率下降",
        "上版後一切正常",
        "CPU throttling dropped, CPU limit 500m",
        "CPU dropped from 97 % to 20 % on 3 replicas",
        "CPU peaked at 97 % on 3 replicas, now 20 %",
        "CPU above 97 % is not seen on 3 replicas",
        "Errors since the release last month",
        "記憶體洩漏已在 2.3 修正",
    ],
)
def test_what_is_over_or_better_asks_for_no_command(text: str) -> None:
    assert command(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "Connection pool is not exhausted",
        "CPU limit of 500m is not throttled",
        "服務是否無回應？",
        "Deadlock detector enabled on all threads",
        "Thread pool full of tasks: traffic has doubled",
    ],
)
def test_what_is_denied_or_asked_asks_for_no_command(text: str) -> None:
    assert command(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "The payment gateway stopped responding",
        "The vendor stopped responding",
        "payments service is unresponsive",
        "Frozen food orders dropped",
        "The UI of the service is unresponsive",
        "Customer pool full",
        "Connection pool of the cart service exhausted",
        "thread stuck in call to fraud-service",
        "Job worker stuck waiting for lock held by cart",
        "支付閘道無回應",
        "對方服務無回應",
        "CPU is at 97 %; cart has 3 replicas",
        "CPU of cart is at 97 %, checkout has 3 replicas",
        "CPU is at 97 % on 3 replicas of cart",
        "CPU 使用率 97 %，購物車有 3 個副本",
        "CPU iowait is at 97 % on 3 replicas",
        "cart was OOM killed at its limit of 512Mi",
        "OOM killed: sidecar istio-proxy has a limit of 512Mi",
        "Errors after image resize",
        "Errors began with version 3 of the partner API",
        "Requests from version v2 clients fail",
        "購物車服務上版後開始出現錯誤",
        "商品更新後頁面錯誤",
        "Pod runs on node n1, node n2 is down",
        "Worker threads of the canary are deadlocked",
        "Memory leak in cart",
        "Connection pool exhausted by slow calls to inventory",
        "Connection pool exhausted: inventory slow",
        "All threads stuck: inventory returns 503",
        "The service is unresponsive since kafka went away",
        "Service unresponsive for 3 s",
        "Errors since version 17 of iOS",
        "Errors after the deploy by the payments team",
        "Errors since the update at the bank",
        "CPU at 97 % of request on 3 replicas",
        "CPU is at 97 % on 3 replicas per zone",
        "CPU is at 97 % on 3 replicas (max 10)",
        "GPU memory at 95 % of 16Gi",
        "Shared memory /dev/shm at 95 % of 64Mi",
        "Consumer stuck on offset 918273",
    ],
)
def test_what_is_about_something_else_asks_for_no_command(text: str) -> None:
    assert command(text) == ""


@pytest.mark.parametrize(
    ("text", "objection"),
    [
        (HANG, "Do not restart it: orders in memory would be lost."),
        (HANG, "A restart did not help."),
        (HANG, "It hangs again after a restart."),
        (HANG, "請勿重啟。"),
        (HANG, "重啟後仍然如此。"),
        (HANG, "No space left on device."),
        (HANG, "Third restart today."),
        (HANG, "In-flight jobs are lost if it restarts."),
        (HANG, "Keep the pods for analysis."),
        (HANG, "請先保留現場。"),
        (HANG, "This is a drill."),
        (HANG, "演練。"),
        (OOM, "It is expected during the maintenance."),
        (BUSY, "Clients retry."),
        (BUSY, "It was scaled to 6 at 10:02."),
        (RELEASE, "The hotfix is on its way: fix forward."),
        (OOM, "It is killed also after raising it."),
        (HANG, "DNS lookups fail."),
        (HANG, "The pods are pending."),
        (HANG, "A schema migration runs."),
        (HANG, "The consumer reads a poison message at offset 991."),
        (STUCK, "Do not delete the pod."),
        (STUCK, "Its finalizer waits."),
        (RELEASE, "It was rolled back already."),
        (RELEASE, "Do not roll back."),
        (RELEASE, "已於 10:02 退版。"),
        (BUSY, "Do not scale out: the licence allows 3."),
        (BUSY, "Pods are pending: insufficient cpu."),
        (BUSY, "It runs an infinite loop."),
        (BUSY, "請勿擴充。"),
        (OOM, "Do not raise the limit."),
        (OOM, "The node has no memory left."),
    ],
)
def test_an_objection_refuses_the_command(text: str, objection: str) -> None:
    assert command(f"{text} {objection}") == ""


@pytest.mark.parametrize("objection", ["Do not restart it", "A restart does not help", "請勿重啟"])
def test_guidance_speaks_against_a_command_and_never_for_one(objection: str) -> None:
    assert command(HANG, remediation=objection) == ""
    assert command("Error rate is high", remediation=HANG) == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The service is unresponsive", "rollout restart"),
        ("memory leak in the session store", "rollout restart"),
        ("Errors since the rollout of 2.3.1 on Monday in production", "rollout undo"),
        ("checkout hangs, requests wait", "rollout restart"),
        ("所有服務無回應，執行緒死鎖", "rollout restart"),
        ("Error rate is above normal since the rollout of 2.3.1", "rollout undo"),
        ("checkout 服務上版後錯誤增加", "rollout undo"),
        ("Requests fail, not resolved yet. Worker threads are deadlocked", "rollout restart"),
        ("container app of checkout was OOM killed at its limit of 512Mi", "set resources"),
        ("checkout has 3 replicas and CPU is at 97 %", "scale"),
    ],
)
def test_what_is_stated_about_the_workload_still_asks_for_a_command(text: str, expected: str) -> None:
    assert expected in command(text)


WORDS = st.sampled_from(
    ["the", "x" * 40, "worker", "stuck", "pools", "http-", "of", "limit", "not", "有", "服務", " ", "a"]
)


@given(st.lists(WORDS, max_size=30).map(" ".join), st.sampled_from(ASKING))
def test_an_objection_is_never_lost_in_other_words(words: str, text: str) -> None:
    objections = "Do not restart it. Do not scale out. Do not roll back. Do not delete the pod."
    assert command(f"{text} {words}. {objections}") == ""


def test_long_hostile_texts_are_read() -> None:
    for piece in ("the worker ", "worker-", "xxx ", "thread is ", "stuck in ", "後", "http-worker pool ", "a has "):
        assert statements(piece * 700, ("checkout",)) is not None


@pytest.mark.parametrize(
    "labels",
    [
        {"app": "redis"},
        {"app.kubernetes.io/component": "database"},
        {"image": "docker.io/library/postgres:15@sha256:0"},
        {"job": "mysql-exporter"},
        {"service": "mongo"},
    ],
)
def test_a_data_store_behind_a_plain_name_gets_no_command(labels: dict[str, str]) -> None:
    stated = alert("Trouble", HANG, {"namespace": "shop", "statefulset": "sessions", **labels})
    assert propose(case_from(stated), Responsibility.BE, None, Language.EN).command == ""
    named = alert("PostgresHangs", HANG, {"namespace": "shop", "statefulset": "sessions"})
    assert propose(case_from(named), Responsibility.BE, None, Language.EN).command == ""


@pytest.mark.parametrize("text", [HANG, RELEASE, BUSY, STUCK])
def test_an_incident_that_has_ended_asks_for_no_command(text: str) -> None:
    case = case_from(alert("Trouble", text, LABELS), resolved_early=True)
    assert propose(case, Responsibility.BE, None, Language.EN).command == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"metrics": {"kube_horizontalpodautoscaler_status_current_replicas": 3.0}},
        {"metrics": {"hpa_max_replicas": 5.0}},
        {"labels": {**LABELS, "hpa_name": "checkout"}},
        {"labels": {**LABELS, "scaler": "keda"}},
        {"labels": {**LABELS, "app.kubernetes.io/managed-by": "keda-operator"}},
        {"annotations": {"summary": BUSY, "runbook": "Look at the HPA first"}},
        {"annotations": {"summary": BUSY, "note": "minReplicas: 3"}},
    ],
)
def test_an_autoscaler_in_any_field_refuses_a_number_of_replicas(changes: dict[str, dict[str, str]]) -> None:
    fields = {"labels": LABELS, "annotations": {"summary": BUSY}, **changes}
    stated = alert("Trouble", "", **fields)
    assert propose(case_from(stated), Responsibility.BE, None, Language.EN).command == ""


def test_the_bounds_and_limits_that_another_controller_sets_are_left_alone() -> None:
    maxed = alert(
        "Maxed", "HPA is at its maximum of 10 replicas", {"namespace": "shop", "horizontalpodautoscaler": "keda-hpa-a"}
    )
    assert propose(case_from(maxed), Responsibility.BE, None, Language.EN).command == ""
    assert command(f"{OOM} A VPA sets its limits.") == ""


def test_a_name_in_two_namespaces_is_no_known_workload() -> None:
    here, there = (alert("Trouble", HANG, {"namespace": each, "deployment": "checkout"}) for each in ("a", "b"))
    assert propose(case_from(here, there), Responsibility.BE, None, Language.EN).command == ""
