"""Finds the JSON objects in the answer of a model, and repairs broken ones."""

import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, Literal

import json_repair

_REPAIR_SECONDS = 0.5
_CALLS_PER_CHECK = 64

_OBJECT = re.compile(r"""\{\s*(?:["'}]|[A-Za-z_]\w*\s*:)""")
_TRUNCATED_SCALAR = re.compile(r"""["']\w+["']\s*:\s*[-+.\w]*\Z""")


@dataclass(frozen=True, slots=True)
class JsonObject:
    """A JSON object; `broken` is the text that it was repaired from, empty if it was valid."""

    value: dict[str, Any]
    broken: str = ""

    def has_complete(self, name: str, value: str, place: Literal["member", "item"]) -> bool:
        """Return whether the text itself ends a string, so that the repair did not truncate it.

        Args:
            name: The name of the member; ignored for an item of a list.
            value: The string after the repair.
            place: Whether the string is a member of an object or an item of a list.
        """
        if not self.broken:
            return True
        literals = (json.dumps(value, ensure_ascii=False), json.dumps(value), f"'{value}'")
        before, after = (rf"[\"']{name}[\"']\s*:", "[,}]") if place == "member" else (r"[\[,]", r"[,\]]")
        return any(re.search(rf"{before}\s*{re.escape(literal)}\s*{after}", self.broken) for literal in literals)


def json_objects(text: str) -> Iterator[JsonObject]:
    """Yield the objects of a text in order; a broken object extends to the end of the text.

    A broken object is not searched for further objects, because it may quote some.

    Raises:
        ValueError: An object is nested too deeply.
    """
    position = 0
    while match := _OBJECT.search(text, position):
        try:
            value, position = json.JSONDecoder().raw_decode(text, match.start())
        except RecursionError:
            raise ValueError("the JSON is nested too deeply") from None
        except ValueError:
            yield from _repaired(text[match.start() :])
            return
        yield JsonObject(value)


def is_whole(text: str) -> bool:
    """Return whether the first object of a text is valid JSON: then nothing of it was cut."""
    match = _OBJECT.search(text)
    if not match:
        return False
    try:
        json.JSONDecoder().raw_decode(text, match.start())
    except (ValueError, RecursionError):
        return False
    return True


def _repaired(broken: str) -> Iterator[JsonObject]:
    # A number at the end of the text may be truncated.
    complete = _TRUNCATED_SCALAR.sub("", broken)
    try:
        with _time_limit(_REPAIR_SECONDS):
            value = json_repair.loads(complete)
    except (_TimeLimitError, Exception):  # noqa: BLE001 - json-repair 0.64.6 raises more than ValueError, such as AssertionError
        return
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict):
            yield JsonObject(each, broken)


class _TimeLimitError(BaseException):
    """The time limit is exceeded; not an Exception, so that the repair cannot catch it."""


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise _TimeLimitError in the block after this much CPU time.

    The repair looks ahead at every quote, and takes minutes for a malicious text of 60 KB. Code that does not yield can
    only be stopped from within its thread: a trace function checks the time at every 64th function call.
    """
    end = time.thread_time() + seconds
    calls = 0

    def check_time(_frame: FrameType, _event: str, _argument: object) -> None:
        nonlocal calls
        calls += 1
        if calls % _CALLS_PER_CHECK == 0 and time.thread_time() > end:
            raise _TimeLimitError

    before = sys.gettrace()
    sys.settrace(check_time)
    try:
        yield
    finally:
        sys.settrace(before)
