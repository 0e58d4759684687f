"""The size of an event: texts are cut, and lists shortened, until a part of it fits its bytes as JSON."""

from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import BaseModel

from openclaw_stream.text import cut_to_json, even_share, json_size

EVENT_BYTES = 64 * 1024
"""A decision event is never larger, whatever alerts and models contain."""

JUDGEMENT_BYTES = 14 * 1024
PROVENANCE_BYTES = 6 * 1024
VALIDATION_BYTES = 5 * 1024
SIGNALS_BYTES = 1024
URL_MAX = 2000

_COMMANDS = {"kubectl_command", "kubectl_or_config", "command"}
"""Fields that are whole or not there: a part of a command does something else."""

_SHARE_MIN = 200
"""Bytes that stay of each text; before less would, the last item of the largest list is left out."""

M = TypeVar("M", bound=BaseModel)


def fitted(model: M, limit: int) -> M:
    """Return a part of an event with at most `limit` bytes of JSON; a text that was cut ends with `…`.

    Commands are never cut. Fitting twice changes nothing.
    """
    if len(model.model_dump_json().encode()) <= limit:
        return model
    fields = model.model_dump(mode="json")
    while json_size(fields) > limit:
        texts = list(_texts(fields))
        sizes = [json_size(parent[key]) for parent, key in texts]
        share = even_share(sizes, limit - json_size(fields) + sum(sizes))
        lists = [each for each in _lists(fields) if each]
        if share < _SHARE_MIN and lists:
            max(lists, key=json_size).pop()
            continue
        for parent, key in texts:
            parent[key] = cut_to_json(parent[key], share)
        break
    return type(model).model_validate(fields)


def _texts(node: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each text that may be cut, as its object or list and its key."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        if isinstance(value, str) and key not in _COMMANDS:
            yield node, key
        elif isinstance(value, dict | list):
            yield from _texts(value)


def _lists(node: Any) -> Iterator[list[Any]]:
    if isinstance(node, list):
        yield node
    for value in node.values() if isinstance(node, dict) else node:
        if isinstance(value, dict | list):
            yield from _lists(value)
