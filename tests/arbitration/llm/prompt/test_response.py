import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.arbitration.llm.prompt.response import RESPONSE_SCHEMA, Answer, AnswerError, AnswerFault, extract
from openclaw_stream.events.decision import BlastRadius, Judgement, Suggestion
from openclaw_stream.vocabulary import Action, DataImpact, Responsibility, Risk, TuningType

COMMAND = "kubectl scale deployment/checkout --replicas=30 -n shop"
ANSWER: dict[str, Any] = {
    "reasoning": "The pods of checkout are OOM killed since 10:02.",
    "primary_responsibility": "INFRA",
    "responsibility_reasoning": "Limits are set by INFRA.",
    "confidence": 85,
    "action_title": "Scale checkout",
    "suggested_action": "SCALE_DEPLOYMENT",
    "kubectl_command": COMMAND,
    "target_resource": "deployment/checkout",
    "namespace": "shop",
    "risk_level": "medium",
    "blast_radius": {
        "affected_pods": 30,
        "estimated_downtime": "none",
        "related_services": ["cart", "payment"],
        "data_impact": "NONE",
    },
    "secondary_teams": ["BE"],
    "description": "記憶體不足",
    "deviation_analysis": "",
    "signoz_correlation": "P99 rose to 900 ms",
    "affected_services": ["checkout", "cart"],
    "optimization_suggestions": [
        {"type": "HPA", "description": "Scale by CPU", "kubectl_or_config": "kubectl autoscale deployment/checkout"}
    ],
}
TEXT = json.dumps(ANSWER, ensure_ascii=False)
WHOLE = extract(TEXT)
WORDS: list[type[StrEnum]] = [Responsibility, Action, Risk, DataImpact, TuningType]


def text_with(**changes: Any) -> str:
    return json.dumps({**ANSWER, **changes}, ensure_ascii=False)


def fault(text: str) -> tuple[AnswerFault, str]:
    with pytest.raises(AnswerError) as caught:
        extract(text)
    return caught.value.reason, str(caught.value)


def commands(answer: Answer) -> Iterator[str]:
    """What names something or is run by somebody."""
    said = answer.judgement
    yield from (said.kubectl_command, said.target_resource, said.namespace, *said.affected_services)
    yield from said.blast_radius.related_services
    yield from (each.kubectl_or_config for each in said.optimization_suggestions)


def test_a_whole_answer() -> None:
    assert (WHOLE.repaired, WHOLE.dropped) == (False, ())
    said = WHOLE.judgement
    assert said.model_dump(exclude={"confidence"}, mode="json") == {
        k: v for k, v in ANSWER.items() if k != "confidence"
    }
    assert said.confidence == 0.85


@pytest.mark.parametrize(
    "text",
    [
        f"  {TEXT}\n",
        f"```json\n{TEXT}\n```",
        f"```\n{TEXT}\n```\nLet me know {{if}} you need more.",
        f"Here is my {{judgement}}:\n\n{TEXT}\n\nIt rests on the logs.",
        f'<think>Perhaps {{"primary_responsibility": "DB", "confidence": 1}}?</think>{TEXT}',
        f'{{"decision": {TEXT}}}',
        f"[{TEXT}]",
        f"{TEXT}\n{TEXT}",
        f'{{"note": "a first try"}} {TEXT}',
        json.dumps(ANSWER),
        json.dumps({**ANSWER, "more": {"a": 1}}),
    ],
)
def test_what_may_stand_around_it(text: str) -> None:
    assert extract(text) == WHOLE


@pytest.mark.parametrize(
    ("text", "reason", "words"),
    [
        ("", AnswerFault.NO_JSON, "no JSON object"),
        ("I cannot say.", AnswerFault.NO_JSON, "no JSON object"),
        (f"<think>{TEXT}", AnswerFault.NO_JSON, "no JSON object"),
        ("x" * 70_000, AnswerFault.NO_JSON, "longer than"),
        ('{"a":' * 9_000, AnswerFault.NO_JSON, "nested too deeply"),
        ('{"team": "DB"}', AnswerFault.SCHEMA, "no object of the JSON has primary_responsibility"),
        (TEXT + text_with(primary_responsibility="DB"), AnswerFault.SCHEMA, "several different answers"),
        (text_with(primary_responsibility="DB") + TEXT[:-1], AnswerFault.SCHEMA, "several different answers"),
        (text_with(primary_responsibility="OPS"), AnswerFault.SCHEMA, "primary_responsibility: Input should be 'FE'"),
        (text_with(primary_responsibility=None), AnswerFault.SCHEMA, "primary_responsibility: Field required"),
        (text_with(action_title=7), AnswerFault.SCHEMA, "action_title"),
        (text_with(description="\ud83d"), AnswerFault.SCHEMA, "description: Input should be a valid string"),
        (text_with(blast_radius="large"), AnswerFault.SCHEMA, "blast_radius"),
        (text_with(blast_radius={"affected_pods": -1}), AnswerFault.SCHEMA, "blast_radius.affected_pods"),
        (text_with(optimization_suggestions=["more memory"]), AnswerFault.SCHEMA, "optimization_suggestions.0"),
        (text_with(affected_services=[1]), AnswerFault.SCHEMA, "affected_services.0"),
        (TEXT[:60], AnswerFault.SCHEMA, "primary_responsibility"),
    ],
)
def test_what_is_no_answer(text: str, reason: AnswerFault, words: str) -> None:
    told = fault(text)
    assert told[0] is reason
    assert words in told[1]
    assert len(told[1]) <= 500


def test_the_message_quotes_nothing_of_the_text() -> None:
    planted = "planted-words"
    for field in ANSWER:
        text = text_with(**{field: {planted: planted}})
        try:
            extract(text)
        except AnswerError as error:
            assert planted not in str(error)  # noqa: PT017, some fields take anything


@pytest.mark.parametrize(
    ("said", "confidence"),
    [
        (85, 0.85),
        (100, 1.0),
        (0, 0.0),
        (1, 0.01),
        (1.0, 1.0),
        (0.0, 0.0),
        (0.62, 0.62),
        (62.5, 0.625),
        ("85", 0.85),
        ("85%", 0.85),
        ("62.5 %", 0.625),
        ("0.62", 0.62),
    ],
)
def test_confidence_is_a_fraction_or_a_percentage(said: object, confidence: float) -> None:
    assert extract(text_with(confidence=said)).judgement.confidence == pytest.approx(confidence)


@pytest.mark.parametrize("said", [101, -1, -0.1, 100.5, True, "high", "1e3", [], float("nan"), float("inf"), 10**400])
def test_what_is_no_confidence(said: object) -> None:
    reason, message = fault(text_with(confidence=said))
    assert (reason, message) == (AnswerFault.SCHEMA, "confidence: it must be a whole number from 0 to 100")


def test_words_in_another_case_nulls_and_what_is_too_long() -> None:
    answer = extract(
        text_with(
            primary_responsibility=" infra",
            risk_level="MEDIUM",
            description=None,
            reasoning="x" * 9000,
            secondary_teams=["BE", "FE", "DB", "INFRA", "BE"],
            affected_services=["checkout"] * 40,
        )
    ).judgement
    assert (answer.primary_responsibility, answer.risk_level) == (Responsibility.INFRA, Risk.MEDIUM)
    assert (answer.description, len(answer.reasoning)) == ("", 8000)
    assert (len(answer.secondary_teams), len(answer.affected_services)) == (4, 16)


@pytest.mark.parametrize(("field", "limit"), [("kubectl_command", 500), ("target_resource", 200), ("namespace", 100)])
def test_what_a_grammar_may_have_closed_is_not_believed(field: str, limit: int) -> None:
    assert getattr(extract(text_with(**{field: "x" * (limit - 1)})).judgement, field) == "x" * (limit - 1)
    for length in (limit, limit + 5000):
        answer = extract(text_with(**{field: "x" * length}))
        assert getattr(answer.judgement, field) == ""
        assert answer.dropped == (f"{field} is dropped: it is as long as it may be, and so perhaps cut",)
        assert answer.repaired is False


@pytest.mark.parametrize("end", range(1, len(TEXT)))
def test_wherever_it_is_cut_no_command_or_name_is_another(end: int) -> None:
    try:
        answer = extract(TEXT[:end])
    except AnswerError:
        return
    assert answer.repaired
    assert set(commands(answer)) <= {"", *commands(WHOLE)}
    assert answer.judgement.confidence == WHOLE.judgement.confidence
    assert answer.judgement.blast_radius.affected_pods in {0, 30}


@given(st.integers(1, len(TEXT) - 1), st.sampled_from(["```", '"', "}", '"}', "\n", ' "', "...", '",', "'"]))
def test_a_cut_with_something_after_it_invents_no_command(end: int, tail: str) -> None:
    try:
        answer = extract(TEXT[:end] + tail)
    except AnswerError:
        return
    closed = {"", *commands(WHOLE)}
    invented = [said for said in commands(answer) if said not in closed]
    # A quote in the very place of the cut closes the string: then it was the model that wrote it so.
    assert all(f'"{said}"' in TEXT[:end] + tail or f"'{said}'" in TEXT[:end] + tail for said in invented)


def test_replicas_cut_from_thirty_to_three() -> None:
    answer = extract(TEXT[: TEXT.index("--replicas=3") + len("--replicas=3")])
    assert (answer.judgement.kubectl_command, answer.judgement.suggested_action) == ("", Action.SCALE_DEPLOYMENT)
    assert answer.dropped == ("kubectl_command is dropped: the answer's JSON is broken there",)
    assert answer.judgement.primary_responsibility is Responsibility.INFRA


@pytest.mark.parametrize(
    ("broken", "kept"),
    [
        (TEXT.replace('", "', '" "'), False),  # nothing tells that the string ended there
        (TEXT[:-1] + ",}", True),
        (TEXT[:-1], True),
        (str(ANSWER), True),
        (TEXT.replace('"reasoning": "The', '"reasoning": "The "quoted" and'), True),
        (TEXT.replace(f'"{COMMAND}"', COMMAND), False),
        (TEXT.replace(f'"{COMMAND}"', f'"{COMMAND}'), False),
        (TEXT.replace("--replicas=30", '--replicas="30"'), False),
    ],
)
def test_a_repaired_answer_keeps_only_commands_it_closed(broken: str, kept: bool) -> None:  # noqa: FBT001
    answer = extract(broken)
    assert answer.repaired
    assert answer.judgement.primary_responsibility is Responsibility.INFRA
    assert answer.judgement.kubectl_command == (COMMAND if kept else "")
    assert any("kubectl_command" in each for each in answer.dropped) is not kept


def test_the_schema_is_what_the_providers_take() -> None:
    jsonschema.Draft202012Validator.check_schema(RESPONSE_SCHEMA)
    jsonschema.validate(ANSWER, RESPONSE_SCHEMA)
    for schema in objects(RESPONSE_SCHEMA):
        assert schema["additionalProperties"] is False
        assert schema["required"] == list(schema["properties"])
    text = json.dumps(RESPONSE_SCHEMA)
    assert all(word not in text for word in ("$ref", "$defs", "anyOf", "pattern", "default", '"number"'))
    assert all(limit <= 1000 for limit in limits(RESPONSE_SCHEMA))


def test_the_schema_asks_for_the_fields_of_a_judgement_and_fits_them() -> None:
    properties = RESPONSE_SCHEMA["properties"]
    assert set(properties) == set(Judgement.model_fields)
    assert set(properties["blast_radius"]["properties"]) == set(BlastRadius.model_fields)
    assert set(properties["optimization_suggestions"]["items"]["properties"]) == set(Suggestion.model_fields)
    published = Judgement.model_json_schema()["properties"]
    for name, schema in properties.items():
        for keyword in ("maxLength", "maxItems"):
            assert schema.get(keyword, 0) <= published[name].get(keyword, 10**9)


@pytest.mark.parametrize("words", WORDS)
def test_no_word_is_the_beginning_of_another_so_none_can_be_cut_to_another(words: type[StrEnum]) -> None:
    assert not [(a, b) for a in words for b in words if a != b and b.startswith(a)]


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for each in schema.values():
            yield from objects(each)


def limits(schema: Any) -> Iterator[int]:
    if isinstance(schema, dict):
        if isinstance(schema.get("maxLength"), int):
            yield schema["maxLength"]
        for each in schema.values():
            yield from limits(each)
