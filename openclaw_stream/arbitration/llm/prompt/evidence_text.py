"""The evidence of a case as a model reads it: JSON lines of bounded size, clean of secrets and of hidden characters.

Sizes are bytes of UTF-8, because these bound the tokens: about four letters of English make a token, and so do one to
two Chinese characters of three bytes each. A line break inside a text is written as an escape, so no text can make
a line of its own.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from openclaw_stream.events.decision import GoldenSignals
from openclaw_stream.incidents.case import Case, Exemplar
from openclaw_stream.text import safe_text

BRIEFING_MAX = 12_000
"""Bytes of a briefing."""

_ALERTS_ROOM = 6_000
_COUNTS_ROOM = 2_500
_SERVICES_ROOM = 800
_LINE = 20
_NAME_MAX = 80
_TEXT_MAX = 300
_LABEL_MAX = 80
_BYTES_MAX = 4  # of one character
_DETAILED = 5
_FIRST = ("summary", "description", "message")
_SAID_ALREADY = {"alertname", "severity", "namespace", "service", "service_name", "service.name"}


def briefing(case: Case, metrics: GoldenSignals | None, digest: str = "") -> str:
    """Return the evidence in JSON lines, at most BRIEFING_MAX bytes.

    Args:
        case: What is judged.
        metrics: The golden signals of its service, if they were looked for.
        digest: A summary of all its alerts; then only the gravest are given in detail.
    """
    lines: list[dict[str, Any]] = [
        {"incident": _incident(case)},
        {"golden_signals": _golden_signals(metrics)},
        {"alert_counts": _counts(case)},
    ]
    if digest:
        lines.append({"digest_of_all_alerts": digest})
    lines += ({"alert": alert} for alert in _alerts(case, _DETAILED if digest else len(case.exemplars)))
    return b"\n".join(map(orjson.dumps, lines)).decode()


def _incident(case: Case) -> dict[str, Any]:
    services = _Room(_SERVICES_ROOM)
    return {
        "namespace": safe_text(case.namespace, _NAME_MAX),
        "service": safe_text(case.service, _NAME_MAX),
        "severity": case.severity,
        "alerts": case.alert_count,
        "distinct_alerts": case.distinct_alerts,
        "recovered_and_fired_again": case.flaps,
        "minutes": max(case.due - case.opened_at, 0) // 60_000,
        "services": [name for name in (safe_text(each, _NAME_MAX) for each in case.services) if services.take(name)],
    }


def _golden_signals(metrics: GoldenSignals | None) -> dict[str, Any]:
    if metrics is None:
        return {"unavailable": "SigNoz is not configured"}
    trend = None if metrics.rps_trend is None else f"{metrics.rps_trend:+.0%}"
    signals = {
        "requests_per_second": _number(metrics.rps),
        "change_against_window_before": trend,
        "error_percent": _number(metrics.error_rate),
        "p99_ms": _number(metrics.p99_ms),
        "unavailable": safe_text(metrics.unavailable or "", _TEXT_MAX) or None,
    }
    return {name: value for name, value in signals.items() if value is not None}


def _counts(case: Case) -> dict[str, int]:
    """Return the alerts by name, the most frequent first; what finds no room is counted among the others."""
    room, shown, others = _Room(_COUNTS_ROOM), dict[str, int](), case.other_alerts
    for name, count in sorted(case.alert_names.items(), key=lambda item: -item[1]):
        short = safe_text(name, _NAME_MAX)
        if short in shown or room.take(short):
            shown[short] = shown.get(short, 0) + count
        else:
            others += count
    return shown | ({"(other names)": others} if others else {})


def _alerts(case: Case, most: int) -> Iterator[dict[str, Any]]:
    gravest = sorted(case.exemplars, key=lambda exemplar: -exemplar.severity.rank)[:most]
    for exemplar in gravest:
        yield _alert(exemplar, case, _ALERTS_ROOM // len(gravest))


def _alert(exemplar: Exemplar, case: Case, size: int) -> dict[str, Any]:
    room = _Room(size)
    shown: dict[str, Any] = {"name": room.cut("name", exemplar.name, _NAME_MAX), "severity": exemplar.severity}
    if exemplar.name in case.alert_names:
        shown["count"] = case.alert_names[exemplar.name]
    plain = {
        "namespace": exemplar.namespace,
        "service": exemplar.service,
        "target": exemplar.target_resource,
        "source": exemplar.source,
    }
    parts = {
        "message": room.cut("message", exemplar.message, _TEXT_MAX),
        **room.texts(plain.items(), _LABEL_MAX),
        "metrics": room.numbers(exemplar.metrics),
        "annotations": room.texts(_annotations(exemplar), _TEXT_MAX),
        "labels": room.texts(_labels(exemplar), _LABEL_MAX),
    }
    return shown | {name: part for name, part in parts.items() if part}


def _annotations(exemplar: Exemplar) -> Iterator[tuple[str, str]]:
    """Yield the annotations, telling ones first, without links and what the message says already."""
    names = sorted(exemplar.annotations, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))
    for name in names:
        value = exemplar.annotations[name]
        if value != exemplar.message and not value.startswith(("http://", "https://")):
            yield name, value


def _labels(exemplar: Exemplar) -> Iterator[tuple[str, str]]:
    yield from ((name, value) for name, value in exemplar.labels.items() if name not in _SAID_ALREADY)


@dataclass(slots=True)
class _Room:
    """Bytes that are left for texts."""

    left: int
    used: int = field(default=0, init=False)

    def take(self, *texts: str) -> bool:
        """Take the room of texts as they are written; False where there is not enough."""
        size = sum(len(orjson.dumps(text)) + 2 for text in texts)
        if size > self.left:
            return False
        self.left -= size
        return True

    def cut(self, name: str, text: str, limit: int) -> str:
        """Return a text under a name, cleaned in its light and cut to the room there is; empty where there is none."""
        limit = min(limit, self.left // _BYTES_MAX - len(name))
        if limit <= 1:
            return ""
        shown = safe_text(text, limit, name=name)
        return shown if shown and self.take(name, shown) else ""

    def texts(self, items: Iterable[tuple[str, str]], limit: int) -> dict[str, str]:
        """Return the texts that have room, under their cleaned names."""
        named = ((safe_text(name, _LABEL_MAX), value) for name, value in items)
        return {name: shown for name, value in named if (shown := self.cut(name, value, limit))}

    def numbers(self, items: Mapping[str, float]) -> dict[str, float | None]:
        """Return the numbers that have room, under their cleaned names."""
        named = ((safe_text(name, _LABEL_MAX), _number(value)) for name, value in items.items())
        return {name: value for name, value in named if self.take(name, str(value))}


def _number(value: float | None) -> float | None:
    """Return a number with four significant digits."""
    return None if value is None else float(f"{value:.4g}")
