"""One example of each event and each external input format, published with the schemas."""

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from openclaw_stream.alerts.contract import AlertEvent
from openclaw_stream.events.dead_letter import DeadLetterHeaders, dead_letter_headers
from openclaw_stream.events.decision import (
    Attempt,
    BlastRadius,
    Confidence,
    Decision,
    GoldenSignals,
    IncidentOwner,
    IncidentSubject,
    IncidentSummary,
    Judgement,
    Provenance,
    RejectedCommand,
    Resolution,
    Source,
    Suggestion,
    Validation,
)
from openclaw_stream.events.incident import CurrentIncident, IncidentState, LastDecision, LineageEntry
from openclaw_stream.events.quoted_alert import QuotedAlert
from openclaw_stream.events.tuning import ParsedCommand, Safety, TuningEvent
from openclaw_stream.ids import decision_id, incident_id, tuning_id
from openclaw_stream.vocabulary import (
    Action,
    DataImpact,
    EventType,
    IncidentStatus,
    Language,
    Responsibility,
    Risk,
    Severity,
    TuningType,
    Verdict,
)

_OPENED = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
_LAST = datetime(2026, 11, 22, 9, 30, 25, tzinfo=UTC)
_DECIDED = datetime(2026, 11, 22, 9, 30, 32, tzinfo=UTC)
_ENDED = datetime(2026, 11, 22, 9, 52, 7, tzinfo=UTC)
_OPENED_MS = int(_OPENED.timestamp() * 1000)
_TOPIC = "openclaw.alerts.v1"
_OFFSET = 4711
_INCIDENT = incident_id(_TOPIC, 0, _OFFSET, _OPENED_MS, "shop/checkout")
_DECISION = decision_id(_INCIDENT, 1)
_COMMAND = "kubectl set resources deployment/checkout --containers=app --limits=memory=768Mi -n shop"
_SUMMARY = "Container app of checkout was OOM killed 4 times in ten minutes, its memory limit is 512Mi"
_REASON = f"ContainerOOMKilled (summary): “{_SUMMARY}”; half as much again leaves room for the load."
_PROMETHEUS = "https://prometheus.example.org/graph?g0.expr="

ALERT = AlertEvent(
    alert_type="HighErrorRate",
    severity="critical",
    status="firing",
    source="prometheus",
    namespace="shop",
    service="checkout",
    target_resource="deployment/checkout",
    message="12.4% of the requests of checkout failed in the last five minutes",
    metrics={"error_rate": 12.4, "rps": 812.0, "p99_ms": 950.0},
    labels={"cluster": "prod-1", "pod": "checkout-7d9f8b6c5-x2x4z"},
    annotations={"runbook_url": "https://runbooks.example.org/checkout/errors"},
    fingerprint="5c1ffe0c7a6d3b21",
    starts_at=_OPENED,
    generator_url="https://prometheus.example.org/graph?g0.expr=errors",
)

DECISION = Decision(
    event_type=EventType.DECISION,
    decision_id=_DECISION,
    incident_id=_INCIDENT,
    revision=1,
    generation=1,
    replayed=False,
    incident=IncidentSummary(
        group_key="shop/checkout",
        subject=IncidentSubject(kind="deployment", namespace="shop", name="checkout"),
        namespace="shop",
        service="checkout",
        severity=Severity.CRITICAL,
        status=IncidentStatus.FIRING,
        opened_at=_OPENED,
        last_alert_at=_LAST,
        alert_count=17,
        distinct_alerts=3,
        alert_names={"ContainerOOMKilled": 1, "HighErrorRate": 16},
        flaps=0,
        evidence=[
            QuotedAlert(
                name="HighErrorRate",
                status="firing",
                severity=Severity.CRITICAL,
                message="12.4% of the requests of checkout failed in the last five minutes",
                labels={"cluster": "prod-1", "service": "checkout"},
                starts_at=_OPENED,
                count=16,
                generator_url=f"{_PROMETHEUS}errors",
                runbook_url="https://runbooks.example.org/checkout/errors",
            ),
            QuotedAlert(
                name="ContainerOOMKilled",
                status="firing",
                severity=Severity.HIGH,
                summary=_SUMMARY,
                labels={"deployment": "checkout", "container": "app", "pod": "checkout-7d9f8b6c5-x2x4z"},
                annotations={"team_channel": "#checkout"},
                starts_at=_LAST,
                count=1,
                generator_url=f"{_PROMETHEUS}oom",
                dashboard_url="https://grafana.example.org/d/checkout",
                panel_url="https://grafana.example.org/d/checkout?viewPanel=4",
            ),
        ],
        evidence_left_out=1,
    ),
    decision=Judgement(
        action_title="checkout (Deployment, shop): out of memory",
        description="The container app reaches its memory limit and is killed; requests fail while it restarts.",
        suggested_action=Action.TUNE_RESOURCES,
        kubectl_command=_COMMAND,
        command_reason=_REASON,
        target_resource="deployment/checkout",
        namespace="shop",
        risk_level=Risk.MEDIUM,
        blast_radius=BlastRadius(affected_pods=3, estimated_downtime="none", data_impact=DataImpact.NONE),
        primary_responsibility=Responsibility.BE,
        responsibility_reasoning="The memory and the errors are those of the service itself.",
        secondary_teams=[Responsibility.INFRA],
        optimization_suggestions=[
            Suggestion(
                type=TuningType.RESOURCE_LIMIT,
                description="Raise the memory limit above what the load needs.",
                kubectl_or_config=_COMMAND,
                command_reason=_REASON,
            ),
        ],
        reasoning="Error rate and P99 rose with the first kill.",
        deviation_analysis="P99 is five times that of the ten minutes before.",
        confidence=0.81,
        affected_services=["checkout"],
        signoz_correlation="The errors follow the restarts by a minute.",
    ),
    confidence=Confidence(reported=0.9, evidence=0.78, final=0.81, gate="passed"),
    owner=IncidentOwner(
        team="Shop backend",
        contact="https://chat.example.org/shop-backend",
        matched_by='owners file, entry 3: namespace="shop", subject=~"cart|checkout.*"',
    ),
    metrics=GoldenSignals(rps=812.0, rps_trend=0.6, error_rate=12.4, p99_ms=950.0),
    trace_url="https://signoz.example.org/traces-explorer",
    provenance=Provenance(
        provider="ollama",
        model="qwen2.5:7b-instruct",
        attempts=[
            Attempt(provider="ollama", model="qwen2.5:7b-instruct", outcome="ok", latency_ms=5210, input_tokens=1840)
        ],
        prompt_version="4f0c2a91",
        rules_version="1",
        language=Language.EN,
    ),
    validation=Validation(
        rejected_commands=[RejectedCommand(command="kubectl delete pod --all -n shop", reason="--all is not allowed")]
    ),
    source=Source(topic=_TOPIC, partition=0, first_offset=_OFFSET, last_offset=_OFFSET + 16),
    decided_at=_DECIDED,
)

RESOLUTION = DECISION.model_copy(
    update={
        "event_type": EventType.RESOLUTION,
        "decision_id": decision_id(_INCIDENT, 2),
        "revision": 2,
        "incident": DECISION.incident.model_copy(
            update={
                "status": IncidentStatus.RESOLVED,
                "last_alert_at": _ENDED,
                "alert_count": 21,
                "evidence": [each.model_copy(update={"status": "resolved"}) for each in DECISION.incident.evidence],
            }
        ),
        "resolution": Resolution(
            kind="resolved",
            ended_at=_ENDED,
            duration_s=1327,
            alerts=21,
            text="All alerts of this incident have resolved, and none fired again within the hold time. "
            "No action is needed.",
        ),
        "metrics": None,
        "trace_url": None,
        "provenance": DECISION.provenance.model_copy(update={"attempts": []}),
        "validation": Validation(),
        "source": DECISION.source.model_copy(update={"last_offset": _OFFSET + 31}),
        "decided_at": _ENDED,
    }
)

TUNING = TuningEvent(
    tuning_id=tuning_id(_DECISION, 0),
    decision_id=_DECISION,
    incident_id=_INCIDENT,
    revision=1,
    generation=1,
    replayed=False,
    type=TuningType.RESOURCE_LIMIT,
    description="Raise the memory limit above what the load needs.",
    command=_COMMAND,
    command_reason=_REASON,
    parsed=ParsedCommand(
        verb="set resources",
        resource="deployment",
        name="checkout",
        namespace="shop",
        flags={"containers": "app", "limits": "memory=768Mi"},
    ),
    safety=Safety(verdict=Verdict.SAFE),
    shadow_mode=True,
    log="Shadow mode: not executed.",
    created_at=_DECIDED,
)

INCIDENT = IncidentState(
    group_key="shop/checkout",
    group_id="openclaw-stream",
    generation=1,
    through=_OFFSET + 16,
    replayed_through=-1,
    incident=CurrentIncident(
        incident_id=_INCIDENT,
        revision=1,
        **DECISION.incident.model_dump(exclude={"group_key", "evidence", "evidence_left_out"}),
        last_decision=LastDecision(
            revision=1,
            primary_responsibility=Responsibility.BE,
            secondary_teams=[Responsibility.INFRA],
            risk_level=Risk.MEDIUM,
            confidence=0.81,
            provider="ollama",
        ),
    ),
    lineage=[
        LineageEntry(
            incident_id=_INCIDENT,
            opened_offset=_OFFSET,
            opened_at=_OPENED_MS,
            closed_offset=None,
            status=IncidentStatus.FIRING,
        )
    ],
    fold={},
)

DEAD_LETTER = DeadLetterHeaders.model_validate(
    {
        name: value.decode()
        for name, value in dead_letter_headers(
            [],
            reason="alert 1: labels: expected an object of strings, got a list",
            topic=_TOPIC,
            partition=0,
            offset=_OFFSET + 17,
            timestamp=_OPENED_MS + 40_000,
            generation=1,
            bad_indexes=[1],
        )
    }
)

ALERTMANAGER: dict[str, Any] = {
    "version": "4",
    "status": "firing",
    "receiver": "openclaw",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "PodCrashLooping", "severity": "warning", "namespace": "shop", "pod": "cart-0"},
            "annotations": {"summary": "cart-0 restarted five times in ten minutes"},
            "startsAt": "2026-11-22T09:28:11.021Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "https://prometheus.example.org/graph?g0.expr=restarts",
            "fingerprint": "90f1d2a3c4b5e697",
        }
    ],
}

CLOUDEVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e-1",
    "type": "org.example.alert",
    "source": "/monitoring/prod-1",
    "datacontenttype": "application/json",
    "data": {"alert_type": "CertificateExpiresSoon", "severity": "P2", "namespace": "edge", "service": "gateway"},
}

EXAMPLES: dict[str, BaseModel | dict[str, Any]] = {
    "alert": ALERT,
    "decision": DECISION,
    "resolution": RESOLUTION,
    "tuning": TUNING,
    "incident": INCIDENT,
    "dead-letter": DEAD_LETTER,
    "alertmanager": ALERTMANAGER,
    "cloudevent": CLOUDEVENT,
}


def example(name: str) -> Any:
    """Return an example as it is published, in JSON types."""
    event = EXAMPLES[name]
    if isinstance(event, BaseModel):
        return event.model_dump(
            mode="json", by_alias=True, exclude_none=isinstance(event, AlertEvent | DeadLetterHeaders)
        )
    return event
