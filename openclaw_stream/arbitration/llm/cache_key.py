"""The cache key of an answer: equal for incidents that need the same answer, and for no others.

Exact: scope, owner, names, services, targets, labels, and the sizes of workloads (replicas, limits), which a remedy
starts from. By order of magnitude: other numbers in texts and metrics. Ignored, because they vary between repeats of
one incident: identifiers and times.
"""

import hashlib
import math
import re
from collections.abc import Sequence
from typing import Any

import orjson

from openclaw_stream.arbitration.remedies.command_evidence import SIZES
from openclaw_stream.events.decision import GoldenSignals
from openclaw_stream.incidents.case import Case, Exemplar
from openclaw_stream.vocabulary import Language

_UUID = re.compile(r"(?<![\w-])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![\w-])")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[t ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?: ?(?:z|utc|[+-]\d\d:?\d\d))?(?!\w)")
_HEX = re.compile(r"(?<![\w-])(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{12,}(?![\w-])")
_NUMBER = re.compile(
    r"(?<![\w.:/-])(?P<number>\d{1,15}(?:\.\d{1,15})?)(?P<unit> ?%|ms|[smhd]|[kmgt]i?b?|b|rps)?(?![\w:/-]|\.\w)"
)
_CODE_DIGITS = 3
_MEMORY_UNITS = {"ki", "mi", "gi", "ti"}


def cache_key(
    case: Case,
    metrics: GoldenSignals | None,
    language: Language,
    models: Sequence[tuple[str, str]],
    prompt_version: str,
) -> str:
    """Return the cache key of a case, a SHA-256 in hex; `models` are the chain's providers and models, in order."""
    parts = {
        "prompt": prompt_version,
        "models": models,
        "language": language,
        "scope": (case.group_key, case.namespace, case.service),
        "owner": case.owner and (case.owner.team, case.owner.responsibility),
        "severity": case.severity,
        "magnitude": len(str(case.alert_count)),
        "names": sorted(case.alert_names),
        "services": sorted(case.services),
        "exemplars": sorted(
            orjson.dumps(_exemplar(each), option=orjson.OPT_SORT_KEYS).decode() for each in case.exemplars
        ),
        "metrics": _signals(metrics),
    }
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()


def bucket(value: float | None) -> int | str | None:
    """Return the order of magnitude of a number in powers of two, with its sign; "zero" for zero."""
    if value is None or not math.isfinite(value):
        return None
    if value == 0:
        return "zero"
    magnitude = round(math.log2(abs(value)))
    return magnitude if value > 0 else f"-{magnitude}"


def normalised(text: str) -> str:
    """Return a text with placeholders for what varies between repeats: identifiers, times, exact numbers."""
    plain = " ".join(text.casefold().split())
    for pattern, placeholder in ((_UUID, "<uuid>"), (_TIME, "<time>"), (_HEX, "<id>")):
        plain = pattern.sub(placeholder, plain)
    return _NUMBER.sub(_magnitude, plain)


def _magnitude(match: re.Match[str]) -> str:
    number, unit = match["number"], match["unit"]
    # Kept: short integers without a unit are often codes (HTTP 429, exit code 137), quantities of memory often limits.
    if unit in _MEMORY_UNITS or (not unit and number.isdecimal() and len(number) <= _CODE_DIGITS):
        return match[0]
    return f"<{bucket(float(number))}>{unit or ''}"


def _exemplar(exemplar: Exemplar) -> dict[str, Any]:
    return {
        "name": exemplar.name,
        "severity": exemplar.severity,
        "namespace": exemplar.namespace,
        "service": exemplar.service,
        "target": exemplar.target_resource,
        "message": normalised(exemplar.message),
        "labels": dict(exemplar.labels),
        "annotations": {name: normalised(value) for name, value in exemplar.annotations.items()},
        "metrics": {name: value if name in SIZES else bucket(value) for name, value in exemplar.metrics.items()},
    }


def _signals(metrics: GoldenSignals | None) -> list[int | str | None]:
    if metrics is None:
        return []
    return [bucket(value) for value in (metrics.rps, metrics.rps_trend, metrics.error_rate, metrics.p99_ms)]
