"""The native alert: an object with a name of its own, or with a label `alertname`."""

from collections.abc import Iterator
from typing import Any

from openclaw_stream.alerts.formats.adapter import Adapter, AlertDocument, Outcome


def is_named(document: dict[str, Any]) -> bool:
    """Return whether an object is plainly one native alert; every record is checked, so this must be cheap."""
    get = document.get
    return (type(get("alert_type")) is str or type(get("alertname")) is str or type(get("alert_name")) is str) and type(
        get("alerts")
    ) is not list


def _detects(document: dict[str, Any]) -> bool:
    labels = document.get("labels")
    return is_named(document) or (type(labels) is dict and bool(labels.get("alertname")))


def _read(document: dict[str, Any]) -> Iterator[Outcome]:
    yield AlertDocument(document)


ADAPTER = Adapter("native", _detects, _read)
