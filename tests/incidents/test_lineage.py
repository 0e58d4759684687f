"""The lineage of a group, and what it restores of the group before a reset."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.alerts.subject import Subject
from openclaw_stream.incidents.state import LINEAGE_MAX, NEVER, UNKNOWN, LineageRecord, State
from openclaw_stream.vocabulary import IncidentStatus
from tests.incidents.states import ASSUMED, FIRES, FIRING, RESOLVED, members, open_incident, opened


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9)), max_size=60))
def test_the_lineage_keeps_the_last_entry_of_each_of_the_latest_openings(entries: list[tuple[int, int]]) -> None:
    state = State("g")
    for offset, number in entries:
        state.record_in_lineage(LineageRecord(str(number), offset, offset, None, FIRING))
    latest = sorted(dict(entries).items())[-LINEAGE_MAX:]
    assert [(entry.opened_offset, int(entry.incident_id)) for entry in state.lineage] == latest
    for offset, number in latest:
        entry = state.lineage_entry(offset)
        assert entry is not None
        assert entry.incident_id == str(number)


def test_a_reopened_incident_has_no_closed_offset() -> None:
    state = opened()
    state.add_member(FIRES)
    state.close(ASSUMED, 30)
    assert state.lineage == (LineageRecord("first", 10, 10, 30, ASSUMED),)
    state.reopen(1, 2000)
    assert state.lineage == (LineageRecord("first", 10, 10, None, FIRING),)
    assert members(state) == ({1: 2000}, {})
    assert (state.status, state.hold_end) == (FIRING, NEVER)


@pytest.mark.parametrize(
    ("floor", "closed_offset", "recorded"),
    [(11, 30, True), (30, 30, True), (10, 30, False), (5, 30, False), (20, None, False)],
)
def test_an_end_is_recorded_for_an_incident_that_an_earlier_generation_closed(
    floor: int, closed_offset: int | None, *, recorded: bool
) -> None:
    state = opened()
    entry = LineageRecord("first", 10, 10, closed_offset, RESOLVED)
    state.record_in_lineage(entry)
    assert state.recorded_end(floor) == (entry if recorded else None)
    state.close(RESOLVED, 30)
    assert state.recorded_end(floor) is None


def three_incidents() -> State:
    """Return a group whose incidents opened at 10, 20 and 40; the first closed at 20, the second at 30."""
    state = opened()
    state.close(RESOLVED, 20)
    open_incident(state, 20, "second", "first")
    state.close(ASSUMED, 30)
    open_incident(state, 40, "third", "second")
    state.add_member(FIRES)
    state.add_evidence(FIRES, 40, distinct=True)
    state.record_alert_time(45)
    state.settle_through(50)
    return state


@pytest.mark.parametrize(
    ("floor", "incident", "previous", "is_open", "status"),
    [
        (5, "", "", False, FIRING),
        (10, "", "", False, FIRING),
        (11, "first", "", True, FIRING),
        (20, "first", "", True, FIRING),
        (21, "second", "first", True, FIRING),
        (30, "second", "first", True, FIRING),
        (31, "second", "first", False, ASSUMED),
        (41, "third", "second", True, FIRING),
    ],
)
def test_the_last_incident_opened_before_a_reset_is_restored_without_evidence(
    floor: int, incident: str, previous: str, status: IncidentStatus, *, is_open: bool
) -> None:
    state = three_incidents()
    state.mark_replayed()
    before = state.before_reset(floor)
    assert (before.incident_id, before.previous_incident_id) == (incident, previous)
    assert (before.is_open, before.status) == (is_open, status)
    assert (before.through, before.replayed_through, before.lineage) == (floor - 1, 50, state.lineage)
    assert (before.revision, before.alert_count, before.alert_names) == (0, 0, {})


def test_the_current_incident_keeps_members_and_timers_over_a_reset() -> None:
    state = three_incidents()
    state.set_origin(Subject("service", "shop", "web"), "shop", "web")
    state.add_member(replace(FIRES, member=2))
    state.resolve_member(2)
    before = state.before_reset(45)
    assert (members(before), before.last_alert_at, before.distinct_alerts) == (({1: 1000}, {2: 1000}), 45, 2)
    assert (before.membership_frozen_at, before.namespace, before.service) == (50, "shop", "web")
    before.resolve_member(1)
    assert members(state) == ({1: 1000}, {2: 1000})
    assert state.before_reset(35).membership_frozen_at == UNKNOWN, "the members are those of another incident"
    assert before.before_reset(42).membership_frozen_at == 50, "a second reset does not lower it"


def test_what_is_replayed_never_decreases() -> None:
    state = three_incidents()
    state.mark_replayed()
    again = state.before_reset(30)
    again.settle_through(35)
    again.mark_replayed()
    assert again.replayed_through == 50
