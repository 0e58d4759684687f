"""Facts in texts: what is stated, denied, supposed, or about something else, in English and Chinese."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.arbitration.remedies.patterns import Fact
from openclaw_stream.arbitration.remedies.statements import named_facts, statements
from openclaw_stream.text import safe_text

OWN = ("checkout", "cart")


def certain(text: str) -> set[Fact]:
    """Return the facts that a text states about the workload itself."""
    return {each.fact for each in statements(text, OWN) if each.certain and not each.name}


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("CPU of cart is at 97% since the rollout of 2.3.1", {Fact.CPU_HIGH, Fact.RELEASE}),
        ("96 % of their CPU is used", {Fact.CPU_HIGH}),
        ("CPU idle is below 5%", {Fact.CPU_HIGH}),
        ("CPU is only at 12 %", {Fact.CPU_LOW}),
        ("Traffic is high, CPU is low", {Fact.LOAD, Fact.CPU_LOW}),
        ("Traffic has doubled and CPU is saturated", {Fact.LOAD, Fact.CPU_HIGH}),
        ("traffic does not rise", set()),
        ("traffic runs over the second provider", set()),
        ("The CPU is not high", {Fact.CPU_LOW}),
        ("Container app was OOM killed 7 times", {Fact.OOM_KILL}),
        ("Memory of checkout is at its limit of 512 MiB", {Fact.MEMORY_HIGH, Fact.MEMORY_LIMIT}),
        ("available memory is below 5%", {Fact.MEMORY_HIGH}),
        ("Processes are throttled for 40% of the time", {Fact.THROTTLED}),
        ("HPA cart has been at its maximum of 10 replicas", {Fact.AUTOSCALER, Fact.AT_MAXIMUM, Fact.HPA_MAX}),
        ("Errors began with version 2.3.1", {Fact.RELEASE}),
        ("After deploy of cart:2.3.1 requests fail", {Fact.RELEASE}),
        ("Worker threads are deadlocked", {Fact.HANG}),
        ("The connection pool is exhausted", {Fact.HANG}),
        ("database connection pool exhausted: 50 of 50 in use", {Fact.HANG}),
        ("memory leak in the session store", {Fact.HANG}),
        ("It still uses the old certificate", {Fact.HANG}),
        ("CrashLoopBackOff: back-off restarting failed container", {Fact.CRASH_LOOP}),
        ("The container restarted 12 times", {Fact.CRASH_LOOP}),
        ("secret cart-tls not found", {Fact.MISSING_SETTING}),
        ("Failed to pull image registry.example/cart:2.3", {Fact.IMAGE_PULL}),
        ("The pod is stuck terminating", {Fact.STUCK_POD}),
        ("The pod runs on node worker-3, which is unreachable", {Fact.STUCK_POD}),
        ("P99 is 3 s; Stripe responds in 2.8 s", {Fact.DEPENDENCY}),
        ("The backlog of the queue is 12000 messages", {Fact.QUEUE}),
        ("The deployment is over-provisioned", {Fact.OVERSIZED}),
        ("自 2.3.1 上版後錯誤率上升", {Fact.RELEASE}),
        ("CPU 使用率過高", {Fact.CPU_HIGH}),
        ("CPU 只有 12%", {Fact.CPU_LOW}),
        ("流量暴增", {Fact.LOAD}),
        ("記憶體使用率過高，上限 512Mi", {Fact.MEMORY_HIGH, Fact.MEMORY_LIMIT}),
        ("服務無回應，執行緒死鎖", {Fact.HANG}),
        ("執行緒池已耗盡", {Fact.HANG}),
        ("CPU 節流嚴重，CPU 上限 500m", {Fact.THROTTLED, Fact.CPU_LIMIT}),
        ("容器不斷重啟", {Fact.CRASH_LOOP}),
        ("缺少環境變數 DB_HOST", {Fact.MISSING_SETTING}),
        ("等待資料庫回應逾時", {Fact.DEPENDENCY}),
        ("副本過多", {Fact.OVERSIZED}),
    ],
)
def test_a_text_states_facts(text: str, facts: set[Fact]) -> None:
    assert certain(text) == facts


@pytest.mark.parametrize(
    "text",
    [
        "No deadlock was found",
        "A deadlock was ruled out",
        "no HPA is configured",
        "It is not crash looping",
        "沒有發現死鎖",
        "並未觸發 HPA",
        "still failing after the rollout of 2.3.2",
    ],
)
def test_what_a_text_denies_is_no_fact(text: str) -> None:
    assert statements(text, OWN) == ()


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("Restart the service if it hangs", Fact.HANG),
        ("This may be a memory leak", Fact.HANG),
        ("Check whether the container was OOM killed", Fact.OOM_KILL),
        ("疑似記憶體洩漏", Fact.HANG),
        ("Restart checkout, its threads are deadlocked", Fact.HANG),
    ],
)
def test_what_a_text_supposes_or_asks_for_is_not_certain(text: str, fact: Fact) -> None:
    assert [(each.fact, each.certain) for each in statements(text, OWN)] == [(fact, False)]


@pytest.mark.parametrize(
    "text",
    [
        "CPU of node worker-1 is at 99%",
        "The node is under heavy memory pressure",
        "Firewall CPU is at 98%",
        "JVM heap memory is above 90%",
        "memory of redis is above 90%",
        "deadlock detected in postgres transaction",
        "Deadlock found when trying to get lock",
        "The login button is unresponsive",
        "ZFS pool tank is full",
        "after the node upgrade pods are pending",
        "Errors since the config update of 10:02",
        "since deployment cart lost 2 replicas",
        "設定更新後",
        "節點記憶體不足",
    ],
)
def test_what_is_about_something_else_is_no_fact_about_the_workload(text: str) -> None:
    assert certain(text) <= {Fact.DEPENDENCY}


def test_a_release_or_a_call_names_whose_it_is() -> None:
    found = {each.fact: each.name for each in statements("Since the rollout of catalog:4.1 calls to catalog fail", OWN)}
    assert found == {Fact.RELEASE: "catalog", Fact.DEPENDENCY: "catalog"}
    assert [each.name for each in statements("after the rollout of cart v4.1", OWN)] == [""]


def test_the_own_name_is_no_evidence() -> None:
    own = ("stripe-proxy", "queue-worker", "deadlock-detector")
    for text in ("requests to stripe-proxy fail", "queue-worker is slow", "deadlock-detector is down"):
        assert statements(text, own) == ()
    assert Fact.DEPENDENCY in {each.fact for each in statements("stripe-proxy waits: Stripe is slow", own)}


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("HighCPU", {Fact.CPU_HIGH}),
        ("LowCPU", {Fact.CPU_LOW}),
        ("CPUThrottlingHigh", {Fact.THROTTLED}),
        ("KubeHpaMaxedOut", {Fact.AUTOSCALER, Fact.AT_MAXIMUM}),
        ("KubePodCrashLooping", {Fact.CRASH_LOOP}),
        ("OOMKilled", {Fact.OOM_KILL}),
        ("CreateContainerConfigError", {Fact.MISSING_SETTING}),
        ("ImagePullBackOff", {Fact.IMAGE_PULL}),
        ("NodeCPUHigh", set()),
        ("CPU使用率過高", {Fact.CPU_HIGH}),
    ],
)
def test_a_name_states_facts_and_is_quoted_as_a_whole(name: str, facts: set[Fact]) -> None:
    found = named_facts(name)
    assert {each.fact for each in found} == facts
    assert {each.words for each in found} <= {name}


def test_a_supposed_name_is_not_certain() -> None:
    assert [each.certain for each in named_facts("MemoryLeakSuspected")] == [False]


PIECES = st.sampled_from(
    [
        "CPU is at 97%",
        "threads are deadlocked",
        "“quoted”",
        "limit 512Mi",
        " ",
        "\n",
        "。",
        "…",
        "12 replicas",
        "死鎖",
        ".",
    ]
)


@given(st.lists(PIECES | st.text(max_size=30), max_size=40).map(" ".join))
def test_words_are_verbatim_short_and_can_be_quoted(text: str) -> None:
    plain = " ".join(safe_text(text, 2000).split())
    for each in statements(text):
        assert each.words in plain
        assert 0 < len(each.words) <= 140
        assert not {"“", "”", "\n"} & set(each.words)
