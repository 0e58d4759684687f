"""The two shortcuts of the fold, `repeat` and `may_trigger`, against what `join` does with the same alert."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.incidents.fold import Fold
from openclaw_stream.incidents.lifecycle import Lifecycle
from openclaw_stream.incidents.state import NAMES_MAX, NEVER, SERVICES_MAX, LineageRecord, State
from openclaw_stream.incidents.timers import Timers
from openclaw_stream.vocabulary import IncidentStatus, Severity

FOLD = Fold("alerts", 0, Timers(), retention=1000)
NOW = OFFSET = 100
REPEAT = Alert("a", Severity.HIGH, True, 5, 0, "f", 1, "g", service="s")  # noqa: FBT003

ODD_STATES: dict[str, dict[str, Any]] = {
    "closed": {"lifecycle": Lifecycle.CLOSED, "status": IncidentStatus.RESOLVED},
    "assumed closed": {"lifecycle": Lifecycle.CLOSED, "status": IncidentStatus.ASSUMED_RESOLVED},
    "end published": {"lifecycle": Lifecycle.END_PUBLISHED, "status": IncidentStatus.ASSUMED_RESOLVED},
    "in its hold": {"hold_end": 200},
    "membership frozen before": {"membership_frozen_at": OFFSET - 1},
    "membership frozen here": {"membership_frozen_at": OFFSET},
    "membership frozen beyond": {"membership_frozen_at": OFFSET + 1},
    "member resolved": {"firing": {2: 5}, "resolved": {1: 5, 3: 0}},
    "full of names": {"alert_names": dict.fromkeys(["a", *map(str, range(NAMES_MAX - 1))], 1)},
    "full of services": {"services": ("s", *map(str, range(SERVICES_MAX - 1)))},
    "without evidence": {"alert_names": {}, "services": (), "severity": -1, "alert_count": 0, "first_offset": -1},
    "undecided": {"revision": 0, "last_due": 0},
}
ODD_ALERTS: dict[str, dict[str, Any]] = {
    "of another member": {"member": 3},
    "of a new member": {"member": 4},
    "started again": {"starts_at": 6},
    "without a start": {"starts_at": 0},
    "of another name": {"name": "b"},
    "of another service": {"service": "t"},
    "of no service": {"service": ""},
    "more severe": {"severity": Severity.CRITICAL},
    "less severe": {"severity": Severity.WARNING},
    "resolved": {"firing": False, "ends_at": 90},
}


@st.composite
def states(draw: st.DrawFn) -> State:
    """Return a group with an incident that `REPEAT` repeats, with up to two changes."""
    state = State("g")
    state.begin("id", 10, 10, "")
    state.firing, state.resolved = {1: 5, 2: 5}, {3: 5}
    state.last_alert_at, state.first_offset, state.last_offset = 90, 10, 90
    state.alert_names, state.services, state.severity, state.alert_count = {"a": 4}, ("s",), Severity.HIGH.rank, 4
    state.revision, state.last_due = 1, 50
    for change in draw(st.lists(st.sampled_from(sorted(ODD_STATES)), max_size=2)):
        for name, value in ODD_STATES[change].items():
            setattr(state, name, value)
    state.lineage = (LineageRecord("id", 10, 10, None if state.is_open else 95, state.status),)
    return state.copy()


@st.composite
def alerts(draw: st.DrawFn) -> Alert:
    alert = REPEAT
    for change in draw(st.lists(st.sampled_from(sorted(ODD_ALERTS)), max_size=2)):
        alert = replace(alert, **ODD_ALERTS[change])
    return alert


def _fields(state: State) -> dict[str, Any]:
    return {name: getattr(state, name) for name in State.__slots__}


@given(states(), alerts())
def test_repeat_returns_the_result_of_join(state: State, alert: Alert) -> None:
    """Most alerts are repeats: they cost little, and their result is the same."""
    before, joined = _fields(state.copy()), state.copy()
    expected = FOLD.join(joined, alert, OFFSET, NOW, NOW)
    if FOLD.repeat(state, alert, OFFSET, NOW):
        assert expected == (NEVER, True)
        assert _fields(state) == _fields(joined)
    else:
        assert _fields(state) == before


@given(states(), st.lists(alerts(), min_size=1, max_size=3))
def test_may_trigger_is_never_false_for_a_trigger(state: State, record: list[Alert]) -> None:
    """A revision needs the state before the record that triggered it, which is copied only if `may_trigger`."""
    may = any(FOLD.may_trigger(state, alert) for alert in record)
    due = min(FOLD.join(state, alert, OFFSET, NOW, NOW)[0] for alert in record)
    assert may or due == NEVER
