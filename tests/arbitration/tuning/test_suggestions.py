"""Shadow tuning: suggestions, and events that report them as not executed."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from openclaw_stream.arbitration.kubectl import parse
from openclaw_stream.arbitration.tuning.suggestions import tuning_events
from openclaw_stream.events.decision import (
    Confidence,
    Decision,
    GoldenSignals,
    IncidentSummary,
    Provenance,
    Source,
    Suggestion,
    Validation,
)
from openclaw_stream.ids import decision_id, tuning_id
from openclaw_stream.vocabulary import EventType, IncidentStatus, Language, Severity, TuningType, Verdict
from tests.arbitration.tuning.checkout import checkout_alert, suggested
from tests.builders import judgement

NOW = datetime(2026, 11, 22, tzinfo=UTC)
INCIDENT = "0b7cf7e6-6d57-5c0a-8f10-4a7fd3f1b6aa"
RESTART = "kubectl rollout restart deployment/checkout -n shop"
HANGS = checkout_alert("PodCrashed", "Worker threads are deadlocked")
REASON = "A restart clears this state for a time: “Worker threads are deadlocked” (message of PodCrashed)."


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


def test_the_judgements_own_suggestions_come_first_without_duplicates() -> None:
    own = Suggestion(type=TuningType.RESTART, description="Restart", kubectl_or_config=RESTART)
    index = Suggestion(type=TuningType.INDEX, description="Index orders")
    judged = judgement(optimization_suggestions=[own, index, index, own])
    assert suggested(HANGS, judged=judged) == [own, index]


def test_a_generated_command_is_added_to_advice_of_the_same_type() -> None:
    words = Suggestion(type=TuningType.RESTART, description="Restart it", kubectl_or_config="strategy: RollingUpdate")
    found = suggested(HANGS, judged=judgement(optimization_suggestions=[words]))
    assert [each.kubectl_or_config for each in found] == ["strategy: RollingUpdate", RESTART]
    assert [each.command_reason for each in found] == ["", REASON]


@pytest.mark.parametrize("name", ["HighMemoryUsage", "HighCPU", "PodCrashed"])
def test_beside_a_rollback_nothing_else_is_changed(name: str) -> None:
    undo = "kubectl rollout undo deployment/checkout -n shop"
    own = Suggestion(type=TuningType.RESTART, description="Restart", kubectl_or_config=RESTART)
    words = Suggestion(type=TuningType.INDEX, description="Index orders")
    metrics = {"replicas": 3, "memory_limit_bytes": 2**29, "cpu_percent": 97}
    alert = checkout_alert(name, "Worker threads are deadlocked", metrics, container="app")
    judged = judgement(kubectl_command=undo, optimization_suggestions=[own, words])
    assert suggested(alert, judged=judged, metrics=GoldenSignals(rps=200)) == [words]


def test_two_suggestions_do_not_set_the_replicas_of_one_workload() -> None:
    alerts = [checkout_alert(name, metrics={"replicas": 3, "cpu_percent": 97}) for name in ("HighCPU", "HighLatency")]
    found = suggested(*alerts, metrics=GoldenSignals(rps=200, p99_ms=900))
    assert [each.type for each in found] == [TuningType.HPA]


def test_an_autoscaler_may_follow_the_replicas_that_the_decision_adds() -> None:
    scale = "kubectl scale deployment/checkout --replicas=5 --current-replicas=3 -n shop"
    alert = checkout_alert("HighCPU", metrics={"replicas": 3, "cpu_percent": 97})
    (found,) = suggested(alert, judged=judgement(kubectl_command=scale), metrics=GoldenSignals(rps=200))
    assert found.kubectl_or_config.startswith("kubectl autoscale deployment/checkout --min=3")


def test_an_event_has_the_parsed_command() -> None:
    command = "kubectl scale deployment/checkout --replicas=6 --current-replicas=4 -n shop"
    suggestion = Suggestion(
        type=TuningType.SCALE, description="Grow", kubectl_or_config=command, command_reason="CPU: “97 %”"
    )
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
    assert (event.command, event.command_reason) == (command, "CPU: “97 %”")
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
    suggestion = Suggestion(
        type=TuningType.RESTART, description="Restart", kubectl_or_config=text, command_reason="It hangs"
    )
    (event,) = tuning_events(a_decision(), [suggestion], shadow_mode=False)
    assert event.safety.verdict is Verdict.REFUSED
    assert event.safety.reasons
    assert (event.command, event.command_reason) == ("", "")
    assert event.parsed is None
    assert text not in event.model_dump_json()


def test_every_command_of_an_event_parses_again() -> None:
    metrics = {"replicas": 3, "memory_limit_bytes": 2**29, "cpu_percent": 97}
    alerts = [
        checkout_alert(name, message, metrics, container="app")
        for name, message in (("HighCPU", ""), ("HighMemory", ""), ("PodCrash", "deadlocked"))
    ]
    events = tuning_events(
        a_decision(), suggested(*alerts, metrics=GoldenSignals(rps=200, p99_ms=900)), shadow_mode=True
    )
    assert [event.safety.verdict for event in events] == [Verdict.SAFE] * 3
    assert [parse(event.command).render() for event in events] == [event.command for event in events]
    assert all("“" in event.command_reason for event in events)
    assert len({event.tuning_id for event in events}) == 3
