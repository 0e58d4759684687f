"""Zabbix' events as its Kafka connector forwards them: one line of the export protocol a record.

Schema: "Newline-delimited JSON export protocol" of Zabbix' manual, and `zbx_events` export of its server. A problem has
`value` 1, name, severity (0 to 5), hosts, groups and tags; its recovery has `value` 0 and names only the problem's
event id (`p_eventid`). Values of items and trends have an `itemid` and are no alerts.
"""

import re
from collections.abc import Iterator
from typing import Any

from openclaw_stream.alerts.formats.adapter import Adapter, AlertDocument, Outcome, Skipped

_SEVERITIES = {0: "warning", 1: "info", 2: "warning", 3: "warning", 4: "high", 5: "critical"}
"""Not classified (nobody has said how severe it is), Information, Warning, Average, High, Disaster."""

_DIGITS = re.compile("[0-9]{1,20}")
_RECOVERY_NAME = "unnamed"


def _detects(document: dict[str, Any]) -> bool:
    if "clock" not in document:
        return False
    return "itemid" in document or "p_eventid" in document or ("eventid" in document and "hosts" in document)


def _read(document: dict[str, Any]) -> Iterator[Outcome]:
    if "itemid" in document:
        yield Skipped("measurement")
    elif "p_eventid" in document:
        yield _recovery(document)
    else:
        yield AlertDocument(_problem(document))


def _problem(event: dict[str, Any]) -> dict[str, Any]:
    hosts = _hosts(event.get("hosts"))
    labels = _tags(event.get("tags"))
    if hosts:
        labels.setdefault("host", hosts[0])
    annotations = {"hosts": ", ".join(hosts), "host_groups": ", ".join(_words(event.get("groups")))}
    return {
        "alert_type": event.get("name"),
        "status": "resolved" if event.get("value") in (0, "0") else "firing",
        "severity": _severity(event.get("severity")),
        "labels": labels,
        "annotations": {key: text for key, text in annotations.items() if text},
        "fingerprint": _fingerprint(event.get("eventid")),
        "starts_at": _moment(event),
    }


def _recovery(event: dict[str, Any]) -> AlertDocument:
    """Return the end of a problem: its fingerprint is the problem's, and nothing else of the problem is known."""
    problem = event["p_eventid"]
    fields = {
        "alert_type": _RECOVERY_NAME,
        "status": "resolved",
        "fingerprint": _fingerprint(problem),
        "ends_at": _moment(event),
    }
    return AlertDocument(fields, ("Zabbix recovery: names neither host nor problem, only p_eventid",))


def _severity(value: Any) -> Any:
    return _SEVERITIES.get(int(value), value) if _is_whole(value) else value


def _fingerprint(event_id: Any) -> Any:
    return f"zabbix-{event_id}" if _is_whole(event_id) else None


def _is_whole(value: Any) -> bool:
    return type(value) is int or (type(value) is str and _DIGITS.fullmatch(value) is not None)


def _moment(event: dict[str, Any]) -> Any:
    """Return the event's time in epoch milliseconds."""
    clock, nanoseconds = event["clock"], event.get("ns", 0)
    if not _is_whole(clock) or not _is_whole(nanoseconds):
        return clock
    return int(clock) * 1000 + int(nanoseconds) // 1_000_000


def _hosts(hosts: Any) -> list[str]:
    """Return the technical names; before Zabbix 4.4 a host was its name."""
    names = (host.get("host") or host.get("name") if type(host) is dict else host for host in _list(hosts))
    return [name for name in names if type(name) is str and name]


def _tags(tags: Any) -> dict[str, str]:
    """Return tags as labels; values of one tag are joined."""
    labels: dict[str, str] = {}
    for tag in _list(tags):
        if type(tag) is not dict or type(tag.get("tag")) is not str:
            continue
        name, value = tag["tag"], tag.get("value")
        text = value if type(value) is str else ""
        labels[name] = f"{labels[name]},{text}" if labels.get(name) else text
    return labels


def _words(values: Any) -> list[str]:
    return [value for value in _list(values) if type(value) is str]


def _list(values: Any) -> list[Any]:
    return values if type(values) is list else []


ADAPTER = Adapter("zabbix", _detects, _read)
