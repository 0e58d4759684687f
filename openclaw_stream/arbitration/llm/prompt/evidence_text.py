"""Renders the evidence of a case for a prompt: JSON lines of bounded size, without secrets and hidden characters.

Sizes are UTF-8 bytes, because these bound the number of tokens: about four English letters are a token, and so are one
to two Chinese characters of three bytes each. Line breaks in texts are escaped, so that no text can inject a line.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import orjson

from openclaw_stream.events.decision import GoldenSignals
from openclaw_stream.incidents.case import Case, Exemplar, Owner
from openclaw_stream.incidents.links import link_kind, safe_link
from openclaw_stream.text import safe_text

EVIDENCE_BYTES_MAX = 12_000
"""Maximum size of the evidence in UTF-8 bytes."""

_ALERTS_BYTES = 6_000
_COUNTS_BYTES = 2_500
_SERVICES_BYTES = 800
_LINE = 20
_NAME_MAX = 80
_TEXT_MAX = 300
_LABEL_MAX = 80
_LINK_MAX = 100
_CHAR_BYTES_MAX = 4
_ALERTS_WITH_SUMMARY = 5
_ANNOTATIONS_FIRST = ("summary", "description", "message")
_SHOWN_ELSEWHERE = {"alertname", "severity", "namespace", "service", "service_name", "service.name"}


def render_evidence(case: Case, metrics: GoldenSignals | None, summary: str = "") -> str:
    """Return the evidence as JSON lines of at most EVIDENCE_BYTES_MAX bytes.

    Args:
        case: The case to judge.
        metrics: The golden signals of its service; None if SigNoz is not configured.
        summary: The storm summary of all its alerts; with one, only the most severe alerts are included in detail.
    """
    lines: list[dict[str, Any]] = [
        {"incident": _incident(case)},
        {"golden_signals": _golden_signals(metrics)},
        {"alert_counts": _counts(case)},
    ]
    if summary:
        lines.append({"summary_of_all_alerts": summary})
    lines += ({"alert": alert} for alert in _alerts(case, _ALERTS_WITH_SUMMARY if summary else len(case.exemplars)))
    return b"\n".join(map(orjson.dumps, lines)).decode()


def _incident(case: Case) -> dict[str, Any]:
    budget = _ByteBudget(_SERVICES_BYTES)
    return {
        "namespace": safe_text(case.namespace, _NAME_MAX),
        "service": safe_text(case.service, _NAME_MAX),
        "severity": case.severity,
        "alerts": case.alert_count,
        "distinct_alerts": case.distinct_alerts,
        "recovered_and_fired_again": case.flaps,
        "minutes": max(case.due - case.opened_at, 0) // 60_000,
        "services": [name for name in (safe_text(each, _NAME_MAX) for each in case.services) if budget.spend(name)],
        **({"owner": _owner(case.owner)} if case.owner else {}),
    }


def _owner(owner: Owner) -> dict[str, Any]:
    team = {"team": safe_text(owner.team, _NAME_MAX)}
    return team | ({"responsibility": owner.responsibility} if owner.responsibility else {})


def _golden_signals(metrics: GoldenSignals | None) -> dict[str, Any]:
    if metrics is None:
        return {"unavailable": "SigNoz is not configured"}
    trend = None if metrics.rps_trend is None else f"{metrics.rps_trend:+.0%}"
    signals = {
        "requests_per_second": _number(metrics.rps),
        "change_from_previous_window": trend,
        "error_percent": _number(metrics.error_rate),
        "p99_ms": _number(metrics.p99_ms),
        "unavailable": safe_text(metrics.unavailable or "", _TEXT_MAX) or None,
    }
    return {name: value for name, value in signals.items() if value is not None}


def _counts(case: Case) -> dict[str, int]:
    """Return the alert counts by name, highest first; names beyond the byte budget are counted together."""
    budget, shown, others = _ByteBudget(_COUNTS_BYTES), dict[str, int](), case.other_alerts
    for name, count in sorted(case.alert_names.items(), key=lambda item: -item[1]):
        short = safe_text(name, _NAME_MAX)
        if short in shown or budget.spend(short):
            shown[short] = shown.get(short, 0) + count
        else:
            others += count
    return shown | ({"(other names)": others} if others else {})


def _alerts(case: Case, limit: int) -> Iterator[dict[str, Any]]:
    most_severe = sorted(case.exemplars, key=lambda exemplar: -exemplar.severity.rank)[:limit]
    for exemplar in most_severe:
        yield _alert(exemplar, case, _ALERTS_BYTES // len(most_severe))


def _alert(exemplar: Exemplar, case: Case, bytes_max: int) -> dict[str, Any]:
    budget = _ByteBudget(bytes_max)
    shown: dict[str, Any] = {"name": budget.cut("name", exemplar.name, _NAME_MAX), "severity": exemplar.severity}
    if exemplar.name in case.alert_names:
        shown["count"] = case.alert_names[exemplar.name]
    identity = {
        "namespace": exemplar.namespace,
        "service": exemplar.service,
        "target": exemplar.target_resource,
        "source": exemplar.source,
    }
    parts = {
        "message": budget.cut("message", exemplar.message, _TEXT_MAX),
        **budget.texts(identity.items(), _LABEL_MAX),
        "metrics": budget.numbers(exemplar.metrics),
        "annotations": budget.texts(_annotations(exemplar), _TEXT_MAX),
        "links": budget.texts(_links(exemplar), _LINK_MAX),
        "labels": budget.texts(_labels(exemplar), _LABEL_MAX),
    }
    return shown | {name: part for name, part in parts.items() if part}


def _annotations(exemplar: Exemplar) -> Iterator[tuple[str, str]]:
    """Yield the annotations, descriptions first, without addresses and copies of the message."""
    order = {name: position for position, name in enumerate(_ANNOTATIONS_FIRST)}
    names = sorted(exemplar.annotations, key=lambda name: order.get(name, len(order)))
    for name in names:
        value = exemplar.annotations[name]
        if value != exemplar.message and not value.startswith(("http://", "https://")):
            yield name, value


def _links(exemplar: Exemplar) -> Iterator[tuple[str, str]]:
    """Yield the links by kind; the name of a runbook, and the service in that of a dashboard, are evidence."""
    for name, value in exemplar.annotations.items():
        if (kind := link_kind(name)) and (link := safe_link(value)):
            yield kind.removesuffix("_url"), _short_link(link)


def _short_link(link: str) -> str:
    """Return a link without scheme and query; a long one as its host and the last segment of its path."""
    address, _, fragment = link.partition("://")[2].partition("#")
    host, _, path = address.partition("?")[0].rstrip("/").partition("/")
    whole = "#".join(filter(None, (unquote(f"{host}/{path}".rstrip("/")), unquote(fragment))))
    return whole if len(whole) <= _LINK_MAX else f"{host}/…/{whole.rpartition('/')[2]}"


def _labels(exemplar: Exemplar) -> Iterator[tuple[str, str]]:
    yield from ((name, value) for name, value in exemplar.labels.items() if name not in _SHOWN_ELSEWHERE)


@dataclass(slots=True)
class _ByteBudget:
    """The remaining bytes for texts."""

    left: int

    def spend(self, *texts: str) -> bool:
        """Subtract the size of texts as JSON; return False, and subtract nothing, if they do not fit."""
        size = sum(len(orjson.dumps(text)) + 2 for text in texts)
        if size > self.left:
            return False
        self.left -= size
        return True

    def cut(self, name: str, text: str, limit: int) -> str:
        """Return the safe text of the field `name`, cut to `limit` characters and to the budget; it may be empty."""
        limit = min(limit, self.left // _CHAR_BYTES_MAX - len(name))
        if limit <= 1:
            return ""
        shown = safe_text(text, limit, name=name)
        return shown if shown and self.spend(name, shown) else ""

    def texts(self, items: Iterable[tuple[str, str]], limit: int) -> dict[str, str]:
        """Return the texts that fit, by their safe names."""
        named = ((safe_text(name, _LABEL_MAX), value) for name, value in items)
        return {name: shown for name, value in named if (shown := self.cut(name, value, limit))}

    def numbers(self, items: Mapping[str, float]) -> dict[str, float | None]:
        """Return the numbers that fit, by their safe names."""
        named = ((safe_text(name, _LABEL_MAX), _number(value)) for name, value in items.items())
        return {name: value for name, value in named if self.spend(name, str(value))}


def _number(value: float | None) -> float | None:
    """Return a number rounded to four significant digits."""
    return None if value is None else float(f"{value:.4g}")
