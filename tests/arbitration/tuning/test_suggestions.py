"""Shadow tuning: suggestions, and events that report them as not executed."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

import pytest

from openclaw_stream.arbitration.kubectl import parse
from openclaw_stream.arbitration.tuning.suggestions import tuning_events, tuning_suggestions
from openclaw_stream.events.decision import (
    Confidence,
    Decision,
    GoldenSignals,
    IncidentSummary,
    Judgement,
    Provenance,
    Source,
    Suggestion,
    Validation,
)
from openclaw_stream.ids import decision_id, tuning_id
from openclaw_stream.incidents.case import Exemplar
from openclaw_stream.vocabulary import (
    EventType,
    IncidentStatus,
    Language,
    Responsibility,
    Severity,
    TuningType,
    Verdict,
)
from tests.arbitration.oracle import is_safe
from tests.builders import POD, case, exemplar, judgement

NOW = datetime(2026, 11, 22, tzinfo=UTC)
INCIDENT = "0b7cf7e6-6d57-5c0a-8f10-4a7fd3f1b6aa"
RESTART = "kubectl rollout restart deployment/checkout -n shop"


def an_alert(name: str, message: str = "", metrics: Mapping[str, float] | None = None, **labels: str) -> Exemplar:
    labels = {"deployment": "checkout", **labels}
    return exemplar(name, labels, message=message, metrics=metrics or {}, namespace="shop", service="checkout")


def _suggested(
    *alerts: Exemplar,
    metrics: GoldenSignals | None = None,
    judged: Judgement | None = None,
    language: Language = Language.EN,
) -> list[Suggestion]:
    return tuning_suggestions(judged or judgement(), case(*alerts), metrics, language)


def a_decision(language: Language = Language.EN) -> Decision:
    return Decision(
        event_type=EventType.DECISION,
        decision_id=decision_id(INCIDENT, 1),
        incident_id=INCIDENT,
        revision=1,
        generation=2,
        replayed=True,
        incident=IncidentSummary(
            group_key="shop/checkout",
            namespace="shop",
            service="checkout",
            severity=Severity.HIGH,
            status=IncidentStatus.FIRING,
            opened_at=NOW,
            last_alert_at=NOW,
            alert_count=1,
            distinct_alerts=1,
            alert_names={"HighCPU": 1},
            flaps=0,
        ),
        decision=judgement(),
        confidence=Confidence(reported=0.9, evidence=0.9, final=0.9, gate="passed"),
        provenance=Provenance(provider="rules", rules_version="1", language=language),
        validation=Validation(),
        source=Source(topic="alerts", partition=0, first_offset=0, last_offset=0),
        decided_at=NOW,
    )


@pytest.mark.parametrize(
    ("alert", "metrics", "kind", "command"),
    [
        (
            an_alert("HighCPU"),
            GoldenSignals(rps=250),
            TuningType.HPA,
            "kubectl autoscale deployment/checkout --min=2 --max=10 --cpu-percent=70 -n shop",
        ),
        (
            an_alert("HighCPU", metrics={"rps": 250, "replicas": 8}),
            None,
            TuningType.HPA,
            "kubectl autoscale deployment/checkout --min=8 --max=16 --cpu-percent=70 -n shop",
        ),
        (
            an_alert("CPUThrottlingHigh", container="app"),
            GoldenSignals(rps=100),
            TuningType.RESOURCE_LIMIT,
            "kubectl set resources deployment/checkout --containers=app --limits=cpu=2 -n shop",
        ),
        (
            an_alert("HighCPU", metrics={"cpu_limit_cores": 1.5}),
            None,
            TuningType.RESOURCE_LIMIT,
            "kubectl set resources deployment/checkout --limits=cpu=2250m -n shop",
        ),
        (
            an_alert("HighMemoryUsage"),
            None,
            TuningType.RESOURCE_LIMIT,
            "kubectl set resources deployment/checkout --limits=memory=2Gi -n shop",
        ),
        (
            an_alert("KubePodCrashLooping", message="last state OOMKilled", metrics={"memory_limit_bytes": 2**29}),
            None,
            TuningType.RESOURCE_LIMIT,
            "kubectl set resources deployment/checkout --limits=memory=768Mi -n shop",
        ),
        (an_alert("KubePodCrashLooping"), None, TuningType.RESTART, RESTART),
        (
            an_alert("HighLatency", metrics={"replicas": 4}),
            GoldenSignals(p99_ms=750),
            TuningType.SCALE,
            "kubectl scale deployment/checkout --replicas=6 --current-replicas=4 -n shop",
        ),
        (
            an_alert("HighLatency", metrics={"replicas": 4}),
            GoldenSignals(p99_ms=90_000),
            TuningType.SCALE,
            "kubectl scale deployment/checkout --replicas=8 --current-replicas=4 -n shop",
        ),
        (
            an_alert("HighLatency", metrics={"replicas": 80, "p99_ms": 900}),
            None,
            TuningType.SCALE,
            "kubectl scale deployment/checkout --replicas=100 --current-replicas=80 -n shop",
        ),
        (
            an_alert("HighLatency"),
            GoldenSignals(p99_ms=501),
            TuningType.HPA,
            "kubectl autoscale deployment/checkout --min=2 --max=10 --cpu-percent=70 -n shop",
        ),
        (an_alert("HighLatency"), GoldenSignals(p99_ms=500), TuningType.CACHE, ""),
        (an_alert("HighLatency"), None, TuningType.CACHE, ""),
        (an_alert("TooManyQueries"), None, TuningType.CACHE, ""),
        (an_alert("記憶體過高"), None, TuningType.RESOURCE_LIMIT, None),
        (an_alert("Unhealthy", message="回應時間過長"), None, TuningType.CACHE, ""),
    ],
)
def test_fault_type_and_metrics_select_the_tuning(
    alert: Exemplar, metrics: GoldenSignals | None, kind: TuningType, command: str | None
) -> None:
    (suggestion,) = _suggested(alert, metrics=metrics)
    assert suggestion.type is kind
    assert command is None or suggestion.kubectl_or_config == command
    assert suggestion.kubectl_or_config == "" or is_safe(suggestion.kubectl_or_config)
    assert "checkout" in suggestion.description


def test_alerts_of_other_types_suggest_nothing() -> None:
    assert _suggested(an_alert("CertificateExpiresSoon"), an_alert("DiskFull")) == []


@pytest.mark.parametrize("metric", ["cpu_limit", "memory_limit_bytes", "replicas", "p99_ms", "rps"])
@pytest.mark.parametrize("value", [1e308, 1e300, 5e-324, float("inf"), float("nan"), -1.0])
def test_invalid_metric_values_are_ignored(metric: str, value: float) -> None:
    alerts = [an_alert(name, metrics={metric: value}) for name in ("HighCPU", "OOM", "HighLatency")]
    suggested = _suggested(*alerts)
    assert len(suggested) == 3
    assert all(len(suggestion.kubectl_or_config) < 200 for suggestion in suggested)


def test_a_daemonset_is_not_scaled() -> None:
    agent = exemplar("HighCPU", {"daemonset": "agent"}, namespace="shop")
    (suggestion,) = _suggested(agent, metrics=GoldenSignals(rps=1000))
    assert suggestion.kubectl_or_config == "kubectl set resources daemonset/agent --limits=cpu=2 -n shop"
    slow = exemplar("HighLatency", {"daemonset": "agent"}, namespace="shop")
    assert _suggested(slow, metrics=GoldenSignals(p99_ms=5000))[0].type is TuningType.CACHE


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
    (suggestion,) = _suggested(an_alert("HighMemoryUsage", container=container))
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
    (suggestion,) = _suggested(an_alert("PodCrashLooping"), judged=judged)
    assert suggestion.type is TuningType.RESTART
    assert suggestion.kubectl_or_config == ""


def test_a_pod_names_the_workload_to_tune() -> None:
    alert = exemplar("PodCrashLooping", {"pod": POD}, namespace="shop")
    (suggestion,) = tuning_suggestions(judgement(), case(alert, service=""), None, Language.EN)
    assert suggestion.kubectl_or_config == RESTART


def test_each_fault_type_is_tuned_once() -> None:
    alerts = [an_alert(name) for name in ("HighCPU", "HighCPUAgain", "HighMemoryUsage", "PodCrashLooping")]
    assert [each.type for each in _suggested(*alerts)] == [
        TuningType.RESOURCE_LIMIT,
        TuningType.RESOURCE_LIMIT,
        TuningType.RESTART,
    ]


def test_the_judgements_own_suggestions_come_first_without_duplicates() -> None:
    own = Suggestion(type=TuningType.RESTART, description="Restart", kubectl_or_config=RESTART)
    index = Suggestion(type=TuningType.INDEX, description="Index orders")
    judged = judgement(optimization_suggestions=[own, index, index, own])
    assert _suggested(an_alert("PodCrashLooping"), judged=judged) == [own, index]


def test_a_generated_command_is_added_to_advice_of_the_same_type() -> None:
    words = Suggestion(type=TuningType.RESTART, description="Restart it", kubectl_or_config="strategy: RollingUpdate")
    found = _suggested(an_alert("PodCrashLooping"), judged=judgement(optimization_suggestions=[words]))
    assert [each.kubectl_or_config for each in found] == ["strategy: RollingUpdate", RESTART]


def test_texts_are_in_the_output_language() -> None:
    alerts = [an_alert(name, metrics={"replicas": 3}) for name in ("HighCPU", "OOM", "PodCrash", "HighLatency")]
    metrics = GoldenSignals(rps=200, p99_ms=900)
    english = _suggested(*alerts, metrics=metrics)
    chinese = _suggested(*alerts, metrics=metrics, language=Language.ZH_TW)
    assert [each.kubectl_or_config for each in english] == [each.kubectl_or_config for each in chinese]
    assert all(each.description.isascii() for each in english)
    assert not any(each.description.isascii() for each in chinese)


def test_an_event_has_the_parsed_command() -> None:
    command = "kubectl scale deployment/checkout --replicas=6 --current-replicas=4 -n shop"
    suggestion = Suggestion(type=TuningType.SCALE, description="Grow", kubectl_or_config=command)
    decision = a_decision()
    (event,) = tuning_events(decision, [suggestion], shadow_mode=True)
    assert event.parsed is not None
    assert event.parsed.model_dump() == {
        "verb": "scale",
        "resource": "deployment",
        "name": "checkout",
        "namespace": "shop",
        "flags": {"replicas": "6", "current-replicas": "4"},
    }
    assert event.command == command
    assert event.safety.verdict is Verdict.SAFE
    assert (event.tuning_id, event.decision_id) == (tuning_id(decision.decision_id, 0), decision.decision_id)
    assert (event.incident_id, event.revision, event.generation, event.replayed) == (INCIDENT, 1, 2, True)
    assert event.created_at == decision.decided_at


@pytest.mark.parametrize("language", Language)
def test_nothing_is_executed_in_either_mode(language: Language) -> None:
    suggestions = [
        Suggestion(type=TuningType.RESTART, description="Restart", kubectl_or_config=RESTART),
        Suggestion(type=TuningType.CACHE, description="Cache"),
    ]
    decision = a_decision(language)
    shadow = tuning_events(decision, suggestions, shadow_mode=True)
    approved = tuning_events(decision, suggestions, shadow_mode=False)
    assert [event.executed for event in (*shadow, *approved)] == [False] * 4
    assert [event.approval_id for event in shadow] == [None, None]
    assert [event.shadow_mode for event in shadow] == [True, True]
    assert len({UUID(event.approval_id or "") for event in approved}) == 2
    assert approved == tuning_events(decision, suggestions, shadow_mode=False)
    assert (approved[0].approval_id or "") in approved[0].log
    signatures = "multi-party approval" if language is Language.EN else "多人簽核"
    assert all(signatures in event.log for event in (*shadow, *approved))
    assert RESTART in shadow[0].log


def test_advice_contains_its_configuration() -> None:
    suggestion = Suggestion(type=TuningType.CACHE, description="Cache", kubectl_or_config="ttl: 60s")
    (event,) = tuning_events(a_decision(), [suggestion], shadow_mode=True)
    assert event.safety.verdict is Verdict.ADVICE
    assert event.command == ""
    assert event.parsed is None
    assert event.description == "Cache\nttl: 60s"


@pytest.mark.parametrize("text", ["kubectl delete ns shop", "sudo reboot", f"{RESTART}; reboot"])
def test_a_refused_command_appears_in_no_field(text: str) -> None:
    suggestion = Suggestion(type=TuningType.RESTART, description="Restart", kubectl_or_config=text)
    (event,) = tuning_events(a_decision(), [suggestion], shadow_mode=False)
    assert event.safety.verdict is Verdict.REFUSED
    assert event.safety.reasons
    assert event.command == ""
    assert event.parsed is None
    assert text not in event.model_dump_json()


def test_every_command_of_an_event_parses_again() -> None:
    alerts = [an_alert(name, metrics={"replicas": 3}) for name in ("HighCPU", "OOM", "PodCrash", "HighLatency")]
    events = tuning_events(a_decision(), _suggested(*alerts, metrics=GoldenSignals(p99_ms=900)), shadow_mode=True)
    assert [event.safety.verdict for event in events] == [Verdict.SAFE] * 4
    assert [parse(event.command).render() for event in events] == [event.command for event in events]
    assert len({event.tuning_id for event in events}) == 4
