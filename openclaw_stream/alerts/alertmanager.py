"""Alertmanager's webhook payload as one record; SigNoz and Grafana send it too, with fields of their own."""

from collections.abc import Iterator
from typing import Any

_COMMON_MAX = 4096


def is_payload(document: dict[str, Any]) -> bool:
    """Tell Alertmanager's payload by its `alerts[]`; the version differs between those who send it."""
    return type(document.get("alerts")) is list


def alerts_of(payload: dict[str, Any]) -> Iterator[Any]:
    """Yield the payload's alerts, what they have in common filled in where one lacks it.

    A payload of several alerts is firing as long as one of them is: each alert's own status counts.
    """
    labels, annotations = _common(payload.get("commonLabels")), _common(payload.get("commonAnnotations"))
    status = payload.get("status")
    for alert in payload["alerts"]:
        if type(alert) is dict:
            yield {
                "status": status if type(status) is str else None,
                **alert,
                "labels": _filled(alert.get("labels"), labels),
                "annotations": _filled(alert.get("annotations"), annotations),
            }
        else:
            yield alert


def truncated(payload: dict[str, Any]) -> int:
    """Return how many alerts the sender cut off."""
    count = payload.get("truncatedAlerts")
    return count if type(count) is int and count > 0 else 0


def _common(texts: Any) -> dict[str, str]:
    """Bound what is copied into each alert: a small record of many alerts must not grow large."""
    kept: dict[str, str] = {}
    room = _COMMON_MAX
    for key, text in texts.items() if type(texts) is dict else ():
        if type(text) is str and len(key) + len(text) <= room:
            room -= len(key) + len(text)
            kept[key] = text
    return kept


def _filled(own: Any, common: dict[str, str]) -> Any:
    if own is None:
        return common
    return {**common, **own} if common and type(own) is dict else own
