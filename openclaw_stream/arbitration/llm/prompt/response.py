"""The answer of a model: its JSON schema, and the parser that reads a judgement from it.

The JSON may be surrounded by a code fence, prose or thoughts. Broken or truncated JSON is repaired; then a command or a
name is kept only if the model itself ended the string, because `--replicas=30` truncated to `--replicas=3` is valid but
wrong. Constrained decoding ends a string at its maximum length, so a string of that length is removed as well.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from openclaw_stream.arbitration.kubectl import looks_like_command
from openclaw_stream.arbitration.llm.prompt.json_extraction import JsonObject, json_objects
from openclaw_stream.arbitration.llm.prompt.odd_values import is_advice, is_nothing, last_first, odd_value, remove_value
from openclaw_stream.arbitration.llm.prompt.thoughts import without_thoughts
from openclaw_stream.events.decision import BlastRadius, Judgement, Suggestion
from openclaw_stream.vocabulary import Action, DataImpact, Responsibility, Risk, TuningType

_LENGTH_MAX = 65_536
_REASON_MAX = 500
_KEY: Final = "primary_responsibility"
_PERCENT = 100
_REQUIRED: Final = {name for name, info in Judgement.model_fields.items() if info.is_required()}
_RISKS: Final = {"none": Risk.LOW, "minimal": Risk.LOW, "high": Risk.CRITICAL, "severe": Risk.CRITICAL}


def _text(limit: int) -> dict[str, Any]:
    return {"type": "string", "maxLength": limit}


def _one_of(values: type[StrEnum]) -> dict[str, Any]:
    return {"type": "string", "enum": [value.value for value in values]}


def _list(items: dict[str, Any], limit: int) -> dict[str, Any]:
    return {"type": "array", "items": items, "maxItems": limit}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_TRUNCATION_SENSITIVE: Final = {
    "kubectl_command": 500,
    "target_resource": 200,
    "namespace": 100,
    "kubectl_or_config": 500,
    "affected_services": 100,
    "related_services": 100,
}
"""Fields with commands or names, which must not be truncated, and their maximum lengths in the schema."""

RESPONSE_SCHEMA: Final[Mapping[str, Any]] = _object(
    {
        "reasoning": _text(1000),
        "primary_responsibility": _one_of(Responsibility),
        "responsibility_reasoning": _text(400),
        "confidence": {"type": "integer", "minimum": 0, "maximum": _PERCENT},
        "action_title": _text(120),
        "suggested_action": _one_of(Action),
        "kubectl_command": _text(_TRUNCATION_SENSITIVE["kubectl_command"]),
        "target_resource": _text(_TRUNCATION_SENSITIVE["target_resource"]),
        "namespace": _text(_TRUNCATION_SENSITIVE["namespace"]),
        "risk_level": _one_of(Risk),
        "blast_radius": _object(
            {
                "affected_pods": {"type": "integer", "minimum": 0, "maximum": 10_000},
                "estimated_downtime": _text(100),
                "related_services": _list(_text(_TRUNCATION_SENSITIVE["related_services"]), 8),
                "data_impact": _one_of(DataImpact),
            }
        ),
        "secondary_teams": _list(_one_of(Responsibility), 4),
        "description": _text(600),
        "deviation_analysis": _text(400),
        "signoz_correlation": _text(400),
        "affected_services": _list(_text(_TRUNCATION_SENSITIVE["affected_services"]), 8),
        "optimization_suggestions": _list(
            _object(
                {
                    "type": _one_of(TuningType),
                    "description": _text(300),
                    "kubectl_or_config": _text(_TRUNCATION_SENSITIVE["kubectl_or_config"]),
                }
            ),
            3,
        ),
    }
)
"""The JSON schema of an answer, without references, with integers and short lengths, as constrained decoding requires.

All members are required, and empty if they do not apply. The reasoning comes first, because models decide better after
it; members that the decision needs come before optional ones, in case the answer is truncated.
"""


class AnswerFault(StrEnum):
    """What is wrong with an answer."""

    NO_JSON = "no_json"
    SCHEMA = "schema"
    EXAMPLE = "example_repeated"
    LOOP = "repetitive"
    LANGUAGE = "wrong_language"


class AnswerError(Exception):
    """A text without a valid answer; the message quotes nothing of the text, so it can be sent to the model."""

    def __init__(self, reason: AnswerFault, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Answer:
    """A judgement as the model gave it, before validation; `dropped` has a warning for each removed value."""

    judgement: Judgement
    repaired: bool = False
    dropped: tuple[str, ...] = ()


def parse_answer(text: str) -> Answer:
    """Parse the answer in a text.

    Confidence is a percentage if it is an integer or above 1, else a fraction of 1.

    Raises:
        AnswerError: The text has no JSON object, none that is a judgement, or several different ones.
    """
    if len(text) > _LENGTH_MAX:
        raise AnswerError(AnswerFault.NO_JSON, f"the answer is longer than {_LENGTH_MAX} characters")
    try:
        objects = list(json_objects(without_thoughts(text)))
    except ValueError as error:
        raise AnswerError(AnswerFault.NO_JSON, str(error)) from None
    if not objects:
        raise AnswerError(AnswerFault.NO_JSON, "the answer contains no readable JSON object")
    answers = list(filter(None, map(_answer_in, objects)))
    if not answers:
        raise AnswerError(AnswerFault.SCHEMA, f"no JSON object has {_KEY}")
    if any(other.value != answers[0].value for other in answers):
        raise AnswerError(AnswerFault.SCHEMA, "the JSON contains several different answers")
    return _AnswerParser(answers[0]).parse()


def _answer_in(found: JsonObject) -> JsonObject | None:
    """Return the answer in an object: the object itself or one of its members; None if there is none."""
    for value in (found.value, *found.value.values()):
        if isinstance(value, dict) and _KEY in value:
            return JsonObject(value, found.broken)
    return None


@dataclass(frozen=True, slots=True)
class _AnswerParser:
    """Parses one answer; `dropped` collects a warning for each removed value."""

    found: JsonObject
    dropped: list[str] = field(default_factory=list)

    def parse(self) -> Answer:
        judgement = self._validated(self._fields(Judgement, self.found.value))
        return Answer(judgement, bool(self.found.broken), tuple(dict.fromkeys(self.dropped)))

    def _validated(self, values: dict[str, Any]) -> Judgement:
        """Return the judgement; an odd member of a list and an odd optional field are removed."""
        while True:
            try:
                return Judgement.model_validate(values)
            except ValidationError as error:
                problems = error.errors()
                for path in last_first(odd_value(each["loc"]) for each in problems):
                    if path[0] in _REQUIRED:
                        texts = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in problems)
                        raise AnswerError(AnswerFault.SCHEMA, "; ".join(texts)[:_REASON_MAX]) from None
                    self.dropped.append(f"{_dotted(path)} removed: it has another form than the schema")
                    remove_value(values, path)

    def _fields(self, model: type[BaseModel], values: dict[str, Any]) -> dict[str, Any]:
        """Return the known fields of a model without nulls; texts and lists are cut to their maximum length."""
        return {
            name: self._value(name, info, values[name])
            for name, info in model.model_fields.items()
            if values.get(name) is not None
        }

    def _value(self, name: str, info: FieldInfo, value: Any) -> Any:
        if name in _READERS:
            return _READERS[name](value)
        if isinstance(value, dict) and name == "blast_radius":
            return self._fields(BlastRadius, value)
        if info.default_factory is list:
            return self._items(name, (value if isinstance(value, list) else [value])[: _limit(info)])
        if not isinstance(value, str):
            return value
        if name in _TRUNCATION_SENSITIVE:
            return self._complete(name, value, "member")
        return _enum_value(info.annotation, value)[: _limit(info)]

    def _items(self, name: str, values: list[Any]) -> list[Any]:
        if name == "optimization_suggestions":
            return [self._fields(Suggestion, value) if isinstance(value, dict) else value for value in values]
        if name == "secondary_teams":
            return [_enum_value(Responsibility, value) if isinstance(value, str) else value for value in values]
        return [value for value in values if not isinstance(value, str) or self._complete(name, value, "item")]

    def _complete(self, name: str, value: str, place: Literal["member", "item"]) -> str:
        if is_nothing(value):
            return ""
        if len(value) >= _TRUNCATION_SENSITIVE[name]:
            self.dropped.append(f"{name} removed: it has the maximum length and may be truncated")
            return ""
        if not self.found.has_complete(name, value, place):
            self.dropped.append(f"{name} removed: the JSON of the answer is broken at this value")
            return ""
        if name == "kubectl_command" and is_advice(value) and not looks_like_command(value):
            self.dropped.append(f"{name} removed: it is not a command")
            return ""
        return value


def _dotted(path: tuple[int | str, ...]) -> str:
    """Return the name of a field; a member of a list without its number."""
    names = ".".join(each for each in path if isinstance(each, str))
    return names if isinstance(path[-1], str) else f"a member of {names}"


def _risk(value: object) -> object:
    """Return the level of a risk; a word that is none of the levels counts as a higher one, never as a lower one."""
    if not isinstance(value, str):
        return Risk.MEDIUM
    known = _enum_value(Risk, value)
    return known if known in set(Risk) else _RISKS.get(known.strip().casefold(), Risk.MEDIUM)


def _enum_value(annotation: object, value: str) -> str:
    """Return the value of an enumeration regardless of case; other texts are unchanged."""
    if not (isinstance(annotation, type) and issubclass(annotation, StrEnum)):
        return value
    folded = value.strip().casefold()
    return next((each.value for each in annotation if each.casefold() == folded), value)


def _limit(info: FieldInfo) -> int | None:
    return next((limit.max_length for limit in info.metadata if hasattr(limit, "max_length")), None)


def _fraction(value: object) -> float:
    if isinstance(value, str) and (match := re.fullmatch(r"\s*(\d{1,3}(?:\.\d{1,9})?)\s*(%?)\s*", value)):
        value = int(match[1]) if match[1].isdecimal() else float(match[1]) / (_PERCENT if match[2] else 1)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _PERCENT:
        raise AnswerError(AnswerFault.SCHEMA, "confidence: it must be an integer from 0 to 100")
    return value / _PERCENT if isinstance(value, int) or value > 1 else value


_READERS: Final[Mapping[str, Callable[[object], object]]] = {"confidence": _fraction, "risk_level": _risk}
