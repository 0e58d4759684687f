"""The checks: published events against the expected incidents. Pure: no I/O."""

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.chaos.journal import Run
from tests.chaos.outputs import DeadLetterRecord, DecisionEvent, LineageEntry, Outputs, StateRecord
from tests.chaos.truth import Incident, Truth
from tests.chaos.wire import SEVERITIES

LOST, DUPLICATED, DISORDERED, INVALID = "lost", "duplicated", "out of order", "invalid"
KINDS = (LOST, DUPLICATED, DISORDERED, INVALID)


class Finding(NamedTuple):
    """One error that the verifier found."""

    kind: str
    what: str


_COMMAND = re.compile(
    r"kubectl (?:scale|autoscale|set resources|rollout|patch|delete pod)[ /][\w ./=%,:{}\"'-]+ -n [\w-]+"
)
"""The form of a command that may be suggested: a shell reads it as one command."""

Opening = tuple[int, int, str]
"""Partition and offset of the record that opened an incident, and its group."""


def examine(run: Run, truth: Truth, outputs: Outputs) -> list[Finding]:
    """Return all errors."""
    ids = _ids(outputs.states)
    found = [Finding(INVALID, f"invalid by its schema: {what}") for what in outputs.invalid]
    found += [Finding(INVALID, f"a transaction hangs: {what}") for what in outputs.hanging]
    found += _check_openings(truth, outputs, ids)
    found += _check_revisions(outputs.decisions)
    found += _check_events(outputs)
    found += _check_generations(run, outputs)
    found += _check_commands(outputs)
    found += _check_replayed(run, outputs.decisions)
    found += _check_dead(truth, outputs.dead)
    last_states = _last_states(outputs.states, truth, ids, compacted=run.compacted)
    last_events = {event.incident: event for event in outputs.decisions}
    for incident, name, state in last_states:
        found += _check_last(run, incident, name, state, last_events.get(name))
    return found


def counted(run: Run, truth: Truth, outputs: Outputs) -> tuple[int, int]:
    """Return the alerts that the last states count together, and the alerts produced less the no-ops."""
    states = _last_states(outputs.states, truth, _ids(outputs.states), compacted=run.compacted)
    return sum(state.alerts for _, _, state in states), truth.alerts - truth.no_ops


# ---- incidents


def _ids(states: Sequence[StateRecord]) -> dict[Opening, set[LineageEntry]]:
    """Return the lineage entries of each opening."""
    ids: dict[Opening, set[LineageEntry]] = defaultdict(set)
    for state in states:
        for opened in state.lineage:
            ids[state.place[0], opened.offset, state.group].add(opened)
    return ids


def _opening(incident: Incident) -> Opening:
    return incident.partition, incident.opened_offset, incident.group


def _check_openings(truth: Truth, outputs: Outputs, ids: dict[Opening, set[LineageEntry]]) -> Iterator[Finding]:
    decided = {event.incident for event in outputs.decisions}
    expected = {_opening(incident): incident for incident in truth.incidents}
    for opening, incident in expected.items():
        known = ids.get(opening, set())
        names = {opened.incident for opened in known}
        if not names:
            yield Finding(LOST, f"no incident opened at {opening}")
        elif len(names) > 1:
            yield Finding(DUPLICATED, f"the incident opened at {opening} has several ids: {sorted(names)}")
        elif not names & decided:
            yield Finding(LOST, f"no decision on the incident {min(names)} opened at {opening}")
        if any(opened.timestamp != incident.opened_at for opened in known):
            yield Finding(INVALID, f"the incident opened at {opening} has another timestamp than its record")
    for opening in ids.keys() - expected.keys():
        yield Finding(INVALID, f"an incident was opened at {opening}, where none is expected")
    every = {opened.incident: opening[2] for opening, known in ids.items() for opened in known}
    for event in outputs.decisions:
        if every.get(event.incident) != event.group:
            yield Finding(INVALID, f"decision {event.place} on {event.incident} of {event.group}: no state contains it")


def _last_states(
    states: Sequence[StateRecord], truth: Truth, ids: dict[Opening, set[LineageEntry]], *, compacted: bool
) -> Iterator[tuple[Incident, str, StateRecord]]:
    """Yield each expected incident with its id and last state; where states are compacted only those left."""
    last = {state.incident: state for state in states if state.incident}
    for incident in truth.incidents:
        for opened in sorted(ids.get(_opening(incident), ())):
            if opened.incident in last:
                yield incident, opened.incident, last[opened.incident]
            elif not compacted:
                # Counts as a state without alerts.
                yield incident, opened.incident, StateRecord((0, 0), incident.group, 0, opened.incident, 0, "", ())


def _check_last(
    run: Run, incident: Incident, name: str, state: StateRecord, event: DecisionEvent | None
) -> Iterator[Finding]:
    where = f"incident {name} of {incident.group} opened at {incident.partition}/{incident.opened_offset}"
    offsets = [alert.offset for alert in incident.alerts]
    bases = {0, *(reset.offset for reset in run.resets if reset.partition == incident.partition)}
    counts = {base: len(offsets) - bisect_left(offsets, base) for base in bases}
    if state.alerts not in counts.values():
        kind = DUPLICATED if state.alerts > len(offsets) else LOST
        yield Finding(kind, f"{where} counts {state.alerts} alerts, expected {sorted(set(counts.values()))}")
        return
    status = "resolved" if incident.ended else "firing"
    if state.status != status:
        yield Finding(LOST, f"{where} is {state.status}, expected {status}")
    if event is None:
        return
    if event.resolution != incident.ended:
        yield Finding(LOST, f"{where}: the last event is {'a' if event.resolution else 'no'} resolution")
    seen_by_kind = [_expected_in_event(incident, base) for base, count in counts.items() if count == state.alerts]
    if not any(names <= event.names and severity in {"", event.severity} for names, severity in seen_by_kind):
        yield Finding(
            LOST, f"{where}: the last event has {sorted(event.names)} {event.severity}, expected {seen_by_kind}"
        )


def _expected_in_event(incident: Incident, base: int) -> tuple[frozenset[str], str]:
    """Return the alert names and the severity that the last event must have, with the alerts from `base` on."""
    fired = [alert for alert in incident.alerts if alert.firing and alert.offset >= base]
    severity = SEVERITIES[max(alert.severity for alert in fired)] if fired else ""
    return frozenset(alert.name for alert in fired), severity


# ---- events


def _check_revisions(decisions: Sequence[DecisionEvent]) -> Iterator[Finding]:
    seen: dict[str, dict[int, list[int]]] = defaultdict(dict)
    for event in decisions:
        generations = seen[event.incident]
        if generations and event.generation < max(generations):
            yield Finding(DISORDERED, f"{event.place}: {_named(event)} after generation {max(generations)}")
        revisions = generations.setdefault(event.generation, [])
        earlier = [
            seen_by_kind[-1]
            for generation, seen_by_kind in generations.items()
            if generation < event.generation and seen_by_kind
        ]
        if event.revision in revisions:
            yield Finding(DUPLICATED, f"{event.place}: {_named(event)} is repeated")
        elif revisions and event.revision != revisions[-1] + 1:
            kind = LOST if event.revision > revisions[-1] else DISORDERED
            yield Finding(kind, f"{event.place}: {_named(event)} after revision {revisions[-1]}")
        elif not revisions and event.revision not in {1, *(last + 1 for last in earlier)}:
            yield Finding(LOST, f"{event.place}: {_named(event)} is the first of its generation, after {earlier}")
        revisions.append(event.revision)


def _named(event: DecisionEvent) -> str:
    return f"incident {event.incident} generation {event.generation} revision {event.revision}"


def _check_events(outputs: Outputs) -> Iterator[Finding]:
    ids = Counter([event.event_id for event in outputs.decisions] + [event.event_id for event in outputs.tuning])
    yield from (Finding(DUPLICATED, f"{n} events with ce_id {name!r}") for name, n in ids.items() if n > 1 or not name)
    decided = {(event.decision_id, event.generation) for event in outputs.decisions}
    for event in outputs.decisions:
        if event.key != event.incident:
            yield Finding(INVALID, f"decision {event.place} is keyed by {event.key!r}, not by {event.incident}")
    for decision_id, times in Counter((e.decision_id, e.generation) for e in outputs.decisions).items():
        if times > 1:
            yield Finding(DUPLICATED, f"{times} decisions with id and generation {decision_id}")
    for tuned in outputs.tuning:
        if (tuned.decision_id, tuned.generation) not in decided:
            yield Finding(LOST, f"tuning {tuned.place} is of the decision {tuned.decision_id}, which does not exist")
        if tuned.executed:
            yield Finding(INVALID, f"tuning {tuned.place} is marked as executed")
    for name, times in Counter((tuned.tuning_id, tuned.generation) for tuned in outputs.tuning).items():
        if times > 1:
            yield Finding(DUPLICATED, f"{times} tuning events with id and generation {name}")


def _check_commands(outputs: Outputs) -> Iterator[Finding]:
    seen_by_kind = [(f"decision {event.place}", event.command) for event in outputs.decisions]
    seen_by_kind += [(f"tuning {event.place}", event.command) for event in outputs.tuning]
    for where, command in seen_by_kind:
        if command and not _COMMAND.fullmatch(command):
            yield Finding(INVALID, f"{where} suggests {command!r}")


def _check_generations(run: Run, outputs: Outputs) -> Iterator[Finding]:
    resets = Counter(reset.partition for reset in run.resets)
    seen_by_kind = {(event.partition, event.generation) for event in outputs.decisions}
    seen_by_kind |= {(state.place[0], state.generation) for state in outputs.states}
    seen_by_kind |= {(letter.source[0], letter.generation) for letter in outputs.dead}
    for partition, generation in sorted(seen_by_kind):
        if generation > 1 + resets[partition]:
            what = f"partition {partition} has a generation {generation} after {resets[partition]} resets"
            yield Finding(DUPLICATED, f"{what}: a replay without a reset")


def _check_replayed(run: Run, decisions: Sequence[DecisionEvent]) -> Iterator[Finding]:
    for event in decisions:
        resets = [reset for reset in run.resets if reset.partition == event.partition]
        is_new = event.generation == 1 or event.last >= max((reset.end for reset in resets), default=0)
        if is_new and event.replayed:
            yield Finding(INVALID, f"{event.place}: {_named(event)} is marked as replayed, and is new")
        settled = min((reset.committed for reset in resets), default=0)
        if event.generation > 1 and event.last < settled and not event.replayed:
            yield Finding(INVALID, f"{event.place}: {_named(event)} was settled before, and is not marked as replayed")


# ---- dead letters


def _check_dead(truth: Truth, dead: Sequence[DeadLetterRecord]) -> Iterator[Finding]:
    expected = {(record.partition, record.offset): record for record in truth.dead}
    times = Counter((letter.source, letter.generation) for letter in dead)
    for (source, generation), number in times.items():
        if number > 1:
            yield Finding(DUPLICATED, f"{number} dead letters of {source} in generation {generation}")
    for source in expected.keys() - {letter.source for letter in dead}:
        yield Finding(LOST, f"no dead letter of the poison record at {source}")
    for letter in dead:
        record = expected.get(letter.source)
        if record is None:
            yield Finding(INVALID, f"the record at {letter.source} is not poison, and is in the dead letters")
        elif (letter.value, letter.key, letter.headers) != (record.value, record.key, record.headers):
            yield Finding(INVALID, f"the dead letter of {letter.source} differs from its record")
