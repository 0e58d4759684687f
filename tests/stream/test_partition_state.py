"""The legal transitions between the states of a partition."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.stream.partition_state import (
    TRANSITIONS,
    IllegalTransitionError,
    PartitionLifecycle,
    PartitionState,
)

RESTORING, RUNNING, PAUSED = PartitionState.RESTORING, PartitionState.RUNNING, PartitionState.PAUSED
BLOCKED, CLOSING, CLOSED = PartitionState.BLOCKED, PartitionState.CLOSING, PartitionState.CLOSED

PATHS = {
    RESTORING: (),
    RUNNING: (RUNNING,),
    PAUSED: (RUNNING, PAUSED),
    BLOCKED: (RUNNING, BLOCKED),
    CLOSING: (CLOSING,),
    CLOSED: (CLOSED,),
}
"""How a new partition reaches each state."""

LEGAL = {
    (RESTORING, RUNNING),
    (RUNNING, PAUSED),
    (RUNNING, BLOCKED),
    (PAUSED, RUNNING),
    (PAUSED, BLOCKED),
    (BLOCKED, RUNNING),
    *((serving, RESTORING) for serving in (RUNNING, PAUSED, BLOCKED)),
    *((state, end) for state in (RESTORING, RUNNING, PAUSED, BLOCKED) for end in (CLOSING, CLOSED)),
    (CLOSING, CLOSED),
}


def lifecycle_in(state: PartitionState) -> PartitionLifecycle:
    lifecycle = PartitionLifecycle()
    for step in PATHS[state]:
        lifecycle.transition_to(step)
    return lifecycle


@pytest.mark.parametrize(("before", "after"), sorted(LEGAL))
def test_a_legal_transition_changes_the_state(before: PartitionState, after: PartitionState) -> None:
    lifecycle = lifecycle_in(before)
    lifecycle.transition_to(after)
    assert lifecycle.state is after


@pytest.mark.parametrize(("before", "after"), sorted(set(product(PartitionState, PartitionState)) - LEGAL))
def test_an_illegal_transition_names_both_states_and_changes_nothing(
    before: PartitionState, after: PartitionState
) -> None:
    lifecycle = lifecycle_in(before)
    with pytest.raises(IllegalTransitionError, match=f"from {before} to {after}"):
        lifecycle.transition_to(after)
    assert lifecycle.state is before


@given(st.lists(st.sampled_from(PartitionState), max_size=30))
def test_whatever_is_attempted_only_legal_transitions_happen(attempts: list[PartitionState]) -> None:
    lifecycle = PartitionLifecycle()
    for attempt in attempts:
        before = lifecycle.state
        try:
            lifecycle.transition_to(attempt)
        except IllegalTransitionError:
            assert (before, attempt) not in LEGAL
        else:
            assert (before, attempt) in LEGAL


def test_every_state_but_the_last_can_end_and_the_last_has_no_successor() -> None:
    for state in PartitionState:
        assert (CLOSED in TRANSITIONS[state]) is (state is not CLOSED)
    assert TRANSITIONS[CLOSED] == frozenset()


def test_serving_states_have_a_ledger_and_ending_states_accept_no_records() -> None:
    assert {state for state in PartitionState if state.is_serving} == {RUNNING, PAUSED, BLOCKED}
    assert {state for state in PartitionState if state.is_ending} == {CLOSING, CLOSED}
