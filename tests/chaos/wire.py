"""Alerts as producers write them, and records that nobody can understand. Knows nothing of the program under test."""

import json
import random
from datetime import UTC, datetime
from typing import Any, NamedTuple

NAMESPACE = "chaos"
SEVERITIES = ("info", "warning", "high", "critical")
"""Mildest first."""


class Said(NamedTuple):
    """One alert as its producer means it: what the truth is made of.

    `member` is the alert's fingerprint where `explicit`, else its instance label; `starts` is epoch seconds and
    `severity` an index of `SEVERITIES`.
    """

    service: str
    name: str
    severity: int
    firing: bool
    starts: int
    member: str
    explicit: bool

    @property
    def group(self) -> str:
        """The scope it belongs to."""
        return f"{NAMESPACE}/{self.service}"

    @property
    def identity(self) -> str:
        """What tells it from the other members of its group: an own fingerprint, else its name and labels."""
        return self.member if self.explicit else f"{self.name} {self.member}"


def native(said: Said) -> dict[str, Any]:
    """Return the native form."""
    document: dict[str, Any] = {
        "alert_type": said.name,
        "severity": SEVERITIES[said.severity],
        "status": "firing" if said.firing else "resolved",
        "namespace": NAMESPACE,
        "service": said.service,
        "starts_at": _rfc3339(said.starts),
        "message": f"{said.name} on {said.service}",
    }
    if said.explicit:
        document["fingerprint"] = said.member
    else:
        document["labels"] = {"instance": said.member}
    return document


def webhook(alerts: list[Said]) -> dict[str, Any]:
    """Return Alertmanager's payload of alerts, of whatever groups."""
    return {
        "version": "4",
        "receiver": "kafka",
        "status": "firing" if any(said.firing for said in alerts) else "resolved",
        "alerts": [_of_payload(said) for said in alerts],
    }


def cloudevent(data: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a CloudEvents envelope around either form."""
    kind, source = "org.example.alert", "/chaos"
    return {"specversion": "1.0", "id": str(number), "type": kind, "source": source, "data": data}


def encode(document: object) -> bytes:
    """Return the bytes of a record."""
    return json.dumps(document, separators=(",", ":")).encode()


def poison(r: random.Random, number: int) -> bytes:
    """Return a record that holds no alert in any reading; mostly told from others by its number."""
    return r.choice(
        (
            lambda: b"not json " + str(number).encode(),
            lambda: b'{"alert_type": "Cut", "n": %d, "service": "ch' % number,
            lambda: b"",
            lambda: b"\xff\xfe\x00" + number.to_bytes(8, "big"),
            lambda: b'{"alert_type": "A", "metrics": {"x": NaN, "n": %d}}' % number,
            lambda: b"[" * r.randrange(1_100, 60_000) + str(number).encode(),
            lambda: b"null",
            lambda: b"%d" % number,
            lambda: encode([native_of_nobody(number)]),
            lambda: encode({"n": number}),
            lambda: encode({"alert_type": ["A", number]}),
            lambda: encode({"alerts": [7, None, {"labels": {"n": str(number)}}]}),
            lambda: encode({"specversion": "1.0", "id": str(number), "type": "t", "source": "/"}),
            lambda: r.randbytes(r.randrange(20, 400)) + b"\xff",
            lambda: b'"' + b"x" * r.randrange(10_000, 300_000),
        )
    )()


def native_of_nobody(number: int) -> dict[str, Any]:
    """Return an alert that lies where none may lie."""
    return {"alert_type": "Nobody", "service": "nobody", "namespace": NAMESPACE, "message": str(number)}


def _of_payload(said: Said) -> dict[str, Any]:
    labels = {
        "alertname": said.name,
        "severity": SEVERITIES[said.severity],
        "namespace": NAMESPACE,
        "service": said.service,
    }
    alert: dict[str, Any] = {
        "status": "firing" if said.firing else "resolved",
        "labels": labels if said.explicit else {**labels, "instance": said.member},
        "annotations": {"summary": f"{said.name} on {said.service}"},
        "startsAt": _rfc3339(said.starts),
        "endsAt": "0001-01-01T00:00:00Z" if said.firing else _rfc3339(said.starts + 60),
    }
    if said.explicit:
        alert["fingerprint"] = said.member
    return alert


def _rfc3339(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
