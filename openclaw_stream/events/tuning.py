"""The shadow-tuning event: a preventive change, checked but not executed."""

from typing import Literal

from pydantic import AwareDatetime, Field

from openclaw_stream.events.decision import SCHEMA_VERSION, EventModel
from openclaw_stream.vocabulary import TuningType, Verdict


class ParsedCommand(EventModel):
    """The parts of a kubectl command, as parsed by the grammar."""

    verb: str = Field(max_length=100)
    resource: str = Field(max_length=100)
    name: str = Field(max_length=253)
    namespace: str = Field(max_length=253)
    flags: dict[str, str] = Field(default_factory=dict, max_length=32)


class Safety(EventModel):
    """The result of checking the command; advice has no command."""

    verdict: Verdict
    reasons: list[str] = Field(default_factory=list, max_length=16)


class TuningEvent(EventModel):
    """A preventive change; it is never executed, with or without approval."""

    schema_version: Literal[1] = SCHEMA_VERSION
    tuning_id: str
    decision_id: str
    incident_id: str
    revision: int = Field(ge=1)
    generation: int = Field(ge=1)
    replayed: bool
    approval_id: str | None = Field(None, description="Id for an approval in another system; null in shadow mode.")
    type: TuningType
    description: str = Field(max_length=2000)
    command: str = Field("", max_length=1000, description="A command that the grammar allows; empty if there is none.")
    command_reason: str = Field(
        "", max_length=1000, description="What in the evidence asks for the command, with a quote; empty without one."
    )
    parsed: ParsedCommand | None = None
    safety: Safety
    shadow_mode: bool
    executed: Literal[False] = False
    log: str = Field("", max_length=2000, description="What would have been done, as text.")
    created_at: AwareDatetime
