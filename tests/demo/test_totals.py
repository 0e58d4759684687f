from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.demo.event_reader import AlertRecord, DeadLetterRecord
from openclaw_stream.demo.totals import DemoTotals
from openclaw_stream.events.decision import Decision
from openclaw_stream.events.examples import DECISION, TUNING
from openclaw_stream.vocabulary import EventType, IncidentStatus, Responsibility, Severity, Verdict


def event(incident_id: str = "one", revision: int = 1, generation: int = 1, **fields: Any) -> Decision:
    return DECISION.model_copy(
        update={"incident_id": incident_id, "revision": revision, "generation": generation} | fields
    )


def resolution(incident: str, revision: int, status: IncidentStatus = IncidentStatus.RESOLVED) -> Decision:
    ended = DECISION.incident.model_copy(update={"status": status, "flaps": 2})
    return event(incident, revision, event_type=EventType.RESOLUTION, incident=ended)


def alert(*, firing: bool) -> Alert:
    return Alert("A", Severity.HIGH, firing, 0, 0, "f", 1, "g")


def totals_of(*events: Decision) -> DemoTotals:
    totals = DemoTotals()
    for each in events:
        totals.add(each, 0.0)
    return totals


def test_alerts_are_counted_by_status_and_record() -> None:
    totals = DemoTotals()
    totals.add(AlertRecord((alert(firing=True), alert(firing=False), alert(firing=True))), 1.0)
    totals.add(AlertRecord(()), 2.0)
    assert (totals.records, totals.alerts, totals.firing, totals.resolved) == (2, 3, 2, 1)
    assert [at for at, _ in totals.latest_alerts] == [1.0, 1.0, 1.0]


def test_an_incident_ends_with_its_resolution() -> None:
    totals = totals_of(event("one", 1), event("two", 1), resolution("one", 2))
    assert (len(totals.incidents), totals.open_incidents, totals.flaps) == (2, 1, 2)
    assert totals.decisions == {Responsibility(DECISION.decision.primary_responsibility): 2}
    assert totals.resolutions == {IncidentStatus.RESOLVED: 1}


def test_a_reopened_incident_is_open() -> None:
    assert totals_of(resolution("one", 1), event("one", 2)).open_incidents == 1


def test_an_older_event_does_not_replace_a_newer_one() -> None:
    totals = totals_of(event("one", 1, generation=2), event("one", 7, generation=1))
    assert totals.incidents["one"].generation == 2


def test_the_example_decision_has_a_command() -> None:
    command = event("two")
    prose = DECISION.decision.model_copy(update={"kubectl_command": ""})
    totals = totals_of(event("one", decision=prose), command, event("three", decision=prose))
    assert command.decision.kubectl_command
    assert totals.example == command


def test_tuning_and_dead_letters_are_counted() -> None:
    totals = DemoTotals()
    totals.add(TUNING, 0.0)
    totals.add(DeadLetterRecord("not JSON", b"{"), 0.0)
    assert totals.tuning == {Verdict(TUNING.safety.verdict): 1}
    assert totals.executed == 0
    assert [letter.reason for letter in totals.dead_letters] == ["not JSON"]


PLACES = st.tuples(st.sampled_from("ab"), st.integers(1, 2))


@given(st.dictionaries(PLACES, st.integers(1, 5)), st.randoms())
def test_each_revision_once_in_any_order_is_no_fault(last: dict[tuple[str, int], int], order: Any) -> None:
    events = [event(i, revision, g) for (i, g), count in last.items() for revision in range(1, count + 1)]
    order.shuffle(events)
    totals = totals_of(*events)
    assert list(totals.faults()) == []
    assert totals.revisions == len(events)


@given(st.integers(1, 6), st.integers(1, 6), st.booleans())
def test_a_duplicated_or_missing_revision_is_a_fault(count: int, which: int, twice: bool) -> None:  # noqa: FBT001
    which = min(which, count)
    events = [event("one", revision) for revision in range(1, count + 1)]
    events = [*events, events[which - 1]] if twice else [*events[: which - 1], *events[which:], event("one", count + 1)]
    assert list(totals_of(*events).faults()) == [
        f"incident one, generation 1: revision {which} was read {2 if twice else 0} times"
    ]
