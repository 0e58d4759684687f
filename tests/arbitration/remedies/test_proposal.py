"""The remedy of the rules: the first command that the evidence asks for, else advice."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.alerts.subject import NO_SUBJECT, Subject
from openclaw_stream.arbitration.kubectl import Verb, looks_like_command, parse
from openclaw_stream.arbitration.remedies import Remedy, propose, reason_for
from openclaw_stream.events.decision import GoldenSignals
from openclaw_stream.incidents.case import Exemplar
from openclaw_stream.vocabulary import Action, Language, Responsibility, Risk
from tests.arbitration.oracle import is_safe
from tests.arbitration.remedies.quotes import quotes_in, quotes_not_found
from tests.builders import POD, alert, case_from

BE = Responsibility.BE
SHOP = {"namespace": "shop", "deployment": "checkout", "container": "app"}
LOADED = GoldenSignals(rps=900, rps_trend=0.8, p99_ms=2400)


def proposed(*alerts: Exemplar, team: Responsibility = BE, metrics: GoldenSignals | None = None) -> Remedy:
    return propose(case_from(*alerts), team, metrics, Language.EN)


@pytest.mark.parametrize(
    ("summary", "labels", "metrics", "command"),
    [
        (
            "OOM killed at its limit of 512 MiB",
            {},
            {},
            "set resources deployment/checkout --containers=app --limits=memory=768Mi",
        ),
        (
            "Memory is at 95 %",
            {},
            {"container_memory_limit_bytes": 2**29},
            "set resources deployment/checkout --containers=app --limits=memory=768Mi",
        ),
        (
            "CPU is throttled at its limit of 500m",
            {},
            {},
            "set resources deployment/checkout --containers=app --limits=cpu=750m",
        ),
        ("CPU is at 97 %", {}, {"replicas": 12}, "scale deployment/checkout --replicas=18 --current-replicas=12"),
        ("The P99 is 2.4 s", {}, {"replicas": 1}, "scale deployment/checkout --replicas=2 --current-replicas=1"),
        ("Errors since the rollout of 2.3.1", {}, {}, "rollout undo deployment/checkout"),
        ("OOM killed at 512Mi since the rollout of 2.3.1", {}, {}, "rollout undo deployment/checkout"),
        ("Worker threads are deadlocked", {}, {}, "rollout restart deployment/checkout"),
        ("The pod is stuck terminating", {"pod": POD}, {}, f"delete pod/{POD}"),
        (
            "HPA checkout is at its maximum of 10 replicas",
            {"horizontalpodautoscaler": "checkout"},
            {},
            'patch horizontalpodautoscaler/checkout --patch=\'{"spec":{"maxReplicas":15}}\'',
        ),
    ],
)
def test_the_evidence_gives_a_command(
    summary: str, labels: Mapping[str, str], metrics: Mapping[str, float], command: str
) -> None:
    remedy = proposed(alert("Trouble", summary, {**SHOP, **labels}, metrics=metrics), metrics=LOADED)
    assert remedy.command == f"kubectl {command} -n shop"
    assert remedy.action is parse(remedy.command).action
    assert remedy.target == parse(remedy.command).target
    assert remedy.namespace == "shop"
    assert quotes_in(remedy.reason)
    assert remedy.risk is (Risk.CRITICAL if remedy.action is Action.DELETE_POD else Risk.MEDIUM)
    assert remedy.downtime


@pytest.mark.parametrize(
    ("summary", "words"),
    [
        ("CPU is at 97 %", "look up its current replicas"),
        ("CPU is at 97 % on 3 replicas, its HPA does nothing", "look up its bounds"),
        ("HPA is at its maximum", "Look up the maximum of the autoscaler"),
        ("HPA is at its maximum, stripe is slow", "what checkout calls"),
        ("CPU is at 97 % on 3 replicas, stripe is slow", "what checkout calls"),
        ("OOM killed", "Look up the memory limit"),
        ("CPU is throttled", "Look up the CPU limit"),
        ("CrashLoopBackOff", "A restart does not cure a crash loop"),
        ("secret cart-tls not found, CrashLoopBackOff", "ConfigMap, Secret or variable"),
        ("Failed to pull image cart:2.3", "the image cannot be pulled"),
        ("Error rate is 12 %", ""),
        ("CPU is at 9 %", ""),
        ("OOM killed. Do not raise the limit", ""),
        ("CPU is at 97 %. Do not scale out", ""),
        ("CPU is at 97 %, pods are pending", ""),
        ("OOM killed. This is a drill", ""),
    ],
)
def test_without_a_number_or_a_cure_there_is_advice(summary: str, words: str) -> None:
    remedy = proposed(alert("Trouble", summary, SHOP))
    assert (remedy.command, remedy.reason, remedy.action, remedy.risk) == ("", "", Action.NO_ACTION, Risk.LOW)
    assert (remedy.target, remedy.namespace, remedy.affected_pods) == ("deployment/checkout", "shop", 0)
    assert words in remedy.advice
    assert bool(words) is bool(remedy.advice)
    assert not looks_like_command(remedy.advice)


def test_a_command_says_what_to_do_before_it() -> None:
    restarted = proposed(alert("Trouble", "Worker threads are deadlocked", SHOP, metrics={"replicas": 4}))
    assert (restarted.affected_pods, "thread or heap dump" in restarted.advice) == (4, True)
    undone = proposed(alert("Trouble", "Errors since the rollout of 2.3.1", SHOP))
    assert (undone.affected_pods, "what else the release changed" in undone.advice) == (0, True)


@pytest.mark.parametrize("team", [Responsibility.DB, Responsibility.COLLAB])
def test_the_database_team_and_an_unknown_team_get_no_command(team: Responsibility) -> None:
    remedy = proposed(alert("Trouble", "Worker threads are deadlocked", SHOP), team=team)
    assert (remedy.command, remedy.target) == ("", "deployment/checkout")


@pytest.mark.parametrize(
    "labels",
    [
        {"service": "checkout"},
        {"namespace": "shop", "service": "checkout"},
        {"deployment": "checkout"},
        {"namespace": "shop", "deployment": "check out; rm -rf /"},
        {"namespace": "shop$(id)", "deployment": "checkout"},
        {"namespace": "Shop", "deployment": "checkout"},
        {"namespace": "shop", "deployment": "Checkout"},
        {"namespace": "shop", "pod": "checkout"},
        {"namespace": "monitoring", "pod": "kube-state-metrics-7d9f8b6c5-x2x4z"},
    ],
)
def test_an_unknown_workload_gets_no_command(labels: dict[str, str]) -> None:
    remedy = proposed(alert("Trouble", "Worker threads are deadlocked", labels))
    assert (remedy.command, remedy.target) == ("", "")
    assert remedy.namespace in {"", "shop", "monitoring"}


def test_of_several_workloads_the_subject_gets_the_command() -> None:
    alerts = (
        alert("CheckoutHangs", "Worker threads are deadlocked", SHOP),
        alert("CartHangs", "Worker threads are deadlocked", {"namespace": "shop", "deployment": "cart"}),
    )
    nothing = replace(case_from(*alerts), subject=NO_SUBJECT)
    assert propose(nothing, BE, None, Language.EN).command == ""
    case = replace(case_from(*alerts), subject=Subject("deployment", "shop", "cart"))
    assert propose(case, BE, None, Language.EN).command == "kubectl rollout restart deployment/cart -n shop"


def test_the_target_resource_of_an_alert_names_the_workload() -> None:
    named = replace(
        alert("Trouble", "Worker threads are deadlocked", {"namespace": "shop", "service": "checkout"}),
        target_resource="StatefulSet/checkout",
    )
    assert proposed(named).command == "kubectl rollout restart statefulset/checkout -n shop"


SENTENCES = st.sampled_from(
    [
        *("CPU is at 97 %", "CPU is only at 9 %", "CPU is throttled", "CPU limit 500m", "It runs on 3 replicas"),
        *("OOM killed at its limit of 512Mi", "Memory is above 90 %", "memory limit 1Gi", "Traffic has doubled"),
        *("Worker threads are deadlocked", "CrashLoopBackOff", "secret tls not found", "Failed to pull image x:1"),
        *("Errors since the rollout of 2.3.1", "stripe responds in 3 s", "The pod is stuck terminating"),
        *(
            "Its HPA is at the maximum of 10 replicas",
            "It is over-provisioned",
            "流量暴增",
            "服務無回應",
            "“;rm -rf /”",
        ),
        *("Restart it now.", "If it hangs, restart it", "migration of the schema", "$(reboot) `id`"),
    ]
)
NUMBERS = st.dictionaries(
    st.sampled_from(["replicas", "cpu_percent", "memory_limit_bytes", "cpu_limit_cores", "max_replicas"]),
    st.sampled_from([1, 3, 40, 97, 2**29, float("nan"), float("inf"), -1.0, 1e300]),
)
LABELS = st.fixed_dictionaries(
    {"namespace": st.just("shop"), "deployment": st.sampled_from(["checkout", "checkout-db", "$(id)", "Check"])},
    optional={
        "pod": st.just(POD),
        "container": st.sampled_from(["app", "app --all"]),
        "horizontalpodautoscaler": st.sampled_from(["checkout", "a b"]),
    },
)
SIGNALS = st.none() | st.builds(
    GoldenSignals, rps=st.floats(0, 1e6), rps_trend=st.floats(-1, 9), p99_ms=st.floats(0, 1e5)
)
NO_RESTART = ("CrashLoop", "not found", "pull image", "OOM killed", "stripe")


@given(st.lists(SENTENCES | st.text(max_size=40), max_size=5).map("\n".join), NUMBERS, LABELS, SIGNALS)
def test_a_command_is_safe_and_its_reason_is_in_the_evidence(
    text: str, numbers: dict[str, float], labels: dict[str, str], metrics: GoldenSignals | None
) -> None:
    case = case_from(alert("Trouble", "", labels, message=text, metrics=numbers))
    english, chinese = (propose(case, BE, metrics, language) for language in (Language.EN, Language.ZH_TW))
    assert (english.command, english.target) == (chinese.command, chinese.target)
    assert bool(english.advice) is bool(chinese.advice)
    for remedy, language in ((english, Language.EN), (chinese, Language.ZH_TW)):
        assert len(remedy.reason) <= 1000
        assert bool(quotes_in(remedy.reason)) is bool(remedy.command)
        assert quotes_not_found(remedy.reason, case, metrics) == []
        if remedy.command:
            assert is_safe(remedy.command)
            command = parse(remedy.command)
            assert reason_for(command, case, metrics, language, BE) == remedy.reason
            assert command.verb is not Verb.ROLLOUT_RESTART or not any(part in text for part in NO_RESTART)


@pytest.mark.parametrize("labels", [{"instance": "db-17.example:9100"}, {"node": "worker-4"}, {}])
def test_a_host_gets_no_advice_for_containers(labels: dict[str, str]) -> None:
    case = case_from(alert("HighMemoryUsage", "Memory usage is above 95 %, CPU is at 99 %", labels))
    assert propose(case, Responsibility.INFRA, None, Language.EN).advice == ""
