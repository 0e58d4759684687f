"""The formats of alerts, one module each; a record's JSON value is recognised by the first adapter that detects it."""

from typing import Any

from openclaw_stream.alerts.formats import (
    alertmanager_api,
    alertmanager_events,
    alertmanager_webhook,
    grafana_kafka,
    native,
    opsgenie,
    pagerduty,
    prometheus_api,
    zabbix,
)
from openclaw_stream.alerts.formats.adapter import Adapter, AlertDocument, Outcome, Skipped, SkipReason, Unreadable

__all__ = [
    "ADAPTERS",
    "Adapter",
    "AlertDocument",
    "Outcome",
    "SkipReason",
    "Skipped",
    "Unreadable",
    "adapter_for",
]

ADAPTERS: tuple[Adapter, ...] = (
    alertmanager_events.ADAPTER,
    prometheus_api.ADAPTER,
    alertmanager_webhook.ADAPTER,
    alertmanager_api.ADAPTER,
    grafana_kafka.ADAPTER,
    zabbix.ADAPTER,
    pagerduty.EVENT_ADAPTER,
    pagerduty.WEBHOOK_ADAPTER,
    opsgenie.ADAPTER,
    native.ADAPTER,
)
"""In the order of detection: what is more specific stands first."""


def adapter_for(document: Any) -> Adapter | None:
    """Return the adapter of a JSON value, None where no format is recognised."""
    if type(document) is not dict:
        return None
    if native.is_named(document):
        return native.ADAPTER
    return next((adapter for adapter in ADAPTERS if adapter.detects(document)), None)
