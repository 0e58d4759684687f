"""The state of a group: its fields, members and evidence."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from openclaw_stream.alerts.subject import Subject
from openclaw_stream.incidents.state import MEMBERS_MAX, NAMES_MAX, NEVER, SERVICES_MAX, LineageRecord, State
from openclaw_stream.vocabulary import IncidentStatus, Severity
from tests.incidents.states import ASSUMED, FIRES, RESOLVED, members, opened


def with_evidence() -> State:
    state = opened()
    state.set_origin(Subject("service", "shop", "web"), "shop", "web")
    state.set_traceparent("00-1")
    for member in (1, 2):
        alert = replace(FIRES, member=member)
        state.add_member(alert)
        state.add_evidence(alert, 10, distinct=True)
    state.add_exemplar(b"{}")
    state.resolve_member(2)
    state.count_alert(replace(FIRES, name="B", firing=False), 11)
    state.record_alert_time(11)
    state.next_revision(40)
    return state


def fields(state: State) -> dict[str, Any]:
    return {name: getattr(state, name) for name in State.__slots__}


def after_each(value: Callable[[], int], *changes: Callable[[], None]) -> list[int]:
    """Return a value before the first change and after each."""
    values = [value()]
    for change in changes:
        change()
        values.append(value())
    return values


def test_a_changed_copy_leaves_the_original_as_it_was() -> None:
    state = with_evidence()
    before = deepcopy(fields(state))
    copy = state.copy()
    assert fields(copy) == fields(state)
    copy.resolve_member(1)
    copy.add_member(replace(FIRES, member=3))
    copy.count_repeat("A", 12, 12)
    copy.add_exemplar(b"{1}")
    copy.close(RESOLVED, 13)
    assert fields(state) == before


def test_a_state_is_created_from_its_fields() -> None:
    state = with_evidence()
    assert fields(State.from_fields("g", fields(state))) == fields(state)
    assert fields(State.from_fields("g", {})) == fields(State("g"))


def test_the_next_incident_begins_without_anything_of_the_last_one() -> None:
    state = with_evidence()
    state.close(RESOLVED, 20)
    state.begin("second", 20, 2000, "first")
    fresh = State("g", through=state.through, lineage=state.lineage)
    fresh.mark_changed()
    fresh.begin("second", 20, 2000, "first")
    assert fields(state) == fields(fresh) | {"version": state.version}
    assert state.lineage_entry(10) == LineageRecord("first", 10, 10, 20, RESOLVED)


@pytest.mark.parametrize(("status", "is_final"), [(RESOLVED, True), (ASSUMED, False)])
def test_only_a_resolved_incident_is_final(status: IncidentStatus, *, is_final: bool) -> None:
    state = opened()
    assert not state.is_final
    state.close(status, 5)
    assert state.is_final is is_final


def test_every_change_by_no_alert_counts_as_a_version() -> None:
    state = opened()
    versions = after_each(
        lambda: state.version,
        lambda: state.settle_through(11),
        lambda: state.next_revision(40),
        state.mark_changed,
        lambda: state.publish_end(RESOLVED),
        lambda: state.close(RESOLVED, 50),
    )
    assert versions == list(range(versions[0], versions[0] + 6))
    assert (state.through, state.revision, state.last_due) == (11, 1, 40)


# ---- members


def test_a_firing_member_ends_the_hold() -> None:
    state = opened()
    state.add_member(FIRES)
    state.resolve_member(1)
    state.start_hold(90)
    state.add_member(replace(FIRES, starts_at=2000))
    assert (state.hold_end, state.flaps) == (NEVER, 1)
    assert members(state) == ({1: 2000}, {})
    state.add_member(replace(FIRES, member=2))
    assert state.flaps == 1


def test_resolved_members_are_dropped_for_new_ones() -> None:
    state = opened()
    state.add_member(FIRES)
    for member in range(2, 3 * MEMBERS_MAX):
        state.add_member(replace(FIRES, member=member))
        state.resolve_member(member)
    assert not state.overflow
    assert len(state.firing) + len(state.resolved) <= MEMBERS_MAX
    assert list(state.resolved) == list(range(2 * MEMBERS_MAX + 1, 3 * MEMBERS_MAX)), "the oldest are dropped first"


def test_a_full_state_of_firing_members_takes_no_further_one() -> None:
    state = opened()
    for member in range(MEMBERS_MAX):
        state.add_member(replace(FIRES, member=member))
    state.add_member(replace(FIRES, starts_at=2000))
    assert (state.overflow, state.firing[1]) == (False, 2000), "a known member changes"
    state.add_member(replace(FIRES, member=MEMBERS_MAX))
    assert (state.overflow, len(state.firing), MEMBERS_MAX in state.firing) == (True, MEMBERS_MAX, False)


# ---- evidence


def test_a_resolved_alert_adds_no_name() -> None:
    """The name would not be new when it fires, and trigger nothing."""
    state = opened()
    state.count_alert(replace(FIRES, firing=False), 10)
    assert (state.alert_names, state.other_alerts, state.is_new_name("A")) == ({}, 1, True)
    state.count_alert(FIRES, 11)
    state.count_alert(replace(FIRES, firing=False), 12)
    state.count_repeat("A", 13, 500)
    assert (state.alert_names, state.other_alerts, state.is_new_name("A")) == ({"A": 3}, 1, False)
    assert (state.alert_count, state.first_offset, state.last_offset, state.last_alert_at) == (4, 10, 13, 500)


def test_names_services_and_exemplars_are_bounded() -> None:
    state = opened()
    kept = 0
    for number in range(2 * NAMES_MAX):
        state.add_evidence(replace(FIRES, name=f"N{number}", service=f"s{number}"), 10, distinct=True)
        if state.has_room_for_exemplar(Severity.CRITICAL.rank):
            state.add_exemplar(b"{}")
            kept += 1
    assert (len(state.alert_names), len(state.services), kept) == (NAMES_MAX, SERVICES_MAX, 16)
    assert (state.other_alerts, state.distinct_alerts) == (NAMES_MAX, 2 * NAMES_MAX)
    assert not state.is_new_name("another")
    assert not state.is_new_service("another")


def test_an_empty_name_or_service_is_never_new() -> None:
    state = opened()
    assert not state.is_new_name("")
    assert not state.is_new_service("")
    state.add_evidence(replace(FIRES, service=""), 10, distinct=True)
    assert state.services == ()


def test_the_severity_is_the_highest_so_far() -> None:
    state = opened()
    ranks = []
    for severity in (Severity.INFO, Severity.CRITICAL, Severity.WARNING):
        state.add_evidence(replace(FIRES, severity=severity), 10, distinct=False)
        ranks.append(state.severity)
    assert ranks == [0, 3, 3]


def test_dropped_evidence_leaves_the_counts_and_the_lineage() -> None:
    state = with_evidence()
    state.close(RESOLVED, 20)
    before, weight = deepcopy(fields(state)), state.weight
    state.drop_evidence()
    assert fields(state) == before | {"firing": {}, "resolved": {}, "alert_names": {}, "services": (), "exemplars": ()}
    assert state.weight < weight


def test_the_weight_grows_with_all_that_is_kept() -> None:
    state = opened()
    weights = after_each(
        lambda: state.weight,
        lambda: state.add_member(FIRES),
        lambda: state.add_evidence(FIRES, 10, distinct=True),
        lambda: state.add_exemplar(b"x" * 10),
        lambda: state.record_in_lineage(LineageRecord("other", 5, 5, 7, RESOLVED)),
    )
    assert weights == sorted(set(weights))
    assert state.copy().weight == weights[-1]
