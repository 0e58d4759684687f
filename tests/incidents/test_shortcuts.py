"""The two shortcuts of the fold, `repeat` and `may_trigger`, against what `join` does with the same alert."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.events.vocabulary import IncidentStatus, Severity
from openclaw_stream.incidents.alert import Alert
from openclaw_stream.incidents.fold import Fold
from openclaw_stream.incidents.state import NAMES_MAX, NEVER, SERVICES_MAX, UNKNOWN, Episode, State
from openclaw_stream.incidents.timers import Timers

FOLD = Fold("alerts", 0, Timers(), retention=1000)
NOW = OFFSET = 100

members = st.dictionaries(st.integers(1, 3), st.sampled_from((0, 5)), max_size=3)
severities = st.sampled_from((Severity.WARNING, Severity.HIGH, Severity.CRITICAL))
alerts = st.builds(
    Alert,
    name=st.sampled_from(("a", "b")),
    severity=severities,
    firing=st.sampled_from((True, True, True, False)),
    starts_at=st.sampled_from((0, 5)),
    ends_at=st.sampled_from((0, 90)),
    fingerprint=st.just("f"),
    member=st.integers(1, 4),
    group_key=st.just("g"),
    service=st.sampled_from(("", "s", "t")),
)


@st.composite
def states(draw: st.DrawFn) -> State:
    """Return a group with an incident opened at offset 10, in any condition it may be found in."""
    state = State("g")
    state.begin("id", 10, 10, "")
    state.firing = draw(members)
    state.resolved = {k: v for k, v in draw(members).items() if k not in state.firing}
    state.open = draw(st.sampled_from((True, True, True, False)))
    state.early = draw(st.booleans()) and state.open
    state.status = IncidentStatus.ASSUMED_RESOLVED if state.early or not state.open else IncidentStatus.FIRING
    state.hold_end = draw(st.sampled_from((NEVER, 200)))
    state.frozen = draw(st.sampled_from((UNKNOWN, UNKNOWN, OFFSET - 1, OFFSET)))
    state.last_alert_at, state.last_offset = 90, 90
    names = draw(st.sampled_from(((), ("a",), ("a", "b"), ("a", *map(str, range(NAMES_MAX - 1))))))
    state.names = dict.fromkeys(names, 3)
    services = (("s",), ("s", "t"), ("s", *map(str, range(SERVICES_MAX - 1))))
    state.services = draw(st.sampled_from(((), *services)))
    state.severity, state.first_offset = (draw(severities).rank, 10) if names else (UNKNOWN, UNKNOWN)
    state.revision, state.last_due = draw(st.integers(0, 2)), 50
    state.lineage = (Episode("id", 10, 10, None if state.open else 95, state.status),)
    return state


def _fields(state: State) -> dict[str, Any]:
    return {name: getattr(state, name) for name in State.__slots__}


@given(states(), alerts)
def test_a_repeat_is_folded_as_join_would(state: State, alert: Alert) -> None:
    """O(1) work for what most alerts are, and never another result for it."""
    before, joined = _fields(state.copy()), state.copy()
    wanted = FOLD.join(joined, alert, OFFSET, NOW, NOW)
    if FOLD.repeat(state, alert, OFFSET, NOW):
        assert wanted == (NEVER, True)
        assert _fields(state) == _fields(joined)
    else:
        assert _fields(state) == before


@given(states(), st.lists(alerts, min_size=1, max_size=3))
def test_a_trigger_is_never_missed(state: State, record: list[Alert]) -> None:
    """The state before a record whose alert asks for a revision is kept as its image: without it none is made."""
    may = any(FOLD.may_trigger(state, alert) for alert in record)
    due = min(FOLD.join(state, alert, OFFSET, NOW, NOW)[0] for alert in record)
    assert may or due == NEVER
