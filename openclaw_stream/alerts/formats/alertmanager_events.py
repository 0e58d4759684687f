"""Alertmanager's event recorder (`kafka_outputs` with `format: json`): one event a record.

Schemas: `eventrecorderpb` of Alertmanager 0.33 and 0.34, `events.v2` of 0.35, both as protojson. No record names its
version, so each part is known by its shape:

- labels are `{"labels": [{"key", "value"}]}` or a plain map; an empty value is left out;
- an alert of a group is identified by `hash` or by `fingerprint`; `details` hold the alert;
- a fingerprint is the decimal of the number that the webhook writes as 16 hex digits;
- `resolved` is written only where it is true, and is the status; `endsAt` of a firing alert is only a deadline;
- a notification's `alerts` hold the muted ones too since 0.35.
"""

from collections.abc import Callable, Iterator
from typing import Any

from openclaw_stream.alerts.field_values import describe_value
from openclaw_stream.alerts.formats.adapter import Adapter, Outcome, Skipped, Unreadable
from openclaw_stream.alerts.formats.alertmanager_alert import alert_document, group_text, with_group

_FINGERPRINT_MAX = (1 << 64) - 1
_DECIMAL_LENGTH_MAX = 20

_Body = dict[str, Any]


def _read_alert(alert: Any, group: str) -> Iterator[Outcome]:
    if type(alert) is not dict or not isinstance(alert.get("labels"), dict | None):
        yield Unreadable("Alertmanager event: expected an alert with labels")
        return
    resolved = alert.get("resolved") is True
    fields: dict[str, Any] = {
        "labels": _texts(alert.get("labels")),
        "annotations": with_group(_texts(alert.get("annotations")), group),
        "status": "resolved" if resolved else "firing",
        "startsAt": alert.get("startsAt"),
        "fingerprint": hexadecimal(alert.get("fingerprint")),
    }
    if type(alert.get("name")) is str and alert["name"]:
        fields["alert_type"] = alert["name"]
    if resolved:
        fields["endsAt"] = alert.get("endsAt")
    yield alert_document(fields)


def hexadecimal(fingerprint: Any) -> Any:
    """Return a decimal fingerprint as the 16 hex digits that the webhook writes; anything else as it is."""
    if type(fingerprint) is str and fingerprint.isascii() and fingerprint.isdigit():
        number = int(fingerprint) if len(fingerprint) <= _DECIMAL_LENGTH_MAX else -1
    else:
        number = fingerprint if type(fingerprint) is int else -1
    return f"{number:016x}" if 0 <= number <= _FINGERPRINT_MAX else fingerprint


def _texts(labels: Any) -> Any:
    """Return labels or annotations of either schema as a map."""
    pairs = labels.get("labels") if type(labels) is dict else None
    if type(pairs) is not list:
        return labels
    named = (pair for pair in pairs if type(pair) is dict and type(pair.get("key")) is str)
    return {pair["key"]: pair.get("value", "") for pair in named}


def _read_created(body: _Body) -> Iterator[Outcome]:
    yield from _read_alert(body.get("alert"), "")


def _read_grouped(body: _Body) -> Iterator[Outcome]:
    alert = body.get("alert")
    details = alert.get("details") if type(alert) is dict else None
    yield from _read_alert(details, _group(body))


def _read_notification(body: _Body) -> Iterator[Outcome]:
    alerts, group = body.get("alerts"), _group(body)
    muted = _ids(body.get("mutedAlerts"))
    if type(alerts) is not list or not alerts:
        yield Skipped("empty")
        return
    for alert in alerts:
        if type(alert) is not dict:
            yield Unreadable("Alertmanager event: expected an alert with labels")
        elif _ids([alert]) & muted:
            yield Skipped("muted")
        else:
            yield from _read_alert(alert.get("details"), group)


def _ids(alerts: Any) -> set[str]:
    """Return how grouped alerts are identified: their hashes (0.33, 0.34) or their fingerprints (0.35)."""
    named = (alert for alert in (alerts if type(alerts) is list else ()) if type(alert) is dict)
    ids = ((key, alert.get(key)) for alert in named for key in ("hash", "fingerprint"))
    return {f"{key} {value}" for key, value in ids if isinstance(value, str | int)}


def _group(body: _Body) -> str:
    group = body.get("groupInfo")
    if type(group) is not dict:
        return ""
    return group_text(group.get("groupKey"), _texts(group.get("groupLabels")), group.get("receiverName"))


def _read_muted(_body: _Body) -> Iterator[Outcome]:
    yield Skipped("muted")


def _read_silence(_body: _Body) -> Iterator[Outcome]:
    yield Skipped("silence")


def _read_lifecycle(_body: _Body) -> Iterator[Outcome]:
    yield Skipped("lifecycle")


_READERS: dict[str, Callable[[_Body], Iterator[Outcome]]] = {
    "alertCreated": _read_created,
    "alertGrouped": _read_grouped,
    "alertResolved": _read_grouped,
    "notification": _read_notification,
    "silenceMutedAlert": _read_muted,
    "inhibitionMutedAlert": _read_muted,
    "silenceCreated": _read_silence,
    "silenceUpdated": _read_silence,
    "alertmanagerStartupEvent": _read_lifecycle,
    "alertmanagerShutdownEvent": _read_lifecycle,
}


def _detects(document: dict[str, Any]) -> bool:
    data = document.get("data")
    if type(data) is dict:
        return ("@timestamp" in document and "instance" in document) or not _READERS.keys().isdisjoint(data)
    return _is_bare(document)


def _is_bare(document: dict[str, Any]) -> bool:
    """Return whether it is an alert that a transform has cut out of an event: named by `name`, without a status."""
    fingerprint = document.get("fingerprint")
    return "name" in document and "status" not in document and hexadecimal(fingerprint) != fingerprint


def _read(document: dict[str, Any]) -> Iterator[Outcome]:
    data = document.get("data")
    if type(data) is not dict:
        yield from _read_alert(document, "")
        return
    kind = next((key for key in data if key in _READERS), None)
    if kind is None:
        yield Unreadable(f"Alertmanager event of an unknown kind: {describe_value(', '.join(data))}")
    elif type(data[kind]) is not dict:
        yield Unreadable(f"Alertmanager event {kind}: expected an object")
    else:
        yield from _READERS[kind](data[kind])


ADAPTER = Adapter("alertmanager_events", _detects, _read)
