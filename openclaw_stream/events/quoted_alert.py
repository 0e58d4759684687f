"""The alerts that a decision quotes: their own words, redacted and safe to display."""

from typing import Literal

from pydantic import AwareDatetime, Field

from openclaw_stream.events.model import EventModel
from openclaw_stream.vocabulary import Severity


class QuotedAlert(EventModel):
    """One alert of the incident; a text that was cut ends with `…`."""

    name: str = Field(max_length=200, description="Name of the alert.")
    status: Literal["firing", "resolved"] = Field(
        description="Whether the alert fired when the revision was cut. New values may be added: treat an unknown one "
        "as firing."
    )
    severity: Severity = Field(description="Severity of this alert; that of the incident is the highest.")
    summary: str = Field("", max_length=500, description="The annotation `summary`; empty where there is none.")
    description: str = Field("", max_length=500, description="The annotation `description`; empty where there is none.")
    message: str = Field("", max_length=500, description="The alert's own message; empty where there is none.")
    labels: dict[str, str] = Field(default_factory=dict, max_length=32, description="Labels by name.")
    labels_left_out: int = Field(0, ge=0, description="How many more labels the alert has.")
    annotations: dict[str, str] = Field(
        default_factory=dict,
        max_length=8,
        description="Annotations by name, without `summary`, `description` and those that are links of this object.",
    )
    annotations_left_out: int = Field(0, ge=0, description="How many more annotations the alert has.")
    starts_at: AwareDatetime | None = Field(
        None, description="When the alert began to fire, by its sender; null where it does not say."
    )
    count: int = Field(
        ge=0, description="Alerts of this name in the incident so far, repeats included; 0 if it was not counted."
    )
    generator_url: str = Field(
        "", max_length=1000, description="Link to what raised the alert; empty where there is none."
    )
    runbook_url: str = Field("", max_length=1000, description="Link to the runbook; empty where there is none.")
    dashboard_url: str = Field("", max_length=1000, description="Link to a dashboard; empty where there is none.")
    panel_url: str = Field(
        "", max_length=1000, description="Link to a panel of the dashboard; empty where there is none."
    )
