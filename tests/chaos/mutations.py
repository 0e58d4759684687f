"""Malformed records: mutations of valid ones, random bytes, huge ones, nested ones, and some that are left valid."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from tests.chaos import wire
from tests.chaos.wire import SentAlert, encode
from tests.chaos.workload import Record

_SERVICES = 60
_CONTROL_EVERY = 100
_HUGE_MAX = 1_000_000
_FIELDS = (
    "alert_type", "alertname", "severity", "status", "namespace", "service", "target_resource", "message", "metrics",
    "labels", "annotations", "fingerprint", "starts_at", "ends_at", "generator_url", "alerts", "specversion", "data",
    "data_base64", "commonLabels", "startsAt", "endsAt", "source", "truncatedAlerts", "", "#generation", "__proto__",
)  # fmt: skip
_TEXTS = (
    "", " ", "\x00", "\u202e", "\ud7ff\uffff", "\U0001f4a5" * 5, "../..", "a/b#c%", "%s%n", "$(reboot)", "' OR 1=1",
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999+23:59", "2026-02-30T00:00:00Z", "1e400", "NaN", "-0",
    "firing", "resolved", "critical", "P0", "password=hunter2", "ghp_" + "a" * 36, "x" * 5_000, "-" * 300,
)  # fmt: skip
_NUMBERS = (0, -1, 1, 1.5, 1e308, -1e308, 5e-324, 2**31, 2**53, 2**63, 2**64, 2**70, 10**30, 1_767_225_600_000)

Document = dict[str, Any]


def fuzz(seed: int, records: int, partitions: int) -> Iterator[Record]:
    """Yield records; `alerts` of a control, which is left valid, contain its group, all others are empty."""
    r = random.Random(seed)  # noqa: S311 - mutations, not secrets
    for number in range(records):
        partition = r.randrange(partitions)
        if number % _CONTROL_EVERY == 0:
            sent = SentAlert(
                f"control-{number}", "Control", 1, firing=True, starts=1_767_225_600, member="m", explicit=True
            )
            yield Record(number, partition, b"k", encode(wire.native(sent)), (sent,), dead=False)
            continue
        [make] = r.choices(_MAKERS, _WEIGHTS)
        key = r.choice((None, b"", b"k", b"\xff\xfe", r.randbytes(40)))
        yield Record(number, partition, key, make(r), (), dead=False)


# ---- what is mutated


def _valid(r: random.Random) -> Document:
    alerts = [_sent_alert(r) for _ in range(r.choice((1, 1, 2, 5)))]
    document = wire.webhook(alerts) if r.random() < 0.4 else wire.native(alerts[0])
    if r.random() < 0.5 and "alerts" not in document:
        document |= {"metrics": {"cpu": 93.5, "rps": 120}, "annotations": {"runbook": "https://example.org/r"}}
    return wire.cloudevent(document, r.randrange(1000)) if r.random() < 0.2 else document


def _sent_alert(r: random.Random) -> SentAlert:
    number = r.randrange(_SERVICES)
    member = f"m{r.randrange(5)}"
    firing = r.random() < 0.7
    return SentAlert(
        f"fuzz-{number}", f"Alert{r.randrange(4)}", r.randrange(4), firing, 1_767_225_600, member, explicit=True
    )


# ---- mutations of the document


def _in_document(r: random.Random) -> bytes:
    document = _valid(r)
    for _ in range(r.choice((1, 1, 2, 4))):
        place = _some_object(r, document)
        field = r.choice((*place, *_FIELDS))
        if field in place and r.random() < 0.25:
            del place[field]
        else:
            place[field] = _anything(r)
    return json.dumps(document, ensure_ascii=r.random() < 0.5).encode("utf-8", "surrogatepass")


def _some_object(r: random.Random, document: Document) -> Document:
    found = [document]
    for value in document.values():
        if isinstance(value, dict):
            found.append(value)
        elif isinstance(value, list):
            found += [item for item in value if isinstance(item, dict)]
            found += [item["labels"] for item in value if isinstance(item, dict) and type(item.get("labels")) is dict]
    return r.choice(found)


def _anything(r: random.Random, depth: int = 0) -> Any:
    kind = r.randrange(9 if depth < 4 else 6)
    if kind < 2:
        return r.choice(_TEXTS)
    if kind < 4:
        return r.choice(_NUMBERS)
    if kind < 6:
        return r.choice((None, True, False, float("nan"), float("inf")))
    if kind == 6:
        return [_anything(r, depth + 1) for _ in range(r.randrange(4))]
    return {r.choice((*_FIELDS, *_TEXTS)): _anything(r, depth + 1) for _ in range(r.randrange(4))}


# ---- mutations of the bytes


def _in_bytes(r: random.Random) -> bytes:
    value = bytearray(encode(_valid(r)))
    for _ in range(r.choice((1, 1, 3, 10))):
        at = r.randrange(len(value))
        change = r.randrange(4)
        if change == 0:
            value[at] = r.randrange(256)
        elif change == 1:
            value[at:at] = r.randbytes(r.randrange(1, 6))
        elif change == 2 and len(value) > 20:
            del value[at : at + r.randrange(1, 10)]
        else:
            value[at] ^= 1 << r.randrange(8)
    return bytes(value)


def _cut(r: random.Random) -> bytes:
    value = encode(_valid(r))
    return value[: r.randrange(len(value))]


def _spliced(r: random.Random) -> bytes:
    one, other = encode(_valid(r)), encode(_valid(r))
    return r.choice(
        (one + other, one + b"\n" + other, one[: len(one) // 2] + other[len(other) // 2 :], b"[" + one + b"]")
    )


def _encoded_otherwise(r: random.Random) -> bytes:
    text = encode(_valid(r)).decode()
    return r.choice(
        (b"\xef\xbb\xbf" + text.encode(), text.encode("utf-16"), text.encode("utf-32-le"), text.encode()[::-1])
    )


# ---- no alert at all


def _random_bytes(r: random.Random) -> bytes:
    return r.randbytes(r.randrange(1, 2_000))


def _scalar(r: random.Random) -> bytes:
    return json.dumps(_anything(r, 3)).encode("utf-8", "surrogatepass")


def _blank(r: random.Random) -> bytes | None:
    return r.choice((None, b"", b" ", b"\n\n", b"\x00", b"{}", b"[]", b'{"alerts":[]}'))


# ---- large


def _nested(r: random.Random) -> bytes:
    depth = r.choice((100, 500, 1_000, 1_023, 1_024, 1_025, 5_000, 100_000))
    left, right = r.choice((("[", "]"), ('{"a":', "}")))
    core = left * depth + "1" + (right * depth if r.random() < 0.7 else "")
    document = encode(wire.native(_sent_alert(r)))
    return core.encode() if r.random() < 0.5 else document[:-1] + b',"annotations":{"deep":' + core.encode() + b"}}"


def _huge(r: random.Random) -> bytes:
    size = r.randrange(100_000, _HUGE_MAX)
    document = wire.native(_sent_alert(r))
    kind = r.randrange(5)
    if kind == 0:
        document["message"] = "m" * size
    elif kind == 1:
        document["labels"] = {f"label{n}": "v" * 20 for n in range(size // 40)}
    elif kind == 2:
        document["service"] = "s" * size
    elif kind == 3:
        document["fingerprint"] = "f" * size
    else:
        return r.choice((b"x" * size, b'"' + b"\\u0000" * (size // 6) + b'"', b"9" * size))
    return encode(document)


def _many_alerts(r: random.Random) -> bytes:
    alerts = wire.webhook([_sent_alert(r) for _ in range(r.randrange(100, 2_000))])
    for alert in alerts["alerts"]:
        if r.random() < 0.05:
            alert["labels"] = r.choice((None, 7, {}, [], {"alertname": " "}, {"alertname": 1}, {"a": {}}))
    return encode(alerts)


_TABLE: tuple[tuple[Callable[[random.Random], bytes | None], float], ...] = (
    (_in_document, 45),
    (_in_bytes, 25),
    (_cut, 7),
    (_spliced, 4),
    (_encoded_otherwise, 2),
    (_random_bytes, 8),
    (_scalar, 3),
    (_blank, 3),
    (_nested, 1.5),
    (_huge, 0.1),
    (_many_alerts, 0.1),
)
_MAKERS = [maker for maker, _ in _TABLE]
_WEIGHTS = [weight for _, weight in _TABLE]
