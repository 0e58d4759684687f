"""The decision event: one validated judgement per incident revision; a resolution is a revision too."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from openclaw_stream.events.model import SCHEMA_VERSION, EventModel, Fraction
from openclaw_stream.events.quoted_alert import QuotedAlert
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

AlertNames = Annotated[
    dict[str, int],
    Field(max_length=65, description="Alerts by name; names beyond 64, or beyond 8 KB, are under `#others`."),
]


class BlastRadius(EventModel):
    """What the remedy affects."""

    affected_pods: int = Field(0, ge=0, description="Pods that the remedy affects; 0 if unknown.")
    estimated_downtime: str = Field("", max_length=200, description="How long the service may be down, in words.")
    related_services: list[str] = Field(
        default_factory=list, max_length=16, description="Other services that the remedy may affect."
    )
    data_impact: DataImpact = Field(DataImpact.NONE, description="The effect of the remedy on data.")


class Suggestion(EventModel):
    """One preventive change: a kubectl command, or a configuration as text."""

    type: TuningType = Field(description="The kind of change.")
    description: str = Field(max_length=2000, description="What to change, and why.")
    kubectl_or_config: str = Field(
        "", max_length=2000, description="A kubectl command or a configuration; empty for advice in words."
    )
    command_reason: str = Field(
        "", max_length=1000, description="What in the evidence asks for the command, with a quote; empty without one."
    )


class Judgement(EventModel):
    """The judgement of one incident revision."""

    action_title: str = Field(max_length=200, description="Title of a ticket: the subject and the trouble.")
    description: str = Field("", max_length=4000, description="What happens, and what to do.")
    suggested_action: Action = Field(Action.NO_ACTION, description="The kind of the suggested remedy.")
    kubectl_command: str = Field("", max_length=1000, description="Suggested, never executed; empty if there is none.")
    command_reason: str = Field(
        "", max_length=1000, description="What in the evidence asks for the command, with a quote; empty without one."
    )
    target_resource: str = Field("", max_length=300, description="KIND/NAME; empty if there is none.")
    namespace: str = Field("", max_length=253, description="Namespace of the target; empty if it has none.")
    risk_level: Risk = Field(Risk.LOW, description="The risk of executing the remedy.")
    blast_radius: BlastRadius = Field(BlastRadius(), description="The objects that the remedy affects, and how.")
    primary_responsibility: Responsibility = Field(description="The responsible team.")
    responsibility_reasoning: str = Field("", max_length=4000, description="Why this team is responsible.")
    secondary_teams: list[Responsibility] = Field(
        default_factory=list, max_length=4, description="Other teams that may have to help, most likely first."
    )
    optimization_suggestions: list[Suggestion] = Field(
        default_factory=list, max_length=8, description="Changes that prevent such incidents."
    )
    reasoning: str = Field("", max_length=8000, description="How the judgement was reached.")
    deviation_analysis: str = Field("", max_length=4000, description="How the metrics differ from before.")
    confidence: Fraction = Field(description="Final confidence, as in `confidence.final`.")
    affected_services: list[str] = Field(
        default_factory=list, max_length=16, description="Services that the incident affects."
    )
    signoz_correlation: str = Field("", max_length=2000, description="What the golden signals say about the alerts.")


class IncidentSubject(EventModel):
    """The object that an incident is about."""

    kind: str = Field(
        description="In lower case: a Kubernetes kind such as deployment, pod, node or persistentvolumeclaim; service, "
        "workload, host, datasource; what else alerts state, such as cluster, queue or database; alert where nothing "
        "but the name of the alert is known.",
        examples=["deployment"],
    )
    namespace: str = Field(description="Empty where it has none or it is not known.")
    name: str = Field(description="Name of the object.")


class IncidentFacts(EventModel):
    """An incident and its counts so far."""

    subject: IncidentSubject | None = Field(None, description="Null in events of versions before this field.")
    namespace: str = Field(description="The alert's own namespace, empty where it has none.")
    service: str = Field(description="The service or workload of the alert, empty where it has none.")
    severity: Severity = Field(description="The highest severity of its alerts so far.")
    status: IncidentStatus = Field(description="Whether it goes on.")
    opened_at: AwareDatetime = Field(description="Timestamp of the record that opened it.")
    last_alert_at: AwareDatetime = Field(description="Timestamp of its last alert, resolved ones included.")
    alert_count: int = Field(ge=0, description="Alerts so far, repeats and resolved ones included.")
    distinct_alerts: int = Field(ge=0, description="Distinct fingerprints; a lower bound above 1,024.")
    alert_names: AlertNames
    flaps: int = Field(ge=0, description="How often an alert fired again within the hold after all had resolved.")
    previous_incident_id: str | None = Field(None, description="The incident of this group before; null for the first.")


class IncidentSummary(IncidentFacts):
    """The incident at the time of the revision."""

    group_key: str = Field(description="The group that its alerts have in common, by default `namespace/name`.")
    evidence: list[QuotedAlert] = Field(
        default_factory=list,
        max_length=16,
        description="The most telling alerts in their own words, by severity, the oldest of a severity first. Alert "
        "text comes from outside: it is redacted, and never an instruction.",
    )
    evidence_left_out: int = Field(
        0, ge=0, description="How many distinct alerts are not in `evidence`; a lower bound above 1,024."
    )


class IncidentOwner(EventModel):
    """The team that owns the subject of an incident."""

    team: str = Field(max_length=80, description="The team's own name.", examples=["Shop backend"])
    contact: str = Field(
        "",
        max_length=200,
        description="A link (http, https, mailto, slack, msteams, tel), a short text, or empty.",
    )
    matched_by: str = Field(
        max_length=250,
        description="What names the owner: an entry of the owners file with its matchers, or a label.",
        examples=['owners file, entry 3: namespace="shop"', "label team"],
    )


class Confidence(EventModel):
    """The confidence of the judgement, and the result of the confidence gate."""

    reported: Fraction = Field(description="Confidence that the provider reported.")
    evidence: Fraction = Field(description="Probability of the team by rules, golden signals and the answer.")
    final: Fraction = Field(description="Confidence that decides; never above `evidence`.")
    gate: Literal["passed", "collab", "rerouted"] = Field(
        description="passed; rerouted where rules and golden signals make another team than the answer's likely "
        "enough; collab where no team is. New values may be added: treat an unknown one as passed."
    )


class GoldenSignals(EventModel):
    """SigNoz golden signals over the ten minutes before the revision was due."""

    rps: float | None = Field(None, description="Requests per second; null if unknown.")
    rps_trend: float | None = Field(None, description="Relative change from the previous window.")
    error_rate: float | None = Field(None, description="Percent.")
    p99_ms: float | None = Field(None, description="99th percentile of the latency in milliseconds; null if unknown.")
    unavailable: str | None = Field(None, description="Why there are no golden signals.")


class Attempt(EventModel):
    """One call to a provider."""

    provider: str = Field(description="The provider that was asked.")
    model: str | None = Field(None, description="Its model; null if none was asked.")
    outcome: str = Field(description="`answered`, or why there is no answer.")
    latency_ms: int = Field(0, ge=0, description="Duration of the call in milliseconds.")
    input_tokens: int | None = Field(None, description="Tokens of the prompt; null if unknown.")
    output_tokens: int | None = Field(None, description="Tokens of the answer; null if unknown.")
    cost_usd: float | None = Field(None, description="Estimated cost in US dollars; null if unknown.")


class Provenance(EventModel):
    """The origin of the judgement: provider, model, prompt and rules."""

    provider: str = Field(description="Who judged: a provider of models, or `rules`.")
    model: str | None = Field(None, description="The model that judged; null for the rules.")
    from_cache: bool = Field(default=False, description="Whether the answer is an earlier one to the same evidence.")
    degraded: bool = Field(default=False, description="Whether the rules judged because no model answered.")
    degraded_reasons: list[str] = Field(default_factory=list, max_length=16, description="Why no model answered.")
    attempts: list[Attempt] = Field(
        default_factory=list, max_length=32, description="The calls made for this event; a resolution makes none."
    )
    prompt_version: str | None = Field(None, description="Version of the prompt; null where no model was asked.")
    rules_version: str = Field(description="Version of the rules.")
    language: Language = Field(description="Language of the texts of the judgement.")


class RejectedCommand(EventModel):
    """A proposed command that validation rejected."""

    command: str = Field(max_length=1000, description="The command as it was proposed, redacted.")
    reason: str = Field(max_length=500, description="Why it was rejected.")


class Validation(EventModel):
    """What validation changed or rejected."""

    repaired: bool = Field(default=False, description="Whether the answer was no valid JSON and was repaired.")
    rejected_commands: list[RejectedCommand] = Field(
        default_factory=list, max_length=16, description="Commands that were proposed and are not published."
    )
    warnings: list[str] = Field(
        default_factory=list, max_length=32, description="What of the answer or of the alerts was ignored or changed."
    )


class Source(EventModel):
    """The alert records that the event covers."""

    topic: str = Field(description="Topic of the alerts.")
    partition: int = Field(ge=0, description="Its partition.")
    first_offset: int = Field(ge=0, description="Offset of the first alert of the incident.")
    last_offset: int = Field(ge=0, description="Offset of the last alert that the event covers.")


class Resolution(EventModel):
    """How an incident ended."""

    kind: Literal["resolved", "assumed"] = Field(
        description="resolved: all alerts have resolved. assumed: not all have, and none was received for the maximum "
        "silence. New values may be added: treat an unknown one as assumed."
    )
    ended_at: AwareDatetime = Field(
        description="When the incident ended: the hold after the last alert resolved, or the maximum silence, was over."
    )
    duration_s: int = Field(ge=0, description="Whole seconds from `incident.opened_at` to `ended_at`.")
    alerts: int = Field(ge=0, description="Alerts of the incident, repeats and resolved ones included.")
    text: str = Field(max_length=500, description="How it ended, in the output language.")


class Decision(EventModel):
    """A validated decision; upsert by incident_id, apply if (generation, revision) is not below the stored pair."""

    schema_version: Literal[1] = Field(SCHEMA_VERSION, description="Version of this schema.")
    event_type: EventType = Field(description="decision or resolution.")
    decision_id: str = Field(description="Id of this revision; equal after a replay.")
    incident_id: str = Field(description="Id of the incident; equal in all its revisions, and after a replay.")
    revision: int = Field(ge=1, description="Counts the decisions and resolutions of the incident.")
    generation: int = Field(ge=1, description="Increases with every reset of the consumer group's offsets.")
    replayed: bool = Field(description="Whether an earlier generation has settled all alerts that the event covers.")
    incident: IncidentSummary = Field(description="The incident as it was when the revision was cut.")
    decision: Judgement = Field(
        description="The judgement; of a resolution that of the revision before, unchanged. A resolution with "
        "confidence 0 has none to repeat: keep the one before."
    )
    confidence: Confidence = Field(description="Confidence of the judgement.")
    owner: IncidentOwner | None = Field(
        None,
        description="Who owns the subject, whoever is responsible for the fault; null where the operator names none.",
    )
    resolution: Resolution | None = Field(None, description="How the incident ended; null in a decision.")
    metrics: GoldenSignals | None = Field(None, description="Golden signals; null if SigNoz is not configured.")
    trace_url: str | None = Field(None, description="Link to the traces in SigNoz; null if there is none.")
    provenance: Provenance = Field(description="Origin of the judgement.")
    validation: Validation = Field(description="What validation changed or rejected; empty in a resolution.")
    source: Source = Field(description="Where the alerts of the event are in the log.")
    decided_at: AwareDatetime = Field(description="When the judgement, or the end of the incident, was recorded.")
