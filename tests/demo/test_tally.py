from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.demo.feed import AlertRecord, DeadLetterRecord
from openclaw_stream.demo.tally import Tally
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


def tallied(*events: Decision) -> Tally:
    tally = Tally()
    for seen in events:
        tally.add(seen, 0.0)
    return tally


def test_alerts_are_counted_by_status_and_record() -> None:
    tally = Tally()
    tally.add(AlertRecord((alert(firing=True), alert(firing=False), alert(firing=True))), 1.0)
    tally.add(AlertRecord(()), 2.0)
    assert (tally.records, tally.alerts, tally.firing, tally.resolved) == (2, 3, 2, 1)
    assert [at for at, _ in tally.latest_alerts] == [1.0, 1.0, 1.0]


def test_an_incident_ends_with_its_resolution() -> None:
    tally = tallied(event("one", 1), event("two", 1), resolution("one", 2))
    assert (len(tally.incidents), tally.open_incidents, tally.flaps) == (2, 1, 2)
    assert tally.decisions == {Responsibility(DECISION.decision.primary_responsibility): 2}
    assert tally.resolutions == {IncidentStatus.RESOLVED: 1}


def test_an_incident_that_opens_again_is_open() -> None:
    assert tallied(resolution("one", 1), event("one", 2)).open_incidents == 1


def test_an_older_event_does_not_take_a_newer_ones_place() -> None:
    tally = tallied(event("one", 1, generation=2), event("one", 7, generation=1))
    assert tally.incidents["one"].generation == 2


def test_the_best_decision_has_a_command() -> None:
    command = event("two")
    words = DECISION.decision.model_copy(update={"kubectl_command": ""})
    tally = tallied(event("one", decision=words), command, event("three", decision=words))
    assert command.decision.kubectl_command
    assert tally.best == command


def test_tuning_and_dead_letters_are_counted() -> None:
    tally = Tally()
    tally.add(TUNING, 0.0)
    tally.add(DeadLetterRecord("not JSON", b"{"), 0.0)
    assert tally.tuning == {Verdict(TUNING.safety.verdict): 1}
    assert tally.executed == 0
    assert [letter.reason for letter in tally.dead_letters] == ["not JSON"]


PLACES = st.tuples(st.sampled_from("ab"), st.integers(1, 2))


@given(st.dictionaries(PLACES, st.integers(1, 5)), st.randoms())
def test_every_revision_once_in_any_order_is_no_fault(last: dict[tuple[str, int], int], order: Any) -> None:
    events = [event(i, revision, g) for (i, g), count in last.items() for revision in range(1, count + 1)]
    order.shuffle(events)
    tally = tallied(*events)
    assert list(tally.faults()) == []
    assert tally.revisions == len(events)


@given(st.integers(1, 6), st.integers(1, 6), st.booleans())
def test_a_revision_seen_twice_or_never_is_a_fault(count: int, which: int, twice: bool) -> None:  # noqa: FBT001
    which = min(which, count)
    events = [event("one", revision) for revision in range(1, count + 1)]
    events = [*events, events[which - 1]] if twice else [*events[: which - 1], *events[which:], event("one", count + 1)]
    assert list(tallied(*events).faults()) == [
        f"incident one, generation 1: revision {which} was seen {2 if twice else 0} times"
    ]
