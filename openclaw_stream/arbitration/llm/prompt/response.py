"""The answer of a model: the form it is asked for, and how a judgement is read out of what it wrote.

What it wrote may be the JSON alone, or have a fence, prose or thoughts around it. Where the JSON is broken or cut it is
repaired, and then a command or a name is believed only if the model itself closed its string: `--replicas=30` cut to
`--replicas=3` is a good command and the wrong one. A grammar that enforces a length closes a string too, so one of
the greatest length is not believed either.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from openclaw_stream.arbitration.llm.prompt.json_extraction import JsonObject, json_objects
from openclaw_stream.events.decision import BlastRadius, Judgement, Suggestion
from openclaw_stream.vocabulary import Action, DataImpact, Responsibility, Risk, TuningType

_LENGTH_MAX = 65_536
_REASON_MAX = 500
_KEY: Final = "primary_responsibility"
_PERCENT = 100

_THOUGHTS = re.compile(r"\A\s*<think>.*?(?:</think>|\Z)", re.DOTALL)


def _text(limit: int) -> dict[str, Any]:
    return {"type": "string", "maxLength": limit}


def _one_of(words: type[StrEnum]) -> dict[str, Any]:
    return {"type": "string", "enum": [word.value for word in words]}


def _list(items: dict[str, Any], limit: int) -> dict[str, Any]:
    return {"type": "array", "items": items, "maxItems": limit}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_GUARDED: Final = {
    "kubectl_command": 500,
    "target_resource": 200,
    "namespace": 100,
    "kubectl_or_config": 500,
    "affected_services": 100,
    "related_services": 100,
}
"""What names something or is run by somebody, with the length it is asked for."""

RESPONSE_SCHEMA: Final[Mapping[str, Any]] = _object(
    {
        "reasoning": _text(1000),
        "primary_responsibility": _one_of(Responsibility),
        "responsibility_reasoning": _text(400),
        "confidence": {"type": "integer", "minimum": 0, "maximum": _PERCENT},
        "action_title": _text(120),
        "suggested_action": _one_of(Action),
        "kubectl_command": _text(_GUARDED["kubectl_command"]),
        "target_resource": _text(_GUARDED["target_resource"]),
        "namespace": _text(_GUARDED["namespace"]),
        "risk_level": _one_of(Risk),
        "blast_radius": _object(
            {
                "affected_pods": {"type": "integer", "minimum": 0, "maximum": 10_000},
                "estimated_downtime": _text(100),
                "related_services": _list(_text(_GUARDED["related_services"]), 8),
                "data_impact": _one_of(DataImpact),
            }
        ),
        "secondary_teams": _list(_one_of(Responsibility), 4),
        "description": _text(600),
        "deviation_analysis": _text(400),
        "signoz_correlation": _text(400),
        "affected_services": _list(_text(_GUARDED["affected_services"]), 8),
        "optimization_suggestions": _list(
            _object(
                {
                    "type": _one_of(TuningType),
                    "description": _text(300),
                    "kubectl_or_config": _text(_GUARDED["kubectl_or_config"]),
                }
            ),
            3,
        ),
    }
)
"""What a model is asked for: no references, whole numbers, modest lengths, since grammars choke on more.

All is required, and empty for none. The reasons come first, since a model that has given them decides better; what
the decision needs comes before what it can do without.
"""


class AnswerFault(StrEnum):
    """What is wrong with an answer."""

    NO_JSON = "no_json"
    SCHEMA = "schema"


class AnswerError(Exception):
    """A text without an answer; the message can be told the model: it quotes nothing of the text."""

    def __init__(self, reason: AnswerFault, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Answer:
    """A judgement as the model gave it, unchecked in meaning; `dropped` tells what of it was not believed."""

    judgement: Judgement
    repaired: bool = False
    dropped: tuple[str, ...] = ()


def extract(text: str) -> Answer:
    """Read the one answer in a text.

    Confidence is taken as a number of 0 to 1, or as a percentage where it is a whole number or above 1.

    Raises:
        AnswerError: There is no JSON object, or none that is a judgement, or several that differ.
    """
    if len(text) > _LENGTH_MAX:
        raise AnswerError(AnswerFault.NO_JSON, f"the answer is longer than {_LENGTH_MAX} characters")
    try:
        objects = list(json_objects(_THOUGHTS.sub("", text)))
    except ValueError as error:
        raise AnswerError(AnswerFault.NO_JSON, str(error)) from None
    if not objects:
        raise AnswerError(AnswerFault.NO_JSON, "the answer holds no JSON object that can be read")
    answers = list(filter(None, map(_answer_in, objects)))
    if not answers:
        raise AnswerError(AnswerFault.SCHEMA, f"no object of the JSON has {_KEY}")
    if any(other.value != answers[0].value for other in answers):
        raise AnswerError(AnswerFault.SCHEMA, "the JSON holds several different answers")
    return _Reading(answers[0]).read()


def _answer_in(found: JsonObject) -> JsonObject | None:
    """Return the part of an object that is an answer: itself, or one that it wraps."""
    for value in (found.value, *found.value.values()):
        if isinstance(value, dict) and _KEY in value:
            return JsonObject(value, found.broken)
    return None


@dataclass(frozen=True, slots=True)
class _Reading:
    """An answer that is being read, and what of it was not believed so far."""

    found: JsonObject
    dropped: list[str] = field(default_factory=list)

    def read(self) -> Answer:
        try:
            judgement = Judgement.model_validate(self._fit(Judgement, self.found.value))
        except ValidationError as error:
            problems = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
            raise AnswerError(AnswerFault.SCHEMA, "; ".join(problems)[:_REASON_MAX]) from None
        return Answer(judgement, bool(self.found.broken), tuple(dict.fromkeys(self.dropped)))

    def _fit(self, model: type[BaseModel], said: dict[str, Any]) -> dict[str, Any]:
        """Return the fields a model knows; null counts as not said, texts and lists are cut to what it takes."""
        return {
            name: self._fitted(name, info, said[name])
            for name, info in model.model_fields.items()
            if said.get(name) is not None
        }

    def _fitted(self, name: str, info: FieldInfo, value: Any) -> Any:
        if name == "confidence":
            return _fraction(value)
        if isinstance(value, dict) and name == "blast_radius":
            return self._fit(BlastRadius, value)
        if isinstance(value, list):
            return self._items(name, value[: _limit(info)])
        if isinstance(value, str):
            return self._believed(name, value, "member") if name in _GUARDED else _word(info, value)[: _limit(info)]
        return value

    def _items(self, name: str, values: list[Any]) -> list[Any]:
        if name == "optimization_suggestions":
            return [self._fit(Suggestion, value) if isinstance(value, dict) else value for value in values]
        if name not in _GUARDED:
            return values
        return [value for value in values if not isinstance(value, str) or self._believed(name, value, "item")]

    def _believed(self, name: str, value: str, place: Literal["member", "item"]) -> str:
        if len(value) >= _GUARDED[name]:
            self.dropped.append(f"{name} is dropped: it is as long as it may be, and so perhaps cut")
            return ""
        if value and not self.found.closed(name, value, place):
            self.dropped.append(f"{name} is dropped: the answer's JSON is broken there")
            return ""
        return value


def _word(info: FieldInfo, value: str) -> str:
    """Return a word of a vocabulary in its own case; other texts as they are."""
    if not (isinstance(info.annotation, type) and issubclass(info.annotation, StrEnum)):
        return value
    said = value.strip().casefold()
    return next((word.value for word in info.annotation if word.casefold() == said), value)


def _limit(info: FieldInfo) -> int | None:
    return next((limit.max_length for limit in info.metadata if hasattr(limit, "max_length")), None)


def _fraction(value: object) -> float:
    if isinstance(value, str) and (match := re.fullmatch(r"\s*(\d{1,3}(?:\.\d{1,9})?)\s*(%?)\s*", value)):
        value = int(match[1]) if match[1].isdecimal() else float(match[1]) / (_PERCENT if match[2] else 1)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _PERCENT:
        raise AnswerError(AnswerFault.SCHEMA, "confidence: it must be a whole number from 0 to 100")
    return value / _PERCENT if isinstance(value, int) or value > 1 else value
