"""Alertmanager's API: an alert of `GET /api/v2/alerts`, or one as it is posted there.

The schema is `gettableAlert` of Alertmanager's `api/v2/openapi.yaml`: `status` is an object of `state` (active,
suppressed, unprocessed) and of the ids that silence, inhibit or mute the alert. `endsAt` is when the alert ends unless
it is posted again, not its end. A posted alert has no status; it is read by the rules of the native form.
"""

from collections.abc import Iterator
from typing import Any

from openclaw_stream.alerts.formats.adapter import Adapter, Outcome, Skipped
from openclaw_stream.alerts.formats.alertmanager_alert import alert_document, group_text, with_group

_FIRING_STATES = ("active", "unprocessed")


def is_listed(document: dict[str, Any]) -> bool:
    """Return whether it is an alert of `GET /api/v2/alerts`: its status is an object."""
    return type(document.get("status")) is dict and "labels" in document


def read_listed(document: dict[str, Any]) -> Iterator[Outcome]:
    """Yield the alert of `GET /api/v2/alerts`, unless a silence or an inhibition suppresses it."""
    state = document["status"].get("state")
    if state == "suppressed":
        yield Skipped("suppressed")
        return
    fields = {key: value for key, value in document.items() if key not in {"status", "endsAt"}}
    fields["status"] = "firing"
    fields["annotations"] = with_group(document.get("annotations"), group_text(None, None, _receivers(document)))
    warnings = () if state in _FIRING_STATES else ("status.state: neither active nor suppressed; taken as firing",)
    yield alert_document(fields, *warnings)


def _detects(document: dict[str, Any]) -> bool:
    return is_listed(document) or _is_posted(document)


def _is_posted(document: dict[str, Any]) -> bool:
    labels = document.get("labels")
    return type(labels) is dict and bool(labels) and "startsAt" in document and "generatorURL" in document


def _read(document: dict[str, Any]) -> Iterator[Outcome]:
    if is_listed(document):
        yield from read_listed(document)
    else:
        yield alert_document(document)


def _receivers(document: dict[str, Any]) -> str:
    receivers = document.get("receivers")
    if type(receivers) is not list:
        return ""
    names = (receiver.get("name") for receiver in receivers if type(receiver) is dict)
    return " ".join(name for name in names if type(name) is str)


ADAPTER = Adapter("alertmanager_api", _detects, _read)
