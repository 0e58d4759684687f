import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.arbitration.llm.prompt.response import (
    RESPONSE_SCHEMA,
    Answer,
    AnswerError,
    AnswerFault,
    parse_answer,
)
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
WHOLE = parse_answer(TEXT)
ENUMERATIONS: list[type[StrEnum]] = [Responsibility, Action, Risk, DataImpact, TuningType]


def text_with(**changes: Any) -> str:
    return json.dumps({**ANSWER, **changes}, ensure_ascii=False)


def fault(text: str) -> tuple[AnswerFault, str]:
    with pytest.raises(AnswerError) as caught:
        parse_answer(text)
    return caught.value.reason, str(caught.value)


def commands(answer: Answer) -> Iterator[str]:
    """The commands and names of an answer."""
    judgement = answer.judgement
    yield from (judgement.kubectl_command, judgement.target_resource, judgement.namespace, *judgement.affected_services)
    yield from judgement.blast_radius.related_services
    yield from (each.kubectl_or_config for each in judgement.optimization_suggestions)


REASON = {"command_reason"}
"""The field that a model does not answer: the reason for a command comes from the evidence."""


def test_a_valid_answer_is_unchanged() -> None:
    assert (WHOLE.repaired, WHOLE.dropped) == (False, ())
    judgement = WHOLE.judgement
    # Any: the type of `exclude` is too narrow for a literal.
    without: Any = {"confidence": True, "command_reason": True, "optimization_suggestions": {"__all__": REASON}}
    assert judgement.model_dump(exclude=without, mode="json") == {k: v for k, v in ANSWER.items() if k != "confidence"}
    assert judgement.confidence == 0.85


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
def test_text_around_an_answer_is_ignored(text: str) -> None:
    assert parse_answer(text) == WHOLE


@pytest.mark.parametrize(
    ("text", "reason", "part"),
    [
        ("", AnswerFault.NO_JSON, "no readable JSON object"),
        ("I cannot say.", AnswerFault.NO_JSON, "no readable JSON object"),
        (f"<think>{TEXT}", AnswerFault.NO_JSON, "no readable JSON object"),
        ("x" * 70_000, AnswerFault.NO_JSON, "longer than"),
        ('{"a":' * 9_000, AnswerFault.NO_JSON, "nested too deeply"),
        ('{"team": "DB"}', AnswerFault.SCHEMA, "no JSON object has primary_responsibility"),
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
def test_a_text_without_a_valid_answer_is_an_error(text: str, reason: AnswerFault, part: str) -> None:
    found, message = fault(text)
    assert found is reason
    assert part in message
    assert len(message) <= 500


def test_the_error_quotes_nothing_of_the_text() -> None:
    planted = "planted-words"
    for field in ANSWER:
        text = text_with(**{field: {planted: planted}})
        try:
            parse_answer(text)
        except AnswerError as error:
            assert planted not in str(error)  # noqa: PT017, some fields take anything


@pytest.mark.parametrize(
    ("given", "confidence"),
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
def test_confidence_is_a_fraction_or_a_percentage(given: object, confidence: float) -> None:
    assert parse_answer(text_with(confidence=given)).judgement.confidence == pytest.approx(confidence)


@pytest.mark.parametrize("given", [101, -1, -0.1, 100.5, True, "high", "1e3", [], float("nan"), float("inf"), 10**400])
def test_an_invalid_confidence_is_an_error(given: object) -> None:
    reason, message = fault(text_with(confidence=given))
    assert (reason, message) == (AnswerFault.SCHEMA, "confidence: it must be an integer from 0 to 100")


def test_case_is_ignored_nulls_are_defaults_and_long_values_are_cut() -> None:
    answer = parse_answer(
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
def test_a_value_of_the_maximum_length_is_removed(field: str, limit: int) -> None:
    assert getattr(parse_answer(text_with(**{field: "x" * (limit - 1)})).judgement, field) == "x" * (limit - 1)
    for length in (limit, limit + 5000):
        answer = parse_answer(text_with(**{field: "x" * length}))
        assert getattr(answer.judgement, field) == ""
        assert answer.dropped == (f"{field} removed: it has the maximum length and may be truncated",)
        assert answer.repaired is False


@pytest.mark.parametrize("end", range(1, len(TEXT)))
def test_a_truncated_answer_has_no_truncated_command_or_name(end: int) -> None:
    try:
        answer = parse_answer(TEXT[:end])
    except AnswerError:
        return
    assert answer.repaired
    assert set(commands(answer)) <= {"", *commands(WHOLE)}
    assert answer.judgement.confidence == WHOLE.judgement.confidence
    assert answer.judgement.blast_radius.affected_pods in {0, 30}


@given(st.integers(1, len(TEXT) - 1), st.sampled_from(["```", '"', "}", '"}', "\n", ' "', "...", '",', "'"]))
def test_a_truncated_answer_with_text_after_it_has_no_truncated_command(end: int, tail: str) -> None:
    try:
        answer = parse_answer(TEXT[:end] + tail)
    except AnswerError:
        return
    closed = {"", *commands(WHOLE)}
    invented = [value for value in commands(answer) if value not in closed]
    # A quote exactly at the cut ends the string: then the model itself wrote it.
    assert all(f'"{value}"' in TEXT[:end] + tail or f"'{value}'" in TEXT[:end] + tail for value in invented)


def test_replicas_truncated_from_thirty_to_three_are_removed() -> None:
    answer = parse_answer(TEXT[: TEXT.index("--replicas=3") + len("--replicas=3")])
    assert (answer.judgement.kubectl_command, answer.judgement.suggested_action) == ("", Action.SCALE_DEPLOYMENT)
    assert answer.dropped == ("kubectl_command removed: the JSON of the answer is broken at this value",)
    assert answer.judgement.primary_responsibility is Responsibility.INFRA


@pytest.mark.parametrize(
    ("broken", "kept"),
    [
        (TEXT.replace('", "', '" "'), False),  # the end of the string is unknown
        (TEXT[:-1] + ",}", True),
        (TEXT[:-1], True),
        (str(ANSWER), True),
        (TEXT.replace('"reasoning": "The', '"reasoning": "The "quoted" and'), True),
        (TEXT.replace(f'"{COMMAND}"', COMMAND), False),
        (TEXT.replace(f'"{COMMAND}"', f'"{COMMAND}'), False),
        (TEXT.replace("--replicas=30", '--replicas="30"'), False),
    ],
)
def test_a_repaired_answer_keeps_only_complete_commands(broken: str, kept: bool) -> None:  # noqa: FBT001
    answer = parse_answer(broken)
    assert answer.repaired
    assert answer.judgement.primary_responsibility is Responsibility.INFRA
    assert answer.judgement.kubectl_command == (COMMAND if kept else "")
    assert any("kubectl_command" in each for each in answer.dropped) is not kept


def test_the_schema_is_supported_by_all_providers() -> None:
    jsonschema.Draft202012Validator.check_schema(RESPONSE_SCHEMA)
    jsonschema.validate(ANSWER, RESPONSE_SCHEMA)
    for schema in objects(RESPONSE_SCHEMA):
        assert schema["additionalProperties"] is False
        assert schema["required"] == list(schema["properties"])
    text = json.dumps(RESPONSE_SCHEMA)
    assert all(word not in text for word in ("$ref", "$defs", "anyOf", "pattern", "default", '"number"'))
    assert all(limit <= 1000 for limit in limits(RESPONSE_SCHEMA))


def test_the_schema_has_the_fields_and_limits_of_a_judgement() -> None:
    properties = RESPONSE_SCHEMA["properties"]
    assert set(properties) == set(Judgement.model_fields) - REASON
    assert set(properties["blast_radius"]["properties"]) == set(BlastRadius.model_fields)
    assert set(properties["optimization_suggestions"]["items"]["properties"]) == set(Suggestion.model_fields) - REASON
    published = Judgement.model_json_schema()["properties"]
    for name, schema in properties.items():
        for keyword in ("maxLength", "maxItems"):
            assert schema.get(keyword, 0) <= published[name].get(keyword, 10**9)


@pytest.mark.parametrize("values", ENUMERATIONS)
def test_no_enumeration_value_is_a_prefix_of_another(values: type[StrEnum]) -> None:
    assert not [(a, b) for a in values for b in values if a != b and b.startswith(a)]


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
