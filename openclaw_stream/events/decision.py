"""The decision event: one validated judgement per incident revision; a resolution is a revision too."""

from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

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
)

SCHEMA_VERSION: Final = 1

Fraction = Annotated[float, Field(ge=0, le=1)]
AlertNames = Annotated[
    dict[str, int], Field(max_length=65, description="Alerts by name; at most 64 names, the rest under `#others`.")
]


class EventModel(BaseModel):
    """Base of the published models: frozen, without further fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class BlastRadius(EventModel):
    """What the remedy affects."""

    affected_pods: int = Field(0, ge=0, description="Pods that the remedy affects; 0 if unknown.")
    estimated_downtime: str = Field("", max_length=200)
    related_services: list[str] = Field(default_factory=list, max_length=16)
    data_impact: DataImpact = DataImpact.NONE


class Suggestion(EventModel):
    """One preventive change: a kubectl command, or a configuration as text."""

    type: TuningType
    description: str = Field(max_length=2000)
    kubectl_or_config: str = Field("", max_length=2000)
    command_reason: str = Field(
        "", max_length=1000, description="What in the evidence asks for the command, with a quote; empty without one."
    )


class Judgement(EventModel):
    """The judgement of one incident revision."""

    action_title: str = Field(max_length=200)
    description: str = Field("", max_length=4000)
    suggested_action: Action = Action.NO_ACTION
    kubectl_command: str = Field("", max_length=1000, description="Suggested, never executed; empty if there is none.")
    command_reason: str = Field(
        "", max_length=1000, description="What in the evidence asks for the command, with a quote; empty without one."
    )
    target_resource: str = Field("", max_length=300, description="KIND/NAME; empty if there is none.")
    namespace: str = Field("", max_length=253)
    risk_level: Risk = Risk.LOW
    blast_radius: BlastRadius = BlastRadius()
    primary_responsibility: Responsibility
    responsibility_reasoning: str = Field("", max_length=4000)
    secondary_teams: list[Responsibility] = Field(default_factory=list, max_length=4)
    optimization_suggestions: list[Suggestion] = Field(default_factory=list, max_length=8)
    reasoning: str = Field("", max_length=8000)
    deviation_analysis: str = Field("", max_length=4000)
    confidence: Fraction
    affected_services: list[str] = Field(default_factory=list, max_length=16)
    signoz_correlation: str = Field("", max_length=2000)


class IncidentSubject(EventModel):
    """The object that an incident is about."""

    kind: str = Field(
        description="In lower case: a Kubernetes kind such as deployment, pod, node or persistentvolumeclaim; service, "
        "workload, host, datasource; alert where nothing but the name of the alert is known.",
        examples=["deployment"],
    )
    namespace: str = Field(description="Empty where it has none or it is not known.")
    name: str


class IncidentFacts(EventModel):
    """An incident and its counts so far."""

    subject: IncidentSubject | None = Field(None, description="Null in events of versions before this field.")
    namespace: str = Field(description="The alert's own namespace, empty where it has none.")
    service: str = Field(description="The service or workload of the alert, empty where it has none.")
    severity: Severity
    status: IncidentStatus
    opened_at: AwareDatetime
    last_alert_at: AwareDatetime
    alert_count: int = Field(ge=0)
    distinct_alerts: int = Field(ge=0, description="Distinct fingerprints; a lower bound above 1,024.")
    alert_names: AlertNames
    flaps: int = Field(ge=0)
    previous_incident_id: str | None = None


class IncidentSummary(IncidentFacts):
    """The incident at the time of the revision."""

    group_key: str


class Confidence(EventModel):
    """The confidence of the judgement, and the result of the confidence gate."""

    reported: Fraction
    evidence: Fraction
    final: Fraction
    gate: Literal["passed", "collab"]


class GoldenSignals(EventModel):
    """SigNoz golden signals over the ten minutes before the revision was due."""

    rps: float | None = None
    rps_trend: float | None = Field(None, description="Relative change from the previous window.")
    error_rate: float | None = Field(None, description="Percent.")
    p99_ms: float | None = None
    unavailable: str | None = Field(None, description="Why there are no golden signals.")


class Attempt(EventModel):
    """One call to a provider."""

    provider: str
    model: str | None = None
    outcome: str
    latency_ms: int = Field(0, ge=0)
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None


class Provenance(EventModel):
    """The origin of the judgement: provider, model, prompt and rules."""

    provider: str
    model: str | None = None
    from_cache: bool = False
    degraded: bool = False
    degraded_reasons: list[str] = Field(default_factory=list, max_length=16)
    attempts: list[Attempt] = Field(default_factory=list, max_length=32)
    prompt_version: str | None = None
    rules_version: str
    language: Language


class RejectedCommand(EventModel):
    """A proposed command that validation rejected."""

    command: str = Field(max_length=1000)
    reason: str = Field(max_length=500)


class Validation(EventModel):
    """What validation changed or rejected."""

    repaired: bool = False
    rejected_commands: list[RejectedCommand] = Field(default_factory=list, max_length=16)
    warnings: list[str] = Field(default_factory=list, max_length=32)


class Source(EventModel):
    """The alert records that the event covers."""

    topic: str
    partition: int = Field(ge=0)
    first_offset: int = Field(ge=0)
    last_offset: int = Field(ge=0)


class Decision(EventModel):
    """A validated decision; upsert by incident_id, apply if (generation, revision) is not below the stored pair."""

    schema_version: Literal[1] = SCHEMA_VERSION
    event_type: EventType
    decision_id: str
    incident_id: str
    revision: int = Field(ge=1)
    generation: int = Field(ge=1)
    replayed: bool
    incident: IncidentSummary
    decision: Judgement
    confidence: Confidence
    metrics: GoldenSignals | None = None
    trace_url: str | None = None
    provenance: Provenance
    validation: Validation
    source: Source
    decided_at: AwareDatetime
