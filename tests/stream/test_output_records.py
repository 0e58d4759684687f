"""The messages of one transaction, and what is sent in place of a refused one, without brokers."""

from collections.abc import Sequence
from dataclasses import replace
from unittest.mock import patch

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from openclaw_stream.errors import RetryableError
from openclaw_stream.events.decision import (
    GoldenSignals,
    IncidentOwner,
    Judgement,
    Provenance,
    Resolution,
    Suggestion,
    Validation,
)
from openclaw_stream.events.size_limit import EVENT_BYTES
from openclaw_stream.settings import Settings, ShadowSettings
from openclaw_stream.stream.kafka.topic_rules import DECISION_BYTES
from openclaw_stream.stream.kafka.transactional_producer import Message
from openclaw_stream.stream.output_records import OutputRecords
from openclaw_stream.stream.state.state_codec import GENERATION_KEY
from openclaw_stream.stream.state.transaction_plan import DeadLetter, TransactionPlan
from openclaw_stream.vocabulary import TuningType
from tests.stream import largest as largest_events
from tests.stream.bench import FIRES, Partition, played
from tests.stream.largest import EXEMPLARS_MAX, large_state, largest
from tests.stream.results import result

SETTINGS = Settings()
TOPICS = SETTINGS.topics
RECORDS = OutputRecords(SETTINGS, "alerts", 3)
RESTART = Suggestion(type=TuningType.RESTART, description="x", kubectl_or_config="kubectl delete namespace shop")
CACHE = Suggestion(type=TuningType.CACHE, description="cache the catalogue")


def gathered() -> Partition:
    """Return a partition with one revision that is due: alerts at the offsets 0 and 1."""
    partition = Partition()
    for now in (0, 10):
        partition.read(now, FIRES)
    return partition


def published(
    partition: Partition, records: OutputRecords = RECORDS, suggestions: Sequence[Suggestion] = ()
) -> list[Message]:
    """Decide and plan everything, and return the messages of the transaction."""
    ledger = partition.ledger
    while ledger.ready:
        revision, decided = ledger.ready.popleft(), result(suggestions=suggestions)
        assert revision.snapshot
        ledger.complete(revision, decided, decided.as_published(revision.snapshot.incident_id, 1))
    plan = ledger.plan(lazy=True)
    assert plan
    return records.messages(plan, ledger)


def header(message: Message, name: str) -> str:
    return dict(message.headers)[name].decode()


# ---- messages


def test_states_come_first_and_go_to_the_partition_of_the_input() -> None:
    messages = published(gathered(), suggestions=[CACHE])
    assert [message.topic for message in messages] == [
        TOPICS.incidents,
        TOPICS.incidents,
        TOPICS.decisions,
        TOPICS.tuning,
    ]
    assert {message.key for message in messages[:2]} == {b"g", GENERATION_KEY.encode()}
    assert [message.partition for message in messages] == [3, 3, None, None]


def test_an_expired_state_becomes_a_tombstone() -> None:
    plan = TransactionPlan([], [("g", None)], [], 10, "")
    [tombstone] = RECORDS.messages(plan, played().ledger)
    assert (tombstone.topic, tombstone.key, tombstone.value) == (TOPICS.incidents, b"g", None)


def test_a_decision_is_keyed_by_its_incident_and_names_the_records_that_it_covers() -> None:
    partition = gathered()
    [message] = [each for each in published(partition) if each.topic == TOPICS.decisions]
    decision = orjson.loads(message.value or b"")
    assert message.key == decision["incident_id"].encode() == partition.state.incident_id.encode()
    assert decision["source"] == {"topic": "alerts", "partition": 3, "first_offset": 0, "last_offset": 0}
    assert message.about == 0
    assert (decision["generation"], decision["revision"], decision["replayed"]) == (1, 1, False)
    assert header(message, "ce_source") == "/alerts/3"
    assert header(message, "ce_type") == "openclaw.decision.v1"


def test_a_decision_quotes_its_alerts_and_a_tuning_event_refers_to_it() -> None:
    messages = published(gathered(), suggestions=[CACHE])
    [decision] = [orjson.loads(each.value or b"") for each in messages if each.topic == TOPICS.decisions]
    [tuning] = [orjson.loads(each.value or b"") for each in messages if each.topic == TOPICS.tuning]
    assert [(each["name"], each["status"], each["count"]) for each in decision["incident"]["evidence"]] == [
        ("A", "firing", 1)
    ]
    assert decision["incident"]["evidence_left_out"] == 0
    assert decision["resolution"] is None
    assert tuning["decision_id"] == decision["decision_id"]
    assert "evidence" not in tuning


@settings(max_examples=10)
@example("😀")
@example('"')
@example("\x01")
@example("慢")
@given(st.characters(exclude_categories=["Cs"]))
def test_no_decision_is_larger_than_its_limit(wide: str) -> None:
    """Whatever alerts and models contain, in every text at its limit; key and headers fit the rest of the topic's."""
    with patch.object(largest_events, "WIDE", wide):
        message = largest_decision()
    assert EVENT_BYTES // 4 < len(message.value or b"") <= EVENT_BYTES
    headers = sum(len(name) + len(value) + 10 for name, value in message.headers)
    assert len(message.value or b"") + len(message.key or b"") + headers + 200 <= DECISION_BYTES


def largest_decision() -> Message:
    """Return the decision on an incident with every collection full, by a model that fills every field."""
    wide, partition = largest_events.WIDE, gathered()
    [revision] = partition.ledger.ready
    revision.snapshot = large_state(exemplars=EXEMPLARS_MAX)
    revision.snapshot.next_revision(0)
    long = {"warnings": [wide * 200] * 32}
    decided = replace(
        result(),
        judgement=largest(Judgement, **long),
        provenance=largest(Provenance, **long),
        validation=largest(Validation, **long),
        metrics=largest(GoldenSignals, unavailable=wide * 2000),
        trace_url=wide * 5000,
        resolution=largest(Resolution, **long),
        owner=largest(IncidentOwner),
    )
    partition.ledger.complete(revision, decided, None)
    plan = TransactionPlan([revision], [], [], 10, "")
    [message] = RECORDS.messages(plan, partition.ledger)
    return message


def test_a_replayed_decision_has_the_same_decision_id_and_another_event_id() -> None:
    again = gathered()
    again.commit()
    again.reset(0)
    for now in (0, 10):
        again.read(now, FIRES)
    first, second = (
        next(message for message in published(each) if message.topic == TOPICS.decisions)
        for each in (gathered(), again)
    )
    before, after = orjson.loads(first.value or b""), orjson.loads(second.value or b"")
    assert before["decision_id"] == after["decision_id"]
    assert (after["generation"], after["replayed"]) == (2, True)
    assert header(first, "ce_id") != header(second, "ce_id")


@pytest.mark.parametrize("shadow", [True, False])
def test_each_suggestion_becomes_a_tuning_event(shadow: bool) -> None:  # noqa: FBT001
    chosen = SETTINGS.model_copy(update={"shadow_mode": ShadowSettings(enabled=shadow)})
    messages = published(gathered(), OutputRecords(chosen, "alerts", 3), [CACHE, RESTART])
    events = [orjson.loads(message.value or b"") for message in messages if message.topic == TOPICS.tuning]
    assert [event["type"] for event in events] == ["CACHE", "RESTART"]
    assert [event["shadow_mode"] for event in events] == [shadow, shadow]
    assert [event["approval_id"] is None for event in events] == [shadow, shadow]
    assert len({header(message, "ce_id") for message in messages if message.topic == TOPICS.tuning}) == 2


def test_a_dead_letter_has_key_value_and_headers_of_its_record() -> None:
    letter = DeadLetter(7, 5, b"k", b"v", [("traceparent", b"t")], "not JSON", (0, 2))
    [message] = RECORDS.messages(TransactionPlan([], [], [letter], 8, ""), played().ledger)
    assert (message.topic, message.key, message.value, message.about) == (TOPICS.dead_letter, b"k", b"v", 7)
    own = {name.removeprefix("openclaw-dlq-"): value.decode() for name, value in message.headers}
    assert own == {
        "traceparent": "t",
        "reason": "not JSON",
        "topic": "alerts",
        "partition": "3",
        "offset": "7",
        "timestamp": "5",
        "generation": "1",
        "bad-indexes": "0,2",
    }


# ---- what is sent in place of a refused message


def substitute(refused: Message) -> Message | None:
    return RECORDS.substitute(refused, "too large", played().ledger)


def test_a_refused_decision_becomes_a_dead_letter_with_the_coordinates_and_the_reason() -> None:
    replaced = substitute(Message(TOPICS.decisions, b"incident", b"v", [("ce_id", b"x")], about=41))
    assert replaced
    assert (replaced.topic, replaced.key, replaced.value) == (TOPICS.dead_letter, b"alerts-3-41", b"")
    assert header(replaced, "openclaw-dlq-offset") == "41"
    assert header(replaced, "openclaw-dlq-reason") == "too large"
    assert "ce_id" not in dict(replaced.headers), "a header may be the cause"


def test_a_refused_dead_letter_gets_a_key_then_loses_its_value_then_is_dropped() -> None:
    refused = Message(TOPICS.dead_letter, None, b"poison", [("baggage", b"large")], about=7)
    with_key = substitute(refused)
    assert with_key == refused._replace(key=b"alerts-3-7")
    bare = substitute(with_key)
    assert bare
    assert (bare.key, bare.value, bare.about) == (b"alerts-3-7", b"", 7)
    assert all(name.startswith("openclaw-dlq-") for name, _ in bare.headers)
    assert substitute(bare) is None


def test_a_refused_state_loses_its_exemplars_then_its_judgement_and_nothing_else() -> None:
    [state] = [message for message in published(gathered()) if message.key == b"g"]
    smaller = substitute(state)
    assert smaller
    smallest = substitute(smaller)
    assert smallest
    documents = [orjson.loads(each.value or b"") for each in (state, smaller, smallest)]
    kept = [(bool(each["fold"].pop("exemplars")), bool(each["fold"].pop("judgement"))) for each in documents]
    assert kept == [(True, True), (False, True), (False, False)]
    assert documents[0] == documents[1] == documents[2]
    assert smallest._replace(value=state.value) == state


@pytest.mark.parametrize("key", [b"g", GENERATION_KEY.encode()])
def test_a_refused_state_without_exemplars_and_judgement_is_an_error(key: bytes) -> None:
    [state] = [message for message in published(gathered()) if message.key == key]
    without: Message | None = state
    for _ in range(2 if key == b"g" else 0):
        assert without
        without = substitute(without)
    assert without
    with pytest.raises(RetryableError, match=r"too large; it is the state of group .*, which nothing can replace"):
        substitute(without)
