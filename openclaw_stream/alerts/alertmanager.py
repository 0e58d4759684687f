"""Alertmanager's webhook payload; SigNoz and Grafana send it too, with fields of their own."""

from collections.abc import Iterator
from typing import Any

_COMMON_MAX = 4096


def is_payload(document: dict[str, Any]) -> bool:
    """Return whether a document has `alerts[]`; the version differs between senders."""
    return type(document.get("alerts")) is list


def alerts_of(payload: dict[str, Any]) -> Iterator[Any]:
    """Yield the payload's alerts, with the common labels and annotations where an alert has none of that name.

    The status of the payload is firing if any alert is, so it only counts for alerts without a status.
    """
    labels, annotations = _common(payload.get("commonLabels")), _common(payload.get("commonAnnotations"))
    status = payload.get("status")
    for alert in payload["alerts"]:
        if type(alert) is dict:
            yield {
                "status": status if type(status) is str else None,
                **alert,
                "labels": _with_common(alert.get("labels"), labels),
                "annotations": _with_common(alert.get("annotations"), annotations),
            }
        else:
            yield alert


def truncated_count(payload: dict[str, Any]) -> int:
    """Return how many alerts the sender has left out."""
    count = payload.get("truncatedAlerts")
    return count if type(count) is int and count > 0 else 0


def _common(texts: Any) -> dict[str, str]:
    """Return the common texts up to a size: they are copied into each alert of a record."""
    kept: dict[str, str] = {}
    remaining = _COMMON_MAX
    for key, text in texts.items() if type(texts) is dict else ():
        if type(text) is str and len(key) + len(text) <= remaining:
            remaining -= len(key) + len(text)
            kept[key] = text
    return kept


def _with_common(own: Any, common: dict[str, str]) -> Any:
    if own is None:
        return common
    return {**common, **own} if common and type(own) is dict else own
