"""Group states: encoded and decoded."""

import random

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_stream.alerts.subject import Subject
from openclaw_stream.errors import FatalError
from openclaw_stream.events.arbitration_result import PublishedDecision
from openclaw_stream.incidents.lifecycle import Lifecycle
from openclaw_stream.incidents.state import LineageRecord, State
from openclaw_stream.stream.state.ledger import Ledger
from openclaw_stream.stream.state.state_codec import GENERATION_KEY, DecodedState, encode, generation_record
from openclaw_stream.vocabulary import IncidentStatus
from tests.stream.logs import make_log
from tests.stream.simulated_partition import SCENARIOS
from tests.stream.simulation import Machine

FIRING = IncidentStatus.FIRING
LAST = PublishedDecision("id-1", 2, "DB", ("BE",), "medium", 0.9, "rules", judgement=b"\x00\xffjudgement")


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


@settings(max_examples=30)
@given(st.randoms(use_true_random=False))
def test_a_decoded_state_equals_the_encoded_one(r: random.Random) -> None:
    for group in _ledger(r).groups.values():
        restored = DecodedState(encode(group.state, "me", 3, group.last_decision))
        assert _same(restored.state, group.state)
        if group.state.is_open and group.last_decision:
            assert restored.last_decision in {group.last_decision, None}
        assert (restored.generation, restored.group_id) == (3, "me")


def test_every_field_is_encoded_and_decoded() -> None:
    state, empty = State("g"), State("g")
    state.begin("id-2", 5, 1000, "id-1")
    state.through, state.replayed_through, state.membership_frozen_at = 17, 11, 13
    state.lineage = (
        LineageRecord("id-1", 2, 900, 4, IncidentStatus.RESOLVED),
        LineageRecord("id-2", 5, 1000, None, FIRING),
    )
    state.status, state.revision, state.last_due, state.hold_end = IncidentStatus.RESOLVED, 3, 1100, 1900
    state.firing, state.resolved = {1 << 63: 800}, {7: 0, (1 << 64) - 1: 801}
    state.overflow = True
    state.last_alert_at, state.severity, state.alert_names, state.other_alerts = 1200, 2, {"A": 3}, 4
    state.services, state.exemplars = ("web",), (b'{"name":"A"}',)
    state.alert_count, state.distinct_alerts, state.flaps = 9, 2, 1
    state.first_offset, state.last_offset = 5, 16
    state.subject = Subject("deployment", "shop", "web")
    state.namespace, state.service, state.traceparent = "shop", "web", "00-aa-bb-01"
    written = set(State.__slots__) - {"group_key", "version"}
    assert [name for name in written if getattr(state, name) == getattr(empty, name)] == [], (
        "every field differs from its default"
    )
    for lifecycle in set(Lifecycle) - {Lifecycle.NONE}:
        state.lifecycle = lifecycle
        assert _same(DecodedState(encode(state, "me", 1, None)).state, state)


@pytest.mark.parametrize(
    ("is_open", "early", "lifecycle"),
    [
        (True, False, Lifecycle.OPEN),
        (True, True, Lifecycle.END_PUBLISHED),
        (False, False, Lifecycle.CLOSED),
        (False, True, Lifecycle.CLOSED),
    ],
)
def test_states_of_earlier_releases_are_decoded(*, is_open: bool, early: bool, lifecycle: Lifecycle) -> None:
    """They keep `early` when stream time closes the incident."""
    state = State("g")
    state.begin("id-1", 5, 1000, "")
    document = orjson.loads(encode(state, "me", 1, None))
    document["fold"] |= {"open": is_open, "early": early}
    assert DecodedState(orjson.dumps(document)).state.lifecycle is lifecycle


def test_the_last_decision_is_kept_with_its_incident_only() -> None:
    state = State("g")
    state.begin("id-1", 5, 1000, "")
    assert DecodedState(encode(state, "me", 1, LAST)).last_decision == LAST
    assert DecodedState(encode(state, "me", 1, LAST._replace(incident_id="id-0"))).last_decision is None


def test_the_judgement_of_the_last_decision_is_no_part_of_the_public_contract() -> None:
    state = State("g")
    state.begin("id-1", 5, 1000, "")
    document = orjson.loads(encode(state, "me", 1, LAST))
    assert "judgement" not in document["incident"]["last_decision"]
    assert document["fold"]["judgement"] == "AP9qdWRnZW1lbnQ="


@pytest.mark.parametrize(
    ("status", "kept"), [(IncidentStatus.RESOLVED, False), (IncidentStatus.ASSUMED_RESOLVED, True)]
)
def test_the_judgement_is_kept_as_long_as_the_incident_may_continue(status: IncidentStatus, *, kept: bool) -> None:
    state = State("g")
    state.begin("id-1", 5, 1000, "")
    state.close(status, 9)
    restored = DecodedState(encode(state, "me", 1, LAST)).last_decision
    assert restored == (LAST if kept else LAST._replace(judgement=b""))


def test_a_state_of_an_earlier_version_has_no_judgement() -> None:
    state = State("g")
    state.begin("id-1", 5, 1000, "")
    document = orjson.loads(encode(state, "me", 1, LAST))
    del document["fold"]["judgement"]
    assert DecodedState(orjson.dumps(document)).last_decision == LAST._replace(judgement=b"")


def test_the_generation_record_is_a_state_without_incident() -> None:
    document = orjson.loads(generation_record("me", 7, -1))
    assert (document["schema_version"], document["group_key"], document["generation"]) == (1, GENERATION_KEY, 7)
    assert document["incident"] is None
    assert DecodedState(generation_record("me", 7, -1)).generation == 7


@pytest.mark.parametrize("value", [b"", b"{}", b"[]", b'{"schema_version": 1}', b'{"schema_version": 99}', b"\xff"])
def test_any_other_value_is_refused(value: bytes) -> None:
    with pytest.raises(FatalError, match="incidents topic"):
        DecodedState(value)


def test_members_that_are_not_base64_are_refused() -> None:
    state = State("g")
    state.begin("id-1", 5, 1000, "")
    state.firing = {7: 800}
    value = encode(state, "me", 1, None)
    packed = value[value.index(b'"firing":"') + 10 :].partition(b'"')[0]
    with pytest.raises(FatalError, match="incidents topic"):
        DecodedState(value.replace(packed, packed[:4] + b"!!!!" + packed[4:]))
