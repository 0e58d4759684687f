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
        (TEXT[:60], AnswerFault.SCHEMA, "primary_responsibility"),
    ],
)
def test_a_text_without_a_valid_answer_is_an_error(text: str, reason: AnswerFault, part: str) -> None:
    found, message = fault(text)
    assert found is reason
    assert part in message
    assert len(message) <= 500


@pytest.mark.parametrize(
    ("odd", "removed", "left"),
    [
        ({"description": "\ud83d"}, "description", {"description": ""}),
        ({"description": ["two", "lines"]}, "description", {"description": ""}),
        ({"suggested_action": "REBOOT"}, "suggested_action", {"suggested_action": "NO_ACTION"}),
        ({"kubectl_command": ["kubectl", "delete"]}, "kubectl_command", {"kubectl_command": ""}),
        ({"blast_radius": "large"}, "blast_radius", {"blast_radius": BlastRadius().model_dump(mode="json")}),
        (
            {"affected_services": [1, "checkout", {"name": "cart"}]},
            "a member of affected_services",
            {"affected_services": ["checkout"]},
        ),
        ({"secondary_teams": ["db", "OPS", None]}, "a member of secondary_teams", {"secondary_teams": ["DB"]}),
        (
            {"optimization_suggestions": ["more memory"]},
            "a member of optimization_suggestions",
            {"optimization_suggestions": []},
        ),
        (
            {"optimization_suggestions": [{"type": "EXEC", "description": "x"}]},
            "a member of optimization_suggestions",
            {"optimization_suggestions": []},
        ),
    ],
)
def test_an_odd_optional_value_is_removed_and_the_answer_stands(
    odd: dict[str, Any], removed: str, left: dict[str, Any]
) -> None:
    answer = parse_answer(text_with(**odd))
    assert answer.dropped == (f"{removed} removed: it has another form than the schema",)
    expected = {**WHOLE.judgement.model_dump(mode="json"), **left}
    assert answer.judgement.model_dump(mode="json") == expected


def test_odd_members_of_an_object_are_removed_one_by_one() -> None:
    odd = {"affected_pods": -1, "estimated_downtime": 7, "related_services": ["cart", 1, 2], "data_impact": "SOME"}
    radius = parse_answer(text_with(blast_radius=odd)).judgement.blast_radius
    assert radius == BlastRadius(related_services=["cart"])


@given(st.dictionaries(st.sampled_from(sorted(ANSWER)), st.none() | st.booleans() | st.integers() | st.text()))
def test_only_a_required_member_costs_the_answer(odd: dict[str, Any]) -> None:
    required = {"primary_responsibility", "action_title", "confidence"}
    changed = {name: value for name, value in odd.items() if name not in required}
    assert parse_answer(text_with(**changed)).judgement.primary_responsibility is Responsibility.INFRA


@pytest.mark.parametrize(("given", "risk"), [("High", "critical"), ("none", "low"), ("some", "medium"), (3, "medium")])
def test_an_unknown_risk_is_never_understated(given: object, risk: str) -> None:
    assert parse_answer(text_with(risk_level=given)).judgement.risk_level == risk


@pytest.mark.parametrize(
    "nothing",
    ["None needed", "no command is required.", "(n/a)", "'None'", "Nothing", "無須執行指令", "不需要", "（無）", "--"],
)
def test_words_for_nothing_are_no_command_and_no_name(nothing: str) -> None:
    suggestion = {"type": "HPA", "description": "d", "kubectl_or_config": nothing}
    answer = parse_answer(
        text_with(
            kubectl_command=nothing,
            target_resource=nothing,
            affected_services=[nothing, "checkout"],
            optimization_suggestions=[suggestion],
        )
    )
    assert answer.dropped == ()
    assert set(commands(answer)) <= {"", *commands(WHOLE)}
    assert (answer.judgement.kubectl_command, answer.judgement.target_resource) == ("", "")


def test_advice_in_words_is_no_command() -> None:
    answer = parse_answer(text_with(kubectl_command="Restart the pods by hand"))
    assert answer.judgement.kubectl_command == ""
    assert answer.dropped == ("kubectl_command removed: it is not a command",)
    assert parse_answer(text_with(kubectl_command="sudo reboot")).judgement.kubectl_command == "sudo reboot"


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
    start = "kubectl " if field == "kubectl_command" else "x"
    longest = start.ljust(limit - 1, "x")
    assert getattr(parse_answer(text_with(**{field: longest})).judgement, field) == longest
    for length in (limit, limit + 5000):
        answer = parse_answer(text_with(**{field: start.ljust(length, "x")}))
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
