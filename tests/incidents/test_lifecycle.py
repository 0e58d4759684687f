"""The transitions of an incident's life."""

from collections.abc import Callable

import pytest

from openclaw_stream.incidents.lifecycle import Lifecycle
from openclaw_stream.incidents.state import State
from openclaw_stream.vocabulary import IncidentStatus

NONE, OPEN, END_PUBLISHED, CLOSED = Lifecycle

ACTIONS: dict[str, Callable[[State], None]] = {
    "begin": lambda state: state.begin("id", 1, 1, ""),
    "reopen": lambda state: state.reopen(1, 1),
    "publish_end": lambda state: state.publish_end(IncidentStatus.RESOLVED),
    "cancel_end": lambda state: state.cancel_end(),
    "close": lambda state: state.close(IncidentStatus.RESOLVED, 5),
}
PATHS: dict[Lifecycle, list[str]] = {
    NONE: [],
    OPEN: ["begin"],
    END_PUBLISHED: ["begin", "publish_end"],
    CLOSED: ["begin", "close"],
}


def state_in(lifecycle: Lifecycle) -> State:
    state = State("g")
    for action in PATHS[lifecycle]:
        ACTIONS[action](state)
    assert state.lifecycle is lifecycle
    return state


@pytest.mark.parametrize(
    ("before", "action", "after"),
    [
        (NONE, "begin", OPEN),
        (OPEN, "publish_end", END_PUBLISHED),
        (OPEN, "close", CLOSED),
        (END_PUBLISHED, "cancel_end", OPEN),
        (END_PUBLISHED, "close", CLOSED),
        (CLOSED, "begin", OPEN),
        (CLOSED, "reopen", OPEN),
    ],
)
def test_every_transition_of_the_diagram_is_possible(before: Lifecycle, action: str, after: Lifecycle) -> None:
    state = state_in(before)
    ACTIONS[action](state)
    assert state.lifecycle is after
    assert state.is_open is (after in {OPEN, END_PUBLISHED})
    assert (state.status is IncidentStatus.FIRING) is (after is OPEN)


@pytest.mark.parametrize(
    ("before", "action"),
    [
        (NONE, "publish_end"),
        (NONE, "close"),
        (OPEN, "begin"),
        (OPEN, "reopen"),
        (OPEN, "cancel_end"),
        (END_PUBLISHED, "publish_end"),
        (CLOSED, "publish_end"),
        (CLOSED, "close"),
    ],
)
def test_any_other_transition_is_refused(before: Lifecycle, action: str) -> None:
    state = state_in(before)
    with pytest.raises(ValueError, match=f"it is '{before.value}'"):
        ACTIONS[action](state)
    assert state.lifecycle is before
