"""Grafana's Kafka contact point: one record a group of alerts, its labels as prose.

Schema: `kafkaRecord` of Grafana's `receivers/kafka/v1/kafka.go` (description, client, details, alert_state, client_url,
contexts, incident_key). `details` is a template of the user's; `default.message` of `templates/default_template.go`
lists each alert below `**Firing**` or `**Resolved**`. A template that writes JSON gives whole alerts.
"""

import re
from collections.abc import Iterator
from typing import Any

from openclaw_stream.alerts.formats import alertmanager_webhook, native
from openclaw_stream.alerts.formats.adapter import Adapter, AlertDocument, Outcome
from openclaw_stream.alerts.formats.alertmanager_alert import with_group
from openclaw_stream.alerts.formats.grafana_prose import ProseAlert, alerts_of
from openclaw_stream.alerts.json_values import parse
from openclaw_stream.errors import PoisonError

_TAG = re.compile(r"\s*\[[^\]]{0,100}\]")
_UNNAMED = "unnamed"
_RESOLVED_STATES = ("ok", "resolved")


def _detects(document: dict[str, Any]) -> bool:
    return "alert_state" in document and ("incident_key" in document or document.get("client") == "Grafana")


def _read(record: dict[str, Any]) -> Iterator[Outcome]:
    warnings: list[str] = []
    payload = _payload(record, warnings)
    if payload is not None:
        yield from alertmanager_webhook.read_payload(payload)
        return
    details = record.get("details")
    alerts = alerts_of(details) if type(details) is str else []
    if not alerts:
        yield _unlabelled(record, warnings)
    for alert in alerts:
        yield _labelled(record, alert)


def _payload(record: dict[str, Any], warnings: list[str]) -> dict[str, Any] | None:
    """Return the JSON that a template wrote into `details`, as a payload with alerts[]."""
    details = record.get("details")
    if type(details) is str:
        if not details.lstrip().startswith(("{", "[")):
            return None
        try:
            details = parse(details, warnings)
        except PoisonError as error:
            warnings.append(f"details: {error}")
            return None
    state = {"status": _status(record)}
    if type(details) is list:
        return {**state, "alerts": details}
    if type(details) is not dict:
        return None
    if type(details.get("alerts")) is list:
        return {**state, **details}
    return {**state, "alerts": [details]} if native.ADAPTER.detects(details) else None


def _labelled(record: dict[str, Any], alert: ProseAlert) -> AlertDocument:
    fields: dict[str, Any] = {
        "labels": alert.labels,
        "annotations": _with_key(record, alert.annotations),
        "metrics": alert.values,
        "status": alert.status or _status(record),
        "generator_url": alert.source or record.get("client_url"),
    }
    if alert.labels.get("alertname"):
        return AlertDocument(fields)
    fields["alert_type"] = _name(record)
    return AlertDocument(fields, ("details: an alert without a label alertname; its name is the description",))


def _unlabelled(record: dict[str, Any], warnings: list[str]) -> AlertDocument:
    """Return one alert for the whole group, where the template has left out the labels."""
    fields = {
        "alert_type": _name(record),
        "message": record.get("details"),
        "annotations": _with_key(record, {}),
        "status": _status(record),
        "fingerprint": record.get("incident_key"),
        "generator_url": record.get("client_url"),
    }
    warning = "details: no labels; the name is the description, severity, namespace and service are not known"
    return AlertDocument(fields, (*warnings, warning))


def _status(record: dict[str, Any]) -> str:
    return "resolved" if record.get("alert_state") in _RESOLVED_STATES else "firing"


def _with_key(record: dict[str, Any], annotations: dict[str, str]) -> Any:
    key = record.get("incident_key")
    return with_group(annotations, f"group: {key[:100]}" if type(key) is str and key else "")


def _name(record: dict[str, Any]) -> str:
    """Return the description without its count of alerts and without the labels in brackets at its end."""
    description = record.get("description")
    if type(description) is not str:
        return _UNNAMED
    text = _TAG.sub("", description, count=1) if _TAG.match(description) else description
    name = text.strip()
    start = name.rfind(" (")
    return (name[:start] if start > 0 and name.endswith(")") else name).strip() or _UNNAMED


ADAPTER = Adapter("grafana_kafka", _detects, _read)
