"""The state of a group in the compacted topic: shows open incidents, and restores a worker."""

from typing import Any, Literal

from pydantic import Field

from openclaw_stream.events.decision import IncidentFacts
from openclaw_stream.events.model import SCHEMA_VERSION, EventModel, Fraction
from openclaw_stream.vocabulary import IncidentStatus, Responsibility, Risk


class LastDecision(EventModel):
    """A summary of the last published decision."""

    revision: int = Field(
        ge=1, description="Its revision; after a reset of the offsets one of the generation before, until the next."
    )
    primary_responsibility: Responsibility = Field(description="The responsible team.")
    secondary_teams: list[Responsibility] = Field(
        default_factory=list, max_length=4, description="Other teams that may have to help, most likely first."
    )
    risk_level: Risk = Field(description="The risk of executing the remedy.")
    confidence: Fraction = Field(description="Final confidence.")
    provider: str = Field(description="Who judged: a provider of models, or `rules`.")


class CurrentIncident(IncidentFacts):
    """The group's current or last incident."""

    incident_id: str = Field(description="Id of the incident.")
    revision: int = Field(ge=0, description="Highest published revision; 0 before the first.")
    last_decision: LastDecision | None = Field(None, description="Its last published decision; null before the first.")


class LineageEntry(EventModel):
    """An incident of the group; offsets are those of the input partition."""

    incident_id: str = Field(description="Id of the incident.")
    opened_offset: int = Field(ge=0, description="Offset of the record that opened it.")
    opened_at: int = Field(description="Timestamp of the opening record, epoch milliseconds.")
    closed_offset: int | None = Field(
        description="First offset at which the incident is closed; null while it is open."
    )
    status: IncidentStatus = Field(description="How it ended, firing while it is open.")


class LogIdentity(EventModel):
    """The alerts topic of the states of a consumer group."""

    topic_id: str = Field(description="Id of the alerts topic; changes if the topic is deleted and created again.")
    since: int = Field(ge=1, description="First generation that read this topic; earlier states belong to another.")


class IncidentState(EventModel):
    """The state of a group, keyed by its group key.

    The reserved key `#generation` has a record of the same shape without an incident: the consumer group's generation.
    """

    schema_version: Literal[1] = Field(SCHEMA_VERSION, description="Version of this schema.")
    group_key: str = Field(description="The group, which is also the record's key.")
    group_id: str = Field(description="The consumer group that wrote the state.")
    generation: int = Field(ge=1, description="Increases with every reset of the consumer group's offsets.")
    through: int = Field(ge=-1, description="Highest settled offset of the group; -1 if there is none.")
    replayed_through: int = Field(
        ge=-1, description="Highest settled offset of earlier generations; -1 if there is none."
    )
    incident: CurrentIncident | None = Field(description="The current or last incident; null if there was none.")
    lineage: list[LineageEntry] = Field(max_length=16, description="The last incidents, oldest first.")
    log: LogIdentity | None = Field(None, description="Only under the key `#generation`: the topic that is read.")
    fold: dict[str, Any] = Field(
        description="Internal state from which the worker restores the group; subject to change."
    )
