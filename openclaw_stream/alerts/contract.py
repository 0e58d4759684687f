"""The native alert event: the contract for producers of the alerts topic."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, FiniteFloat

Scalar = str | int | FiniteFloat | bool | None
Timestamp = datetime | int | FiniteFloat


def _any_name(schema: dict[str, Any]) -> None:
    """Accept the name under each of its aliases, or as a label, in the schema."""
    properties = schema["properties"]
    for alias in ("alertname", "alert_name"):
        properties[alias] = {**properties["alert_type"], "description": "The same as alert_type."}
    name = {key: properties["alert_type"][key] for key in ("type", "pattern", "description")}
    described = {"description": "Labels with the name of the alert."}
    labels = {"type": "object", "properties": {"alertname": name}, "required": ["alertname"], **described}
    labelled: dict[str, Any] = {"properties": {"labels": labels}, "required": ["labels"]}
    named: list[dict[str, Any]] = [{"required": [name]} for name in ("alert_type", "alertname", "alert_name")]
    schema["anyOf"] = [*named, labelled]
    schema.pop("required")


# No implementation of regular expressions takes such a character for white space.
_VISIBLE = r"[^\s\x00-\x20\x7f-\xa0]"


class AlertEvent(BaseModel):
    """One alert, firing or resolved; only its name is required. Further fields are ignored.

    A field overrides the label of the same name. A missing namespace or service is taken from the usual labels
    (`service.name`, `k8s.namespace.name`, `deployment`, `app`, `pod` …).
    """

    model_config = ConfigDict(extra="ignore", json_schema_extra=_any_name)

    alert_type: Annotated[str, Field(min_length=1, pattern=_VISIBLE)] = Field(
        validation_alias=AliasChoices("alert_type", "alertname", "alert_name"),
        description="What is wrong: the name of the alert. Also a label `alertname`.",
        examples=["HighErrorRate"],
    )
    severity: str | None = Field(
        None,
        description="critical, high, warning, info, P0 to P3, or a usual name such as page, error, notice; "
        "any other value means warning.",
        examples=["critical"],
    )
    status: str | None = Field(
        None,
        description="firing or resolved. Without it an alert is firing, unless ends_at is before the record.",
        examples=["firing"],
    )
    source: str | None = Field(None, description="The system that raised it.", examples=["prometheus"])
    namespace: str | None = Field(None, description="Kubernetes namespace.", examples=["shop"])
    service: str | None = Field(None, description="Service or workload.", examples=["checkout"])
    target_resource: str | None = Field(None, description="KIND/NAME.", examples=["deployment/checkout"])
    message: str | None = Field(None, description="What happened, as text.")
    metrics: dict[str, FiniteFloat | None] | None = Field(None, description="Measured values by name.")
    labels: dict[str, Scalar] | None = Field(
        None, description="Identify the alert; values are converted to strings, null is left out."
    )
    annotations: dict[str, Scalar] | None = Field(
        None, description="Explain the alert; values are converted to strings."
    )
    fingerprint: str | None = Field(
        None,
        description="Equal in all repeats of an alert and in its resolution; derived from name and labels if missing.",
    )
    starts_at: Timestamp | None = Field(
        None, description="RFC 3339, or epoch seconds or milliseconds; an implausible one is ignored with a warning."
    )
    ends_at: Timestamp | None = Field(None, description="Like starts_at; 0001-01-01T00:00:00Z means none.")
    generator_url: str | None = Field(None, description="Link to what raised it, such as a rule or a graph.")
