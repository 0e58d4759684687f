"""Prometheus' `GET /api/v1/alerts`: the answer, its `data`, or one of its alerts.

The schema is `Alert` of Prometheus' `web/api/v1/api.go`: labels, annotations, `state` (firing, pending, inactive),
`activeAt` (RFC 3339) and `value`, a number as text.
"""

import math
from collections.abc import Iterator
from typing import Any

from openclaw_stream.alerts.formats.adapter import Adapter, Outcome, Skipped, Unreadable
from openclaw_stream.alerts.formats.alertmanager_alert import alert_document

_STATUSES = {"firing": "firing", "inactive": "resolved"}


def is_active_alert(document: dict[str, Any]) -> bool:
    """Return whether it is one alert of the answer."""
    return "activeAt" in document and type(document.get("state")) is str and type(document.get("labels")) is dict


def read_active_alert(document: dict[str, Any]) -> Iterator[Outcome]:
    """Yield one alert of the answer; one that is pending is none yet."""
    state = document["state"]
    if state == "pending":
        yield Skipped("pending")
        return
    fields: dict[str, Any] = {
        "labels": document["labels"],
        "annotations": document.get("annotations"),
        "status": _STATUSES.get(state, state),
        "starts_at": document["activeAt"],
    }
    value = _number(document.get("value"))
    if value is not None:
        fields["metrics"] = {"value": value}
    yield alert_document(fields)


def _detects(document: dict[str, Any]) -> bool:
    return _alerts(document) is not None or is_active_alert(document)


def _read(document: dict[str, Any]) -> Iterator[Outcome]:
    alerts = _alerts(document)
    if alerts is None:
        yield from read_active_alert(document)
        return
    if not alerts:
        yield Skipped("empty")
    for alert in alerts:
        if type(alert) is dict and is_active_alert(alert):
            yield from read_active_alert(alert)
        else:
            yield Unreadable("expected an alert with labels, state and activeAt")


def _alerts(answer: dict[str, Any]) -> list[Any] | None:
    data = answer.get("data")
    alerts = data.get("alerts") if type(data) is dict else None
    return alerts if type(alerts) is list else None


def _number(value: Any) -> float | None:
    if type(value) not in {str, int, float}:
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


ADAPTER = Adapter("prometheus_api", _detects, _read)
