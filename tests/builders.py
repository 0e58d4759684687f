"""Builds alerts, cases and judgements for tests; a test passes only the fields that matter to it."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from openclaw_stream.alerts.subject import NO_SUBJECT, Subject, namespace_of, service_of, subject_of
from openclaw_stream.events.decision import Judgement
from openclaw_stream.incidents.case import Case, Exemplar
from openclaw_stream.vocabulary import Responsibility, Severity

DUE = 1_795_300_617_123
"""When the revision of `case` is due, in epoch milliseconds."""

POD = "checkout-7d9f8b6c5-x2x4z"
"""A pod of the deployment checkout."""


def exemplar(name: str = "HighErrorRate", labels: Mapping[str, str] | None = None, **overrides: Any) -> Exemplar:
    """Return an alert as the fold keeps it, with no namespace, service or text."""
    return Exemplar(**{"name": name, "severity": Severity.HIGH, "labels": labels or {}, **overrides})


def alert(name: str, summary: str = "", labels: Mapping[str, str] | None = None, **overrides: Any) -> Exemplar:
    """Return an alert whose namespace and service come from its labels, as the decoder fills them."""
    labels = labels or {}
    annotations = {"summary": summary} if summary else {}
    fields = {"severity": Severity.WARNING, "annotations": annotations, **overrides}
    return exemplar(name, labels, namespace=namespace_of(labels), service=service_of(labels), **fields)


def case(*exemplars: Exemplar, **overrides: Any) -> Case:
    """Return the case of one alert each; of the service checkout in the namespace shop, unless overridden."""
    fields: dict[str, Any] = {
        "incident_id": "0b7cf7e6-6d57-5c0a-8f10-4a7fd3f1b6aa",
        "revision": 1,
        "group_key": "shop/checkout",
        "namespace": "shop",
        "service": "checkout",
        "severity": Severity.HIGH,
        "opened_at": DUE - 60_000,
        "last_alert_at": DUE - 30_000,
        "due": DUE,
        "alert_count": len(exemplars),
        "distinct_alerts": len(exemplars),
        "alert_names": dict(Counter(each.name for each in exemplars)),
        "exemplars": exemplars,
    }
    return Case(**fields | overrides)


def case_from(*exemplars: Exemplar, **overrides: Any) -> Case:
    """Return a case with the scope of its first alert and the services and highest severity of all."""
    fields: dict[str, Any] = {
        "namespace": exemplars[0].namespace if exemplars else "",
        "service": exemplars[0].service if exemplars else "",
        "services": tuple(dict.fromkeys(each.service for each in exemplars if each.service)),
        "severity": max((each.severity for each in exemplars), key=lambda s: s.rank, default=Severity.INFO),
        "subject": _subject_of(exemplars[0]) if exemplars else NO_SUBJECT,
    }
    return case(*exemplars, **fields | overrides)


def _subject_of(first: Exemplar) -> Subject:
    own = first.service if first.service != service_of(first.labels, first.target_resource) else ""
    return subject_of(first.name, first.namespace, own, first.target_resource, first.labels)[1]


def judgement(**overrides: Any) -> Judgement:
    """Return a judgement with the required fields only, unless overridden."""
    required = {"action_title": "Check", "primary_responsibility": Responsibility.BE, "confidence": 0.9}
    return Judgement(**required | overrides)
