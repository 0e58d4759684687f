"""Opsgenie's outgoing webhook: an action on an alert.

Schema: "Opsgenie Edge Connector alert action data" of its documentation. Only actions that open, acknowledge, raise or
end an alert are read: a note may be written on an alert that is closed.
"""

from collections.abc import Iterator
from typing import Any

from openclaw_stream.alerts.formats.adapter import Adapter, AlertDocument, Outcome, Skipped
from openclaw_stream.alerts.formats.incident_priority import add_place, scalars, severity_of

_FIRING = frozenset(("create", "acknowledge", "unacknowledge", "escalate", "escalatenext", "updatepriority"))
_RESOLVED = frozenset(("close", "delete"))


def _detects(document: dict[str, Any]) -> bool:
    alert = document.get("alert")
    return type(document.get("action")) is str and type(alert) is dict and not {"alertId", "tinyId"}.isdisjoint(alert)


def _read(document: dict[str, Any]) -> Iterator[Outcome]:
    action, alert = document["action"].lower(), document["alert"]
    if action not in _FIRING | _RESOLVED:
        yield Skipped("lifecycle")
        return
    is_resolved = action in _RESOLVED
    labels = _tags(alert.get("tags")) | scalars(alert.get("details"))
    add_place(labels, alert.get("entity"))
    yield AlertDocument(
        {
            "alert_type": labels.get("alertname") or alert.get("message"),
            "status": "resolved" if is_resolved else "firing",
            "severity": severity_of(alert.get("priority")),
            "source": alert.get("source"),
            "message": alert.get("message"),
            "labels": labels,
            "annotations": _described(alert.get("description"), alert.get("message")),
            "fingerprint": alert.get("alias") or alert.get("alertId"),
            "starts_at": alert.get("createdAt"),
            "ends_at": alert.get("updatedAt") if is_resolved else None,
        }
    )


def _described(description: Any, message: Any) -> dict[str, str]:
    # The message may be of any type, also one without a hash.
    return {"description": description} if type(description) is str and description not in ("", message) else {}


def _tags(tags: Any) -> dict[str, Any]:
    """Return tags `name:value` as labels; other tags name nothing."""
    pairs = (tag.partition(":") for tag in tags if type(tag) is str) if type(tags) is list else ()
    return {name.strip(): value.strip() for name, _, value in pairs if value.strip()}


ADAPTER = Adapter("opsgenie", _detects, _read)
