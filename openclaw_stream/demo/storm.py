"""The bundled storm: the signals of `storm.toml` as the records of their producers."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from importlib.resources import files
from itertools import groupby
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import orjson

from openclaw_stream.demo.input_records import InputRecord, record_key

_NEVER = "0001-01-01T00:00:00Z"
_PROMETHEUS = "http://prometheus.shop.example"


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification of a signal, `at` seconds after the start: firing (again) or resolved."""

    at: float
    signal: Mapping[str, Any]
    since: float
    firing: bool

    @property
    def severity(self) -> str:
        """The severity at that time."""
        return "critical" if self.at >= self.signal.get("rises", float("inf")) else str(self.signal["severity"])


def storm(start: datetime) -> list[InputRecord]:
    """Return the storm's records in order of time; its alerts begin after `start`."""
    document = tomllib.loads(files(__package__).joinpath("storm.toml").read_text(encoding="utf-8"))
    notifications = sorted(
        (notification for signal in document["signals"] for notification in _notifications(signal)),
        key=lambda each: (each.at, each.signal.get("webhook", "")),
    )
    records = [InputRecord(item["at"], item["key"].encode(), item["text"].encode()) for item in document["poison"]]
    for (at, webhook), together in groupby(
        notifications, lambda notification: (notification.at, notification.signal.get("webhook"))
    ):
        batch = list(together)
        if webhook:
            records.append(_record(at, _payload(webhook, batch, start)))
        else:
            records.extend(_record(at, _event(notification, start)) for notification in batch)
    return sorted(records, key=lambda record: record.at)


def _notifications(signal: Mapping[str, Any]) -> Iterator[Notification]:
    for since, until in signal["active"]:
        at = since
        while at < until:
            yield Notification(at, signal, since, firing=True)
            at = round(at + signal["every"], 3)
        if not signal.get("silent"):
            yield Notification(until, signal, since, firing=False)


def _record(at: float, document: Mapping[str, Any]) -> InputRecord:
    value = orjson.dumps(document)
    return InputRecord(at, record_key(value), value)


def _event(notification: Notification, start: datetime) -> dict[str, Any]:
    alert = _native(notification, start)
    if not notification.signal.get("wrapped"):
        return alert
    return {
        "specversion": "1.0",
        "id": str(uuid5(NAMESPACE_URL, f"{notification.signal['name']}@{notification.at}")),
        "source": f"/{notification.signal['source']}",
        "type": "example.shop.alert",
        "time": _time(start, notification.at),
        "datacontenttype": "application/json",
        "data": alert,
    }


def _native(notification: Notification, start: datetime) -> dict[str, Any]:
    signal = notification.signal
    optional = ("source", "namespace", "service", "target_resource", "message", "labels", "annotations", "metrics")
    return {
        "alert_type": signal["name"],
        "severity": notification.severity,
        "status": "firing" if notification.firing else "resolved",
        **{field: signal[field] for field in optional if field in signal},
        "starts_at": _time(start, notification.since),
        **({} if notification.firing else {"ends_at": _time(start, notification.at)}),
    }


def _payload(webhook: str, notifications: Sequence[Notification], start: datetime) -> dict[str, Any]:
    """Return the notifications of one time as an Alertmanager webhook payload, version 4."""
    name = notifications[0].signal["name"]
    return {
        "receiver": "openclaw",
        "status": "firing" if any(notification.firing for notification in notifications) else "resolved",
        "alerts": [_alertmanager(notification, start) for notification in notifications],
        "groupLabels": {"alertgroup": webhook},
        "commonLabels": {"alertgroup": webhook},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.shop.example",
        "version": "4",
        "groupKey": f'{{}}:{{alertgroup="{webhook}"}}',
        "truncatedAlerts": 0,
        "title": f"{webhook}: {name}",
    }


def _alertmanager(notification: Notification, start: datetime) -> dict[str, Any]:
    signal = notification.signal
    own = {field: signal[field] for field in ("namespace", "service") if field in signal}
    labels = {"alertname": signal["name"], **own, **signal["labels"]}
    return {
        "status": "firing" if notification.firing else "resolved",
        "labels": {**labels, "severity": notification.severity},
        "annotations": {"summary": signal["message"]},
        "startsAt": _time(start, notification.since),
        "endsAt": _NEVER if notification.firing else _time(start, notification.at),
        "generatorURL": f"{_PROMETHEUS}/graph?g0.expr={signal['name']}",
        "fingerprint": blake2b(orjson.dumps(labels), digest_size=8).hexdigest(),
    }


def _time(start: datetime, seconds: float) -> str:
    moment = start.astimezone(UTC) + timedelta(seconds=seconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
