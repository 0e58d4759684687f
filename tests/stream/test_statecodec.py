"""Group states as they are written and read back."""

import random

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.errors import FatalError
from openclaw_stream.incidents.state import State
from openclaw_stream.stream.ledger import Ledger
from openclaw_stream.stream.statecodec import MARKER_KEY, Restored, encode, marker
from openclaw_stream.stream.work import LastDecision
from tests.stream.simulation import SCENARIOS, Machine, make_log


def _same(one: State, other: State) -> bool:
    ignored = {"version"}
    return all(getattr(one, name) == getattr(other, name) for name in State.__slots__ if name not in ignored)


def _ledger(r: random.Random) -> Ledger:
    how = SCENARIOS["crashes and ticks"]
    log = make_log(r, create_time=False)
    machine = Machine(log, how, None)
    for _ in range(6 * len(log)):
        machine.step(r)
    return machine.ledger


@given(st.randoms(use_true_random=False))
def test_a_state_survives(r: random.Random) -> None:
    for group in _ledger(r).groups.values():
        restored = Restored(encode(group.state, "me", 3, group.last_decision))
        assert _same(restored.state, group.state)
        assert (restored.generation, restored.group_id) == (3, "me")


def test_the_last_decision_survives_with_its_incident() -> None:
    state = State("g")
    state.begin("id-1", 5, 1000, "")
    last = LastDecision("id-1", 2, "DB", ("BE",), "medium", 0.9, "rules")
    assert Restored(encode(state, "me", 1, last)).last_decision == last
    assert Restored(encode(state, "me", 1, last._replace(incident_id="id-0"))).last_decision is None


def test_the_marker_is_a_state_without_incident() -> None:
    document = orjson.loads(marker("me", 7))
    assert (document["group_key"], document["generation"], document["incident"]) == (MARKER_KEY, 7, None)
    assert Restored(marker("me", 7)).generation == 7


@pytest.mark.parametrize("value", [b"", b"{}", b"[]", b'{"schema_version": 1}', b'{"schema_version": 99}', b"\xff"])
def test_anything_else_is_refused_in_words(value: bytes) -> None:
    with pytest.raises(FatalError, match="incidents topic"):
        Restored(value)
