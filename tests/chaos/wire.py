"""Alerts as producers encode them, and records that are no alerts. Imports nothing of the program under test."""

import json
import random
from datetime import UTC, datetime
from typing import Any, NamedTuple

NAMESPACE = "chaos"
SEVERITIES = ("info", "warning", "high", "critical")
"""From the lowest to the highest."""


class SentAlert(NamedTuple):
    """One alert as its producer means it: the input of `truth`.

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
        """Its identity within its group: its fingerprint, else its name and labels."""
        return self.member if self.explicit else f"{self.name} {self.member}"


def native(sent: SentAlert) -> dict[str, Any]:
    """Return the native form."""
    document: dict[str, Any] = {
        "alert_type": sent.name,
        "severity": SEVERITIES[sent.severity],
        "status": "firing" if sent.firing else "resolved",
        "namespace": NAMESPACE,
        "service": sent.service,
        "starts_at": _rfc3339(sent.starts),
        "message": f"{sent.name} on {sent.service}",
    }
    if sent.explicit:
        document["fingerprint"] = sent.member
    else:
        document["labels"] = {"instance": sent.member}
    return document


def webhook(alerts: list[SentAlert]) -> dict[str, Any]:
    """Return Alertmanager's payload of alerts, of whatever groups."""
    return {
        "version": "4",
        "receiver": "kafka",
        "status": "firing" if any(sent.firing for sent in alerts) else "resolved",
        "alerts": [_of_payload(sent) for sent in alerts],
    }


def cloudevent(data: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a CloudEvents envelope around either form."""
    kind, source = "org.example.alert", "/chaos"
    return {"specversion": "1.0", "id": str(number), "type": kind, "source": source, "data": data}


def encode(document: object) -> bytes:
    """Return the bytes of a record."""
    return json.dumps(document, separators=(",", ":")).encode()


def poison(r: random.Random, number: int) -> bytes:
    """Return a record that contains no alert in any format; most contain their number."""
    return r.choice(
        (
            lambda: b"not json " + str(number).encode(),
            lambda: b'{"alert_type": "Cut", "n": %d, "service": "ch' % number,
            lambda: b"",
            lambda: b"\xff\xfe\x00" + number.to_bytes(8, "big"),
            lambda: b'{"alert_type": "A", "metrics": {"x": NaN, "n": %d}' % number,
            lambda: b"[" * r.randrange(1_100, 60_000) + str(number).encode(),
            lambda: b"null",
            lambda: b"%d" % number,
            lambda: encode({"misplaced": misplaced_native(number)}),
            lambda: encode({"n": number}),
            lambda: encode({"alert_type": ["A", number]}),
            lambda: encode({"alerts": [7, None, {"annotations": {"n": str(number)}}]}),
            lambda: encode({"specversion": "1.0", "id": str(number), "type": "t", "source": "/"}),
            lambda: r.randbytes(r.randrange(20, 400)) + b"\xff",
            lambda: b'"' + b"x" * r.randrange(10_000, 300_000),
        )
    )()


def misplaced_native(number: int) -> dict[str, Any]:
    """Return an alert, to be put where no alert is allowed."""
    return {"alert_type": "Misplaced", "service": "misplaced", "namespace": NAMESPACE, "message": str(number)}


def _of_payload(sent: SentAlert) -> dict[str, Any]:
    labels = {
        "alertname": sent.name,
        "severity": SEVERITIES[sent.severity],
        "namespace": NAMESPACE,
        "service": sent.service,
    }
    alert: dict[str, Any] = {
        "status": "firing" if sent.firing else "resolved",
        "labels": labels if sent.explicit else {**labels, "instance": sent.member},
        "annotations": {"summary": f"{sent.name} on {sent.service}"},
        "startsAt": _rfc3339(sent.starts),
        "endsAt": "0001-01-01T00:00:00Z" if sent.firing else _rfc3339(sent.starts + 60),
    }
    if sent.explicit:
        alert["fingerprint"] = sent.member
    return alert


def _rfc3339(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
