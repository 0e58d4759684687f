"""PagerDuty: alert events as they are sent to its Events API v2, and its webhooks v3.

Schemas: "Send an Alert Event" (Events API v2) and "Webhooks Overview" of PagerDuty's developer documentation. The
routing key is a secret and is not kept. A resolve event need not have a payload: then it names only its dedup key.
"""

from collections.abc import Iterator
from typing import Any

from openclaw_stream.alerts.field_values import describe_value
from openclaw_stream.alerts.formats.adapter import Adapter, AlertDocument, Outcome, Skipped, Unreadable
from openclaw_stream.alerts.formats.incident_priority import add_place, scalars, severity_of, summary_of

_UNNAMED = "unnamed"
_STATUSES = {"trigger": "firing", "acknowledge": "firing", "resolve": "resolved"}


def _detects_event(document: dict[str, Any]) -> bool:
    return type(document.get("event_action")) is str and not {"routing_key", "dedup_key"}.isdisjoint(document)


def _read_event(event: dict[str, Any]) -> Iterator[Outcome]:
    status = _STATUSES.get(event["event_action"].lower())
    payload = event.get("payload")
    if status is None:
        yield Unreadable(f"PagerDuty event: event_action is {describe_value(event['event_action'])}")
    elif type(payload) is not dict:
        fields = {"alert_type": _UNNAMED, "status": status, "fingerprint": event.get("dedup_key")}
        yield AlertDocument(fields, ("PagerDuty event without payload: names only its dedup key",))
    else:
        yield AlertDocument(_alert_of_event(event, payload, status))


def _alert_of_event(event: dict[str, Any], payload: dict[str, Any], status: str) -> dict[str, Any]:
    labels = scalars(payload.get("custom_details"))
    labels |= {name: payload[name] for name in ("component", "group", "class") if type(payload.get(name)) is str}
    add_place(labels, payload.get("component"), payload.get("source"))
    return {
        "alert_type": _first_text(labels.get("alertname"), payload.get("class"), payload.get("summary")),
        "status": status,
        "severity": payload.get("severity"),
        "source": event.get("client"),
        "message": payload.get("summary"),
        "labels": labels,
        "annotations": _links(event.get("links")),
        "fingerprint": event.get("dedup_key"),
        "starts_at": payload.get("timestamp") if status == "firing" else None,
        "generator_url": event.get("client_url"),
    }


def _links(links: Any) -> dict[str, str]:
    """Return the links by their texts, such as `runbook`; a link without a text names nothing."""
    pairs = ((link.get("text"), link.get("href")) for link in _list(links) if type(link) is dict)
    return {text: href for text, href in pairs if type(text) is str and text and type(href) is str}


def _detects_webhook(document: dict[str, Any]) -> bool:
    event = document.get("event")
    return type(event) is dict and type(event.get("event_type")) is str and type(event.get("data")) is dict


def _read_webhook(document: dict[str, Any]) -> Iterator[Outcome]:
    event = document["event"]
    incident = event["data"]
    if incident.get("type") != "incident":
        yield Skipped("lifecycle")
        return
    is_resolved = incident.get("status") == "resolved"
    team = next((summary_of(team) for team in _list(incident.get("teams"))), "")
    yield AlertDocument(
        {
            "alert_type": incident.get("title"),
            "status": incident.get("status"),
            "severity": severity_of(summary_of(incident.get("priority"))) or incident.get("urgency"),
            "source": "pagerduty",
            "service": summary_of(incident.get("service")),
            "message": incident.get("title"),
            "labels": {"team": team} if team else {},
            "fingerprint": incident.get("id"),
            "starts_at": incident.get("created_at"),
            "ends_at": event.get("occurred_at") if is_resolved else None,
            "generator_url": incident.get("html_url"),
        }
    )


def _first_text(*values: Any) -> Any:
    return next((value for value in values if type(value) is str and value.strip()), None)


def _list(values: Any) -> list[Any]:
    return values if type(values) is list else []


EVENT_ADAPTER = Adapter("pagerduty", _detects_event, _read_event)
WEBHOOK_ADAPTER = Adapter("pagerduty_webhook", _detects_webhook, _read_webhook)
