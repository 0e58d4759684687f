"""The shadow-tuning event: a preventive change, checked but not executed."""

from typing import Literal

from pydantic import AwareDatetime, Field

from openclaw_stream.events.model import SCHEMA_VERSION, EventModel
from openclaw_stream.vocabulary import TuningType, Verdict


class ParsedCommand(EventModel):
    """The parts of a kubectl command, as parsed by the grammar."""

    verb: str = Field(max_length=100, description="Such as scale or rollout restart.")
    resource: str = Field(max_length=100, description="Kind of the target in lower case.")
    name: str = Field(max_length=253, description="Name of the target.")
    namespace: str = Field(max_length=253, description="Namespace of the target.")
    flags: dict[str, str] = Field(default_factory=dict, max_length=32, description="Values by flag, such as `min`.")


class Safety(EventModel):
    """The result of checking the command; advice has no command."""

    verdict: Verdict = Field(description="The result of the check.")
    reasons: list[str] = Field(default_factory=list, max_length=16, description="Why, in words.")


class TuningEvent(EventModel):
    """A preventive change; it is never executed, with or without approval."""

    schema_version: Literal[1] = Field(SCHEMA_VERSION, description="Version of this schema.")
    tuning_id: str = Field(description="Id of this change; equal after a replay.")
    decision_id: str = Field(description="The decision that it belongs to, whose `incident.evidence` is its evidence.")
    incident_id: str = Field(description="Id of the incident.")
    revision: int = Field(ge=1, description="Revision of the incident.")
    generation: int = Field(ge=1, description="Increases with every reset of the consumer group's offsets.")
    replayed: bool = Field(description="Whether an earlier generation has settled all alerts of the decision.")
    approval_id: str | None = Field(None, description="Id for an approval in another system; null in shadow mode.")
    type: TuningType = Field(description="The kind of change.")
    description: str = Field(max_length=2000, description="What to change, and why.")
    command: str = Field("", max_length=1000, description="A command that the grammar allows; empty if there is none.")
    command_reason: str = Field(
        "", max_length=1000, description="What in the evidence asks for the command, with a quote; empty without one."
    )
    parsed: ParsedCommand | None = Field(None, description="The parts of the command; null without one.")
    safety: Safety = Field(description="The result of checking the command.")
    shadow_mode: bool = Field(description="Whether the worker runs in shadow mode.")
    executed: Literal[False] = Field(default=False, description="No change is ever executed.")
    log: str = Field("", max_length=2000, description="What would have been done, as text.")
    created_at: AwareDatetime = Field(description="When it was decided.")
