"""The state of an incident group in the compacted topic: shows what is open, and restores a worker."""

from typing import Any, Literal

from pydantic import Field

from openclaw_stream.events.decision import SCHEMA_VERSION, EventModel, Fraction, IncidentFacts
from openclaw_stream.vocabulary import IncidentStatus, Responsibility, Risk


class LastDecision(EventModel):
    """The last decision published of an incident, in short."""

    revision: int = Field(ge=1)
    primary_responsibility: Responsibility
    secondary_teams: list[Responsibility] = Field(default_factory=list, max_length=4)
    risk_level: Risk
    confidence: Fraction
    provider: str


class CurrentIncident(IncidentFacts):
    """The group's current or last incident."""

    incident_id: str
    revision: int = Field(ge=0, description="Highest published revision; 0 before the first.")
    last_decision: LastDecision | None = None


class LineageEntry(EventModel):
    """One of the group's incidents; offsets are those of the input partition."""

    incident_id: str
    opened_offset: int = Field(ge=0)
    opened_at: int = Field(description="Timestamp of the opening record, epoch milliseconds.")
    closed_offset: int | None = Field(description="First offset at which it is closed; null while it is open.")
    status: IncidentStatus


class LogIdentity(EventModel):
    """The topic that the states of a consumer group are about."""

    topic_id: str = Field(description="Id of the alerts topic: another one after it was deleted and created again.")
    since: int = Field(ge=1, description="First generation that read this topic; earlier states are about another.")


class IncidentState(EventModel):
    """A group's state, keyed by its group key.

    The reserved key `#generation` holds the same shape without an incident: the generation of the consumer group.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    group_key: str
    group_id: str = Field(description="The consumer group that wrote it.")
    generation: int = Field(ge=1, description="Grows with every reset of the group's offsets.")
    through: int = Field(ge=-1, description="Highest settled offset of the group; -1 for none.")
    replayed_through: int = Field(ge=-1, description="Highest settled offset of earlier generations; -1 for none.")
    incident: CurrentIncident | None
    lineage: list[LineageEntry] = Field(max_length=16, description="The last incidents, oldest first.")
    log: LogIdentity | None = Field(None, description="Under the key `#generation` only: the log that is read.")
    fold: dict[str, Any] = Field(
        description="Private to the worker, which restores the group from it; subject to change."
    )
