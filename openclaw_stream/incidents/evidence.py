"""Bounded evidence: exemplars of alerts, and the case of a revision from the state of its group."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import orjson

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.alerts.subject import Subject
from openclaw_stream.incidents.case import Case, Exemplar
from openclaw_stream.incidents.state import State
from openclaw_stream.text import Hidden, safe_text
from openclaw_stream.vocabulary import SEVERITIES, Severity

_NAME_MAX = 200
_TEXT_MAX = 500
_LABELS_MAX = 32
_ANNOTATIONS_MAX = 8
_METRICS_MAX = 16
_WARNINGS_MAX, _WARNING_MAX = 4, 200
_TIME_MAX = 253_402_300_799_000
"""The end of the year 9999: record timestamps come from producers, by mistake also in microseconds."""


def exemplar(alert: Alert) -> bytes:
    """Return an alert as JSON: capped, and redacted before it is stored anywhere."""
    return orjson.dumps(
        {
            "name": text(alert.name, _NAME_MAX),
            "severity": alert.severity,
            "fingerprint": text(alert.fingerprint, _NAME_MAX),
            "source": text(alert.source, _NAME_MAX),
            "namespace": text(alert.namespace, _NAME_MAX),
            "service": text(alert.service, _NAME_MAX),
            "target_resource": text(alert.target_resource, _NAME_MAX),
            "message": text(alert.message, _TEXT_MAX),
            "labels": _texts(alert.labels, _LABELS_MAX),
            "annotations": _texts(alert.annotations, _ANNOTATIONS_MAX),
            "metrics": {text(k, _NAME_MAX): v for k, v in list(alert.metrics.items())[:_METRICS_MAX]},
            "starts_at": alert.starts_at,
            "generator_url": text(alert.generator_url, _TEXT_MAX),
            "warnings": [text(warning, _WARNING_MAX) for warning in alert.warnings[:_WARNINGS_MAX]],
        }
    )


def case_of(state: State, due: int, *, rules_only: bool = False) -> Case:
    """Return what the arbiter decides on; `due` is in epoch milliseconds of stream time."""
    return Case(
        incident_id=state.incident_id,
        revision=state.revision,
        group_key=state.group_key,
        namespace=text(state.namespace, _NAME_MAX),
        service=text(state.service, _NAME_MAX),
        subject=Subject(
            state.subject.kind, text(state.subject.namespace, _NAME_MAX), text(state.subject.name, _NAME_MAX)
        ),
        severity=SEVERITIES[max(state.severity, 0)],
        opened_at=state.opened_at,
        last_alert_at=state.last_alert_at,
        due=due,
        alert_count=state.alert_count,
        distinct_alerts=state.distinct_alerts,
        alert_names=_merged(state.alert_names, lambda name: text(name, _NAME_MAX)),
        exemplars=tuple(_exemplar_from(value) for value in state.exemplars),
        services=tuple(text(service, _NAME_MAX) for service in state.services),
        other_alerts=state.other_alerts,
        flaps=state.flaps,
        resolved_early=rules_only,
    )


def _merged(names: Mapping[str, int], shown: Callable[[str], str]) -> dict[str, int]:
    """Return the counts by shown name: several names may be shown as one."""
    counts: dict[str, int] = {}
    for name, count in names.items():
        counts[shown(name)] = counts.get(shown(name), 0) + count
    return counts


def incident_fields(state: State) -> dict[str, Any]:
    """Return what events contain of an incident, as the fields of `IncidentFacts`."""
    others = {"#others": state.other_alerts} if state.other_alerts else {}
    return {
        "subject": {
            "kind": state.subject.kind,
            "namespace": _shown(state.subject.namespace),
            "name": _shown(state.subject.name),
        },
        "namespace": _shown(state.namespace),
        "service": _shown(state.service),
        "severity": SEVERITIES[max(state.severity, 0)],
        "status": state.status,
        "opened_at": _at(state.opened_at),
        "last_alert_at": _at(max(state.last_alert_at, state.opened_at)),
        "alert_count": state.alert_count,
        "distinct_alerts": state.distinct_alerts,
        "alert_names": {**_merged(state.alert_names, _shown), **others},
        "flaps": state.flaps,
        "previous_incident_id": state.previous_incident_id or None,
    }


def text(value: str, limit: int = _TEXT_MAX) -> str:
    """Return a text without secrets, at most `limit` characters long."""
    # Hidden characters stay, so that a name that only looks like a workload's is never taken for it.
    return safe_text(value, limit, hidden=Hidden.KEEP)


def _shown(value: str) -> str:
    """Return a name as events show it to people and browsers: without hidden characters too."""
    return safe_text(value, _NAME_MAX)


def _texts(items: Mapping[str, str], limit: int) -> dict[str, str]:
    return {
        text(key, _NAME_MAX): safe_text(value, _TEXT_MAX, hidden=Hidden.KEEP, name=key)
        for key, value in islice(items.items(), limit)
    }


def _at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(min(max(milliseconds, 0), _TIME_MAX) / 1000, UTC)


def _exemplar_from(value: bytes) -> Exemplar:
    fields = orjson.loads(value)
    warnings = tuple(fields.pop("warnings", ()))  # states of earlier versions have none
    return Exemplar(**{**fields, "severity": Severity(fields["severity"]), "warnings": warnings})
