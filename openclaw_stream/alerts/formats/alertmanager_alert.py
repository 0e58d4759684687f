"""What Alertmanager's formats have in common: an alert that its labels identify, and the group it was sent in."""

from typing import Any

from openclaw_stream.alerts.formats.adapter import AlertDocument

GROUP_ANNOTATION = "alertmanager_group"
"""The annotation that keeps the sender's group as evidence; it takes no part in the identity of an alert."""

_GROUP_MAX = 500
_NAMES = ("alert_type", "alertname", "alert_name")
_UNNAMED = "unnamed"
_UNNAMED_WARNING = f'alertname: missing; the alert is called "{_UNNAMED}"'


def alert_document(fields: dict[str, Any], *warnings: str) -> AlertDocument:
    """Return the alert of `fields`; one that its labels identify is called `unnamed` where they hold no name."""
    if _is_unnamed(fields):
        return AlertDocument({**fields, "alert_type": _UNNAMED}, (*warnings, _UNNAMED_WARNING))
    return AlertDocument(fields, warnings)


def group_text(key: Any, labels: Any, receiver: Any) -> str:
    """Return the sender's group as one text, capped; empty where the sender names none."""
    parts = {"receiver": receiver, "group": key or _matchers(labels)}
    text = ", ".join(f"{name}: {part}" for name, part in parts.items() if type(part) is str and part)
    return text[:_GROUP_MAX]


def with_group(annotations: Any, group: str) -> Any:
    """Return annotations with the sender's group; those of a wrong type are returned as they are."""
    if not group or (annotations is not None and type(annotations) is not dict):
        return annotations
    return {GROUP_ANNOTATION: group, **(annotations or {})}


def _is_unnamed(fields: dict[str, Any]) -> bool:
    labels = fields.get("labels")
    if type(labels) is not dict or labels.get("alertname", "") != "" or any(fields.get(name) for name in _NAMES):
        return False
    return any(type(text) is str and text for text in labels.values())


def _matchers(labels: Any) -> str:
    if type(labels) is not dict or not labels:
        return ""
    return "{" + ", ".join(f'{name}="{text}"' for name, text in labels.items() if type(text) is str) + "}"
