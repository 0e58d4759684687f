"""Alertmanager's webhook payload as one record; Grafana and SigNoz send it too, with fields of their own.

Schemas: `notify/webhook` of Alertmanager (version 4, since 0.33 with `notification_reason`, since 0.34 with
`routeLabels`), `webhook.default.payload` of Grafana's `templates/default_template.go` (version 1), SigNoz' alertmanager
(version 4). The version does not tell them apart; the payload is known by its `alerts[]`.
"""

import math
from collections.abc import Iterator
from typing import Any

from openclaw_stream.alerts.field_values import describe_value
from openclaw_stream.alerts.formats import alertmanager_api, prometheus_api
from openclaw_stream.alerts.formats.adapter import Adapter, AlertDocument, Outcome, Skipped, Unreadable
from openclaw_stream.alerts.formats.alertmanager_alert import GROUP_ANNOTATION, alert_document, group_text

_COMMON_MAX = 4096
_LINKS = {"dashboardURL": "dashboard_url", "panelURL": "panel_url"}
"""Grafana's fields that link to what an alert shows, and the annotations that keep them."""

_NO_DATA = "[no data]"


def read_payload(payload: dict[str, Any]) -> Iterator[Outcome]:
    """Yield the payload's alerts, what they have in common filled in where one lacks it.

    A payload of several alerts is firing as long as one of them is: each alert's own status counts.
    """
    labels, annotations = _common(payload.get("commonLabels")), _common(payload.get("commonAnnotations"))
    if group := group_text(payload.get("groupKey"), payload.get("groupLabels"), payload.get("receiver")):
        annotations[GROUP_ANNOTATION] = group
    status = payload.get("status")
    defaults = {"status": status} if type(status) is str else {}
    if not payload["alerts"]:
        yield Skipped("empty")
    warnings = _truncated(payload)
    for alert in payload["alerts"]:
        for outcome in _read_alert(alert, defaults, labels, annotations):
            if warnings and isinstance(outcome, AlertDocument):
                outcome.warnings += warnings
                warnings = ()
            yield outcome


def _detects(document: dict[str, Any]) -> bool:
    return type(document.get("alerts")) is list


def _read_alert(
    alert: Any, defaults: dict[str, Any], labels: dict[str, str], annotations: dict[str, str]
) -> Iterator[Outcome]:
    if type(alert) is not dict:
        yield Unreadable(f"expected an object, got {describe_value(alert)}")
        return
    fields = {
        **defaults,
        **alert,
        "labels": _filled(alert.get("labels"), labels),
        "annotations": _filled(alert.get("annotations"), annotations),
    }
    if prometheus_api.is_active_alert(fields):
        yield from prometheus_api.read_active_alert(fields)
    elif alertmanager_api.is_listed(fields):
        yield from alertmanager_api.read_listed(fields)
    else:
        _add_metrics(fields)
        _keep_links(fields)
        _mark_no_data(fields)
        yield alert_document(fields)


def _add_metrics(fields: dict[str, Any]) -> None:
    """Take Grafana's `values` (by the reference of a query) as metrics."""
    values = fields.get("values")
    if type(values) is dict and fields.get("metrics") is None:
        fields["metrics"] = {key: value for key, value in values.items() if _is_number(value)}


def _keep_links(fields: dict[str, Any]) -> None:
    links = {name: fields[field] for field, name in _LINKS.items() if type(fields.get(field)) is str and fields[field]}
    if links and type(fields["annotations"]) is dict:
        fields["annotations"] = {**links, **fields["annotations"]}


def _mark_no_data(fields: dict[str, Any]) -> None:
    """Label SigNoz' alert about missing data as a failure of the measurement, equal in all its repeats.

    SigNoz writes the time of the last sample into a label, so the fingerprint is another one in every absence.
    """
    labels = fields["labels"]
    name = labels.get("alertname") if type(labels) is dict else None
    if type(name) is not str or not name.lower().startswith(_NO_DATA):
        return
    fields["labels"] = {**labels, "nodata": "true"}
    last_seen = fields["labels"].pop("lastSeen", None)
    if last_seen is not None:
        fields.pop("fingerprint", None)
        if type(fields["annotations"]) is dict:
            fields["annotations"] = {**fields["annotations"], "lastSeen": last_seen}


def _is_number(value: Any) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _truncated(payload: dict[str, Any]) -> tuple[str, ...]:
    count = payload.get("truncatedAlerts")
    return (f"truncatedAlerts: the sender left out {count} alerts",) if type(count) is int and count > 0 else ()


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
        return dict(common)
    return {**common, **own} if common and type(own) is dict else own


ADAPTER = Adapter("alertmanager", _detects, read_payload)
