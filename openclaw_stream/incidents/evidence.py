"""The evidence of an incident: the case of a revision, and what events contain of it, from the state of its group."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from openclaw_stream.alerts.subject import Subject
from openclaw_stream.incidents.case import Case, Exemplar
from openclaw_stream.incidents.exemplars import NAME_MAX, exemplar_from, text
from openclaw_stream.incidents.state import State
from openclaw_stream.incidents.stated_subject import stated_subject
from openclaw_stream.text import json_size, safe_text
from openclaw_stream.vocabulary import SEVERITIES

NAMES_BYTES = 8 * 1024
"""Most bytes of the alert names in an event, as JSON."""

_TIME_MAX = 253_402_300_799_000
"""The end of the year 9999: record timestamps come from producers, by mistake also in microseconds."""


def case_of(state: State, due: int, *, rules_only: bool = False) -> Case:
    """Return what the arbiter decides on; `due` is in epoch milliseconds of stream time."""
    exemplars = tuple(exemplar_from(value) for value in state.exemplars)
    return Case(
        incident_id=state.incident_id,
        revision=state.revision,
        group_key=state.group_key,
        namespace=text(state.namespace, NAME_MAX),
        service=text(state.service, NAME_MAX),
        subject=case_subject(state, exemplars),
        grouped_by=_grouped_by(state),
        severity=SEVERITIES[max(state.severity, 0)],
        opened_at=state.opened_at,
        last_alert_at=state.last_alert_at,
        due=due,
        alert_count=state.alert_count,
        distinct_alerts=state.distinct_alerts,
        alert_names=merged(state.alert_names, lambda name: text(name, NAME_MAX)),
        exemplars=exemplars,
        services=tuple(text(service, NAME_MAX) for service in state.services),
        other_alerts=state.other_alerts,
        flaps=state.flaps,
        resolved_early=rules_only,
    )


def case_subject(state: State, exemplars: Sequence[Exemplar]) -> Subject:
    """Return what the alerts of an incident state they are about, else the subject by which they are grouped."""
    return stated_subject(_grouped_by(state), exemplars)


def _grouped_by(state: State) -> Subject:
    kind, namespace, name = state.subject
    return Subject(kind, text(namespace, NAME_MAX), text(name, NAME_MAX))


def subject_fields(subject: Subject) -> dict[str, str]:
    """Return a subject as the fields of `IncidentSubject`."""
    return {"kind": subject.kind, "namespace": _shown(subject.namespace), "name": _shown(subject.name)}


def incident_fields(state: State) -> dict[str, Any]:
    """Return what events contain of an incident, as the fields of `IncidentFacts`; the subject is that of the group."""
    return {
        "subject": subject_fields(state.subject),
        "namespace": _shown(state.namespace),
        "service": _shown(state.service),
        "severity": SEVERITIES[max(state.severity, 0)],
        "status": state.status,
        "opened_at": moment(state.opened_at),
        "last_alert_at": moment(max(state.last_alert_at, state.opened_at)),
        "alert_count": state.alert_count,
        "distinct_alerts": state.distinct_alerts,
        "alert_names": _counts(state),
        "flaps": state.flaps,
        "previous_incident_id": state.previous_incident_id or None,
    }


def merged(names: Mapping[str, int], shown: Callable[[str], str]) -> dict[str, int]:
    """Return the counts by shown name: several names may be shown as one."""
    counts: dict[str, int] = {}
    for name, count in names.items():
        counts[shown(name)] = counts.get(shown(name), 0) + count
    return counts


def moment(milliseconds: int) -> datetime:
    """Return the time of epoch milliseconds, the nearest that can be written."""
    return datetime.fromtimestamp(min(max(milliseconds, 0), _TIME_MAX) / 1000, UTC)


def _counts(state: State) -> dict[str, int]:
    """Return the counts by name; names beyond the byte budget, the rarest first, are counted with the others."""
    counts, others = merged(state.alert_names, _shown), state.other_alerts
    sizes = {name: json_size(name) + json_size(count) + 2 for name, count in counts.items()}
    too_large = sum(sizes.values()) - NAMES_BYTES
    for name in sorted(counts, key=lambda each: counts[each]) if too_large > 0 else ():
        if too_large > 0:
            too_large -= sizes[name]
            others += counts.pop(name)
    return {**counts, "#others": others} if others else counts


def _shown(value: str) -> str:
    """Return a name as events show it to people and browsers: without hidden characters too."""
    return safe_text(value, NAME_MAX)
