"""Exemplars: alerts kept as examples of their incident, capped, and redacted before they are stored anywhere."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

import orjson

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.alerts.resource_names import member_of
from openclaw_stream.incidents.case import Exemplar
from openclaw_stream.incidents.links import link_kind, safe_link
from openclaw_stream.text import Hidden, safe_text
from openclaw_stream.vocabulary import Severity

NAME_MAX = 200
TEXT_MAX = 500
LABELS_MAX = 32
ANNOTATIONS_MAX = 8
_METRICS_MAX = 16
_WARNINGS_MAX, _WARNING_MAX = 4, 200
_FIRST = ("summary", "description")
_FIELDS = frozenset(Exemplar.__slots__)


def exemplar(alert: Alert) -> bytes:
    """Return an alert as JSON; what it does not have takes no space."""
    # Names that only differ beyond their limit are one: what is left out is what is not kept.
    labels, annotations = (
        _texts(dict(islice(alert.labels.items(), LABELS_MAX))),
        _texts(_most_telling(alert.annotations)),
    )
    identity = {"name": text(alert.name, NAME_MAX), "severity": alert.severity, "member": alert.member}
    others = {
        "fingerprint": text(alert.fingerprint, NAME_MAX),
        "source": text(alert.source, NAME_MAX),
        "namespace": text(alert.namespace, NAME_MAX),
        "service": text(alert.service, NAME_MAX),
        "target_resource": text(alert.target_resource, NAME_MAX),
        "message": text(alert.message, TEXT_MAX),
        "labels": labels,
        "labels_left_out": len(alert.labels) - len(labels),
        "annotations": annotations,
        "annotations_left_out": len(alert.annotations) - len(annotations),
        "metrics": {text(k, NAME_MAX): v for k, v in list(alert.metrics.items())[:_METRICS_MAX]},
        "starts_at": alert.starts_at,
        "generator_url": safe_link(alert.generator_url),
        "warnings": [text(warning, _WARNING_MAX) for warning in alert.warnings[:_WARNINGS_MAX]],
    }
    return compact(identity | {name: value for name, value in others.items() if value})


def compact(fields: Mapping[str, Any]) -> bytes:
    """Return fields as JSON that may be kept for long."""
    # What orjson returns holds the whole buffer that it wrote into (findings/orjson-oversized-bytes.sh).
    return bytes(memoryview(orjson.dumps(fields)))


def exemplar_from(value: bytes) -> Exemplar:
    """Return the exemplar in a JSON object, also in one of an earlier or, during an upgrade, of a later version."""
    fields: dict[str, Any] = {name: each for name, each in orjson.loads(value).items() if name in _FIELDS}
    fields["severity"] = Severity(fields["severity"])
    fields["warnings"] = tuple(fields.get("warnings", ()))
    fields.setdefault("member", member_of(fields.get("fingerprint", "")))
    return Exemplar(**fields)


def text(value: str, limit: int = TEXT_MAX) -> str:
    """Return a text without secrets, at most `limit` characters long."""
    # Hidden characters stay, so that a name that only looks like a workload's is never taken for it.
    return safe_text(value, limit, hidden=Hidden.KEEP)


def _most_telling(annotations: Mapping[str, str]) -> dict[str, str]:
    """Return the annotations to keep, in their order: texts and links before all others."""
    if len(annotations) <= ANNOTATIONS_MAX:
        return dict(annotations)
    kept = set(sorted(annotations, key=_rank)[:ANNOTATIONS_MAX])
    return {name: value for name, value in annotations.items() if name in kept}


def _rank(name: str) -> int:
    return 0 if name.lower() in _FIRST else 1 if link_kind(name) else 2


def _texts(items: Mapping[str, str]) -> dict[str, str]:
    return {text(name, NAME_MAX): _value(name, value) for name, value in items.items()}


def _value(name: str, value: str) -> str:
    # A link may be longer than a text, and is whole or worth nothing.
    link = safe_link(value) if link_kind(name) else ""
    return link or safe_text(value, TEXT_MAX, hidden=Hidden.KEEP, name=name)
