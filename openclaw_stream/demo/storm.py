"""The bundled storm: what `storm.toml` tells, as the records that producers would send."""

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

from openclaw_stream.demo.records import Record, key_of

_NEVER = "0001-01-01T00:00:00Z"
_PROMETHEUS = "http://prometheus.shop.example"


@dataclass(frozen=True, slots=True)
class Notice:
    """One message about a signal: it fires (again) `at` some second, or ended then."""

    at: float
    signal: Mapping[str, Any]
    since: float
    firing: bool

    @property
    def severity(self) -> str:
        """The severity of the moment."""
        return "critical" if self.at >= self.signal.get("rises", float("inf")) else str(self.signal["severity"])


def storm(start: datetime) -> list[Record]:
    """Return the storm's records in order of time; its alerts begin after `start`."""
    told = tomllib.loads(files(__package__).joinpath("storm.toml").read_text(encoding="utf-8"))
    notices = sorted(
        (notice for signal in told["signals"] for notice in _notices(signal)),
        key=lambda notice: (notice.at, notice.signal.get("webhook", "")),
    )
    records = [Record(item["at"], item["key"].encode(), item["text"].encode()) for item in told["poison"]]
    for (at, webhook), together in groupby(notices, lambda notice: (notice.at, notice.signal.get("webhook"))):
        batch = list(together)
        if webhook:
            records.append(_record(at, _payload(webhook, batch, start)))
        else:
            records.extend(_record(at, _event(notice, start)) for notice in batch)
    return sorted(records, key=lambda record: record.at)


def _notices(signal: Mapping[str, Any]) -> Iterator[Notice]:
    for since, until in signal["active"]:
        at = since
        while at < until:
            yield Notice(at, signal, since, firing=True)
            at = round(at + signal["every"], 3)
        if not signal.get("silent"):
            yield Notice(until, signal, since, firing=False)


def _record(at: float, document: Mapping[str, Any]) -> Record:
    value = orjson.dumps(document)
    return Record(at, key_of(value), value)


def _event(notice: Notice, start: datetime) -> dict[str, Any]:
    alert = _native(notice, start)
    if not notice.signal.get("wrapped"):
        return alert
    return {
        "specversion": "1.0",
        "id": str(uuid5(NAMESPACE_URL, f"{notice.signal['name']}@{notice.at}")),
        "source": f"/{notice.signal['source']}",
        "type": "example.shop.alert",
        "time": _time(start, notice.at),
        "datacontenttype": "application/json",
        "data": alert,
    }


def _native(notice: Notice, start: datetime) -> dict[str, Any]:
    signal = notice.signal
    optional = ("source", "namespace", "service", "target_resource", "message", "labels", "annotations", "metrics")
    return {
        "alert_type": signal["name"],
        "severity": notice.severity,
        "status": "firing" if notice.firing else "resolved",
        **{field: signal[field] for field in optional if field in signal},
        "starts_at": _time(start, notice.since),
        **({} if notice.firing else {"ends_at": _time(start, notice.at)}),
    }


def _payload(webhook: str, notices: Sequence[Notice], start: datetime) -> dict[str, Any]:
    """Write the moment's notices as Alertmanager's webhook, version 4, does."""
    name = notices[0].signal["name"]
    return {
        "receiver": "openclaw",
        "status": "firing" if any(notice.firing for notice in notices) else "resolved",
        "alerts": [_alertmanager(notice, start) for notice in notices],
        "groupLabels": {"alertgroup": webhook},
        "commonLabels": {"alertgroup": webhook},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.shop.example",
        "version": "4",
        "groupKey": f'{{}}:{{alertgroup="{webhook}"}}',
        "truncatedAlerts": 0,
        "title": f"{webhook}: {name}",
    }


def _alertmanager(notice: Notice, start: datetime) -> dict[str, Any]:
    signal = notice.signal
    own = {field: signal[field] for field in ("namespace", "service") if field in signal}
    labels = {"alertname": signal["name"], **own, **signal["labels"]}
    return {
        "status": "firing" if notice.firing else "resolved",
        "labels": {**labels, "severity": notice.severity},
        "annotations": {"summary": signal["message"]},
        "startsAt": _time(start, notice.since),
        "endsAt": _NEVER if notice.firing else _time(start, notice.at),
        "generatorURL": f"{_PROMETHEUS}/graph?g0.expr={signal['name']}",
        "fingerprint": blake2b(orjson.dumps(labels), digest_size=8).hexdigest(),
    }


def _time(start: datetime, seconds: float) -> str:
    moment = start.astimezone(UTC) + timedelta(seconds=seconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
