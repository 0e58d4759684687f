"""The largest possible events: every text as long as its model allows, of characters of four bytes."""

import types
import typing
from enum import Enum
from typing import Any, TypeVar, get_args, get_origin

from pydantic import AwareDatetime, BaseModel

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.incidents.exemplars import exemplar
from openclaw_stream.incidents.state import LINEAGE_MAX, MEMBERS_MAX, NAMES_MAX, SERVICES_MAX, LineageRecord, State
from openclaw_stream.vocabulary import IncidentStatus, Severity

EXEMPLARS_MAX = 16
WIDE = "😀"
_NAME_MAX, _ID_MAX, _ITEM_MAX = 200, 100, 253
"""Most characters of names, ids and items of lists; limited by the code that fills the models."""

M = TypeVar("M", bound=BaseModel)


def largest(model: type[M], **values: Any) -> M:
    """Return the largest instance of a model; `values` are used for fields of these names, at any depth."""
    fields = {
        name: values[name] if name in values else _value(info.annotation, _limit(info.metadata), values)
        for name, info in model.model_fields.items()
    }
    return model.model_validate(fields)


def wide_name(number: int, length: int = _NAME_MAX) -> str:
    """Return one of many different long names."""
    return f"{number:04}{WIDE * (length - 4)}"


def large_state(*, exemplars: int) -> State:
    """Return the state of a group with every collection full."""
    state = State("/".join([WIDE * _NAME_MAX] * 2))
    state.begin("i" * 36, 10**12, 10**12, "p" * 36)
    state.firing = {(1 << 63) + number: 10**12 for number in range(MEMBERS_MAX)}
    state.alert_names = {wide_name(number): 10**9 for number in range(NAMES_MAX)}
    state.services = tuple(wide_name(number) for number in range(SERVICES_MAX))
    state.namespace = state.service = wide_name(0)
    episode = LineageRecord("i" * 36, 10**12, 10**12, 10**12, IncidentStatus.ASSUMED_RESOLVED)
    state.lineage = (episode,) * LINEAGE_MAX
    state.exemplars = (_large_exemplar(),) * exemplars
    return state


def _large_exemplar() -> bytes:
    text = WIDE * 2000
    many = {wide_name(number): text for number in range(100)}
    alert = Alert(text, Severity.CRITICAL, True, 10**12, 10**12, text, 1, text)  # noqa: FBT003 - by position
    alert.namespace = alert.service = alert.source = alert.target_resource = alert.message = text
    alert.labels = alert.annotations = many
    alert.metrics = dict.fromkeys(many, 0.12345678901234567)
    alert.generator_url = text
    return exemplar(alert)


def _value(annotation: Any, limit: int | None, values: dict[str, Any]) -> Any:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is typing.Annotated:
        return _value(arguments[0], limit or _limit(arguments[1:]), values)
    if origin in {typing.Union, types.UnionType}:
        return _value(arguments[0], limit, values)
    if origin is typing.Literal:
        return arguments[-1]
    if origin is list:
        return [_value(arguments[0], _ITEM_MAX if arguments[0] is str else None, values)] * (limit or 1)
    if origin is dict:
        return {wide_name(number): _value(arguments[1], None, values) for number in range(limit or 1)}
    return _scalar(annotation, limit, values)


def _scalar(kind: type[Any], limit: int | None, values: dict[str, Any]) -> Any:
    if issubclass(kind, BaseModel):
        return largest(kind, **values)
    if issubclass(kind, Enum):
        return max(kind, key=lambda word: len(str(word.value)))
    if kind is AwareDatetime:
        return "2026-11-22T10:00:00.123456+08:00"
    numbers: dict[type[Any], Any] = {bool: False, int: 10**15, float: 1 / 3}
    return numbers[kind] if kind in numbers else (WIDE * limit if limit else "x" * _ID_MAX)


def _limit(metadata: typing.Iterable[Any]) -> int | None:
    for each in metadata:
        if getattr(each, "max_length", None):
            return int(each.max_length)
        if hasattr(each, "metadata") and (inner := _limit(each.metadata)):
            return inner
    return None
