"""The life of an incident, alert by alert."""

from dataclasses import replace
from typing import Any

import pytest

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.incidents.exemplars import exemplar_from
from openclaw_stream.incidents.fold import Fold
from openclaw_stream.incidents.lifecycle import Lifecycle
from openclaw_stream.incidents.state import MEMBERS_MAX, NAMES_MAX, NEVER, State
from openclaw_stream.incidents.timers import Timers
from openclaw_stream.vocabulary import IncidentStatus, Severity

TIMERS = Timers(
    group_wait=30, group_wait_critical=5, group_interval=300, max_interval=3600, resolve_hold=60, max_silence=900
)
FOLD = Fold("alerts", 0, TIMERS, retention=10_000)
END_PUBLISHED, CLOSED = {"lifecycle": Lifecycle.END_PUBLISHED}, {"lifecycle": Lifecycle.CLOSED}
BASE = Alert("HighErrorRate", Severity.WARNING, True, 1000, 0, "f1", 1, "shop/web", service="web")  # noqa: FBT003


def join(state: State, now: int, **changes: Any) -> int:
    """Fold an alert at offset = time `now`; returns when it needs a revision."""
    return FOLD.join(state, replace(BASE, **changes), now, now, now)[0]


def close(state: State, offset: int) -> None:
    """Close an incident at its time, as noticed at `offset`."""
    state.close(FOLD.end_status(state, FOLD.close_time(state)), offset)


def opened(**changes: Any) -> State:
    state = State("shop/web")
    join(state, 100, **changes)
    return state


def test_a_firing_alert_opens_an_incident_that_gathers() -> None:
    state = State("shop/web")
    assert join(state, 100) == 130
    assert state.is_open
    assert state.opened_offset == 100
    assert (state.alert_count, state.distinct_alerts) == (1, 1)


def test_a_critical_alert_gathers_for_less_time() -> None:
    assert join(State("g"), 100, severity=Severity.CRITICAL) == 105


def test_a_resolved_alert_never_opens_an_incident() -> None:
    state = State("g")
    assert FOLD.join(state, replace(BASE, firing=False), 1, 1, 1) == (NEVER, False)
    assert not state.incident_id


def test_a_repeat_is_counted_and_triggers_nothing() -> None:
    state = opened()
    assert FOLD.repeat(state, BASE, 200, 200)
    assert (state.alert_count, state.distinct_alerts, state.last_alert_at) == (2, 1, 200)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Other"},
        {"severity": Severity.HIGH},
        {"service": "db"},
        {"member": 2},
        {"starts_at": 1001},
        {"firing": False},
    ],
)
def test_a_changed_alert_is_no_repeat(change: dict[str, Any]) -> None:
    state = opened()
    before = state.copy()
    assert not FOLD.repeat(state, replace(BASE, **change), 200, 200)
    assert state.alert_count == before.alert_count


@pytest.mark.parametrize(
    ("change", "due"),
    [
        ({"name": "Other"}, 430),
        ({"service": "db"}, 430),
        ({"severity": Severity.HIGH}, 430),
        ({"severity": Severity.CRITICAL}, 205),
        ({"member": 2}, NEVER),
    ],
)
def test_a_new_name_or_service_or_a_higher_severity_triggers_a_revision(change: dict[str, Any], due: int) -> None:
    state = opened()
    state.revision, state.last_due = 1, 130
    assert join(state, 200, **change) == due


def test_the_revision_interval_doubles_up_to_its_limit() -> None:
    state = opened()
    intervals = []
    for revision in (1, 2, 3, 4, 5, 60):
        state.revision = revision
        intervals.append(FOLD.revision_interval(state))
    assert intervals == [300, 600, 1200, 2400, 3600, 3600]


def test_an_incident_ends_a_hold_after_its_last_member_resolved() -> None:
    state = opened()
    join(state, 150, member=2)
    join(state, 200, firing=False)
    assert state.hold_end == NEVER
    join(state, 300, member=2, firing=False)
    assert FOLD.close_time(state) == 360
    assert FOLD.end_status(state, 360) is IncidentStatus.RESOLVED


def test_a_refire_within_the_hold_is_a_flap() -> None:
    state = opened()
    join(state, 200, firing=False)
    join(state, 210, starts_at=205)
    assert (state.flaps, state.hold_end) == (1, NEVER)


def test_a_late_repeat_of_a_resolved_member_is_no_flap() -> None:
    state = opened()
    join(state, 200, firing=False)
    join(state, 210)
    assert (state.flaps, state.hold_end) == (0, 260)


def test_a_firing_alert_without_starts_at_fires_again() -> None:
    state = opened(starts_at=0)
    join(state, 200, firing=False, starts_at=0)
    join(state, 210, starts_at=0)
    assert (state.flaps, state.hold_end) == (1, NEVER)


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "resolves"),
    [(1000, 2000, True), (0, 0, True), (900, 2000, True), (900, 950, False), (1500, 0, True)],
)
def test_a_resolved_alert_resolves_a_member_that_fires_since_before(
    starts_at: int, ends_at: int, *, resolves: bool
) -> None:
    state = opened()
    join(state, 200, firing=False, starts_at=starts_at, ends_at=ends_at)
    assert (state.hold_end == 260) is resolves


def test_silence_closes_an_incident_and_an_unchanged_member_reopens_it() -> None:
    state = opened()
    state.revision, state.last_due = 1, 130
    first = state.incident_id
    close(state, 5000)
    assert state.status is IncidentStatus.ASSUMED_RESOLVED
    assert join(state, 5000) == 5000
    assert state.is_open
    assert state.incident_id == first


def test_after_the_retention_a_new_incident_opens() -> None:
    state = opened()
    first = state.incident_id
    close(state, 5000)
    join(state, 100 + FOLD.retention)
    assert state.incident_id != first
    assert state.previous_incident_id == first


def test_after_a_resolution_the_next_alert_opens_a_new_incident() -> None:
    state = opened()
    first = state.incident_id
    join(state, 200, firing=False)
    close(state, 300)
    join(state, 300)
    assert state.incident_id != first
    assert state.previous_incident_id == first
    assert [episode.closed_offset for episode in state.lineage] == [300, None]


def test_the_incident_id_depends_on_the_opening_record_and_the_group_only() -> None:
    assert opened().incident_id == opened(name="Other", severity=Severity.CRITICAL).incident_id
    other = State("shop/db")
    join(other, 100)
    assert other.incident_id != opened().incident_id


def test_after_an_overflow_of_members_only_silence_ends_an_incident() -> None:
    state = opened()
    for member in range(2, MEMBERS_MAX + 50):
        join(state, 200, member=member)
    assert state.overflow
    assert len(state.firing) == MEMBERS_MAX
    for member in range(1, MEMBERS_MAX + 50):
        join(state, 300, member=member, firing=False)
    assert not state.firing
    assert state.hold_end == NEVER


def test_names_beyond_the_limit_are_counted_and_trigger_nothing() -> None:
    state = opened()
    due = [join(state, 200, name=f"N{n}") for n in range(NAMES_MAX * 2)]
    assert due[-1] == NEVER
    assert len(state.alert_names) == NAMES_MAX
    assert sum(state.alert_names.values()) + state.other_alerts == state.alert_count


def test_may_trigger_is_true_for_every_trigger() -> None:
    state = opened()
    for change in ({"name": "X"}, {"severity": Severity.HIGH}, {"service": "y"}):
        alert = replace(BASE, **change)
        assert FOLD.may_trigger(state, alert)
    assert not FOLD.may_trigger(state, replace(BASE, member=7))


@pytest.mark.parametrize("change", [END_PUBLISHED, {"membership_frozen_at": 200}, CLOSED])
def test_a_repeat_that_may_change_more_than_counts_is_not_folded_as_one(change: dict[str, Any]) -> None:
    state = opened()
    for name, value in change.items():
        setattr(state, name, value)
    assert not FOLD.repeat(state, BASE, 200, 200)
    assert state.alert_count == 1


@pytest.mark.parametrize("change", [END_PUBLISHED, CLOSED])
def test_any_firing_alert_may_cancel_an_end(change: dict[str, Any]) -> None:
    state = opened()
    assert not FOLD.may_trigger(state, BASE)
    for name, value in change.items():
        setattr(state, name, value)
    assert FOLD.may_trigger(state, BASE)
    assert not FOLD.may_trigger(state, replace(BASE, firing=False))


def end_published(**changes: Any) -> State:
    """Return an incident whose end is published, though stream time has not closed it."""
    state = opened()
    for name, value in {**END_PUBLISHED, "revision": 2, "last_due": 130, **changes}.items():
        setattr(state, name, value)
    return state


def test_any_firing_alert_cancels_a_published_end_that_was_assumed() -> None:
    state = end_published(status=IncidentStatus.ASSUMED_RESOLVED)
    assert join(state, 200) == 130 + 600
    assert (state.end_published, state.status) == (False, IncidentStatus.FIRING)


def test_a_refire_in_the_hold_cancels_a_published_end() -> None:
    state = end_published(status=IncidentStatus.RESOLVED, hold_end=260)
    assert join(state, 250, starts_at=240) == 130 + 600
    assert (state.end_published, state.hold_end, state.flaps) == (False, NEVER, 1)


def test_a_late_repeat_of_a_resolved_member_does_not_cancel_a_published_end() -> None:
    """It is counted and is no flap: the hold continues, and the end remains published."""
    state = opened()
    join(state, 200, firing=False)
    state.publish_end(IncidentStatus.RESOLVED)
    state.revision = 2
    assert join(state, 210) == NEVER
    assert (state.end_published, state.status, state.hold_end) == (True, IncidentStatus.RESOLVED, 260)


@pytest.mark.parametrize(("offset", "frozen"), [(200, True), (201, False)])
def test_up_to_the_offset_of_a_frozen_membership_only_evidence_is_added(offset: int, *, frozen: bool) -> None:
    """Re-reading adds evidence only, until it has passed the offset that members and timers are as of."""
    state = opened()
    state.membership_frozen_at = 200
    FOLD.join(state, replace(BASE, member=2, name="B"), offset, offset, offset)
    assert (state.last_alert_at, 2 in state.firing) == ((100, False) if frozen else (offset, True))
    assert state.alert_names == {"HighErrorRate": 1, "B": 1}
    FOLD.join(state, replace(BASE, firing=False), offset, offset, offset)
    assert (1 in state.firing) is frozen
    assert state.alert_count == 3


@pytest.mark.parametrize("change", [{"service": ""}, {"severity": Severity.INFO}, {"ends_at": 7}])
def test_an_unchanged_repeat_may_have_no_service_and_a_lower_severity(change: dict[str, Any]) -> None:
    state = opened()
    assert FOLD.repeat(state, replace(BASE, **change), 200, 200)
    assert (state.alert_count, state.alert_names, state.last_offset) == (2, {"HighErrorRate": 2}, 200)


def test_a_replay_opens_an_incident_where_an_earlier_generation_did_and_does_not_reopen() -> None:
    """A replay may have fewer members than the earlier run; the incident ids are equal nevertheless."""
    state = opened()
    first = state.incident_id
    close(state, 5000)
    state.record_in_lineage(state.lineage[0]._replace(incident_id="known", opened_offset=5000))
    join(state, 5000)
    assert (state.opened_offset, state.previous_incident_id, len(state.lineage)) == (5000, first, 2)


def test_distinct_alerts_counts_new_members() -> None:
    state = opened()
    for now, change in ((110, {}), (120, {"member": 2}), (130, {"starts_at": 1001}), (140, {"member": 2})):
        join(state, now, **change)
    assert state.distinct_alerts == 2
    join(state, 150, member=2, firing=False)
    join(state, 160, member=2, starts_at=1002)
    assert (state.distinct_alerts, state.alert_count) == (2, 7)


def test_the_first_alerts_of_each_name_and_more_severe_ones_become_exemplars() -> None:
    """Evidence is bounded."""
    state = opened()
    for member in range(2, 9):
        join(state, 200, member=member, message=str(member))
    assert len(state.exemplars) == 3
    join(state, 210, severity=Severity.HIGH)
    assert len(state.exemplars) == 4
    for number in range(30):
        join(state, 220, name=f"N{number}")
    join(state, 230, name="N30", severity=Severity.CRITICAL)
    assert len(state.exemplars) == 16


@pytest.mark.parametrize("rise", [(Severity.CRITICAL,), (Severity.HIGH, Severity.CRITICAL)])
def test_the_alert_that_raises_the_severity_is_kept_whatever_came_before(rise: tuple[Severity, ...]) -> None:
    state = opened(severity=Severity.WARNING)
    for number in range(30):
        join(state, 200, name=f"N{number}", severity=Severity.WARNING)
    for severity in rise:
        join(state, 210, name=severity, severity=severity)
    kept = [exemplar_from(each).name for each in state.exemplars]
    assert kept[-len(rise) :] == list(rise)
    assert len(kept) <= 16
