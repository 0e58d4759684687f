"""JSON objects in a text that a model wrote: found, repaired where they are broken, and told apart from whole ones."""

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
_CALLS_BETWEEN_LOOKS = 64

_OBJECT = re.compile(r"""\{\s*(?:["'}]|[A-Za-z_]\w*\s*:)""")
_CUT_SCALAR = re.compile(r"""["']\w+["']\s*:\s*[-+.\w]*\Z""")


@dataclass(frozen=True, slots=True)
class JsonObject:
    """An object of a text; `broken` is the text it was repaired from, empty where it was whole."""

    value: dict[str, Any]
    broken: str = ""

    def closed(self, name: str, value: str, place: Literal["member", "item"]) -> bool:
        """Tell whether the text itself closes a string, and does not leave that to the repair.

        Args:
            name: The member's name; not looked at for an item of a list.
            value: The string as it was read.
            place: Where it stands, which says what has to come before and after it.
        """
        if not self.broken:
            return True
        literals = (json.dumps(value, ensure_ascii=False), json.dumps(value), f"'{value}'")
        before, after = (rf"[\"']{name}[\"']\s*:", "[,}]") if place == "member" else (r"[\[,]", r"[,\]]")
        return any(re.search(rf"{before}\s*{re.escape(literal)}\s*{after}", self.broken) for literal in literals)


def json_objects(text: str) -> Iterator[JsonObject]:
    """Yield the objects of a text in their order; the first that is broken takes the rest of the text with it.

    Nothing is looked for inside of a broken object: it would find what the model only quotes.

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


def _repaired(broken: str) -> Iterator[JsonObject]:
    # A number at the very end may have had more digits.
    whole = _CUT_SCALAR.sub("", broken)
    try:
        with _limited(_REPAIR_SECONDS):
            value = json_repair.loads(whole)
    except (_SlowError, Exception):  # noqa: BLE001 - json-repair 0.64.6 raises more than ValueError, such as AssertionError
        return
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict):
            yield JsonObject(each, broken)


class _SlowError(BaseException):
    """The time is up; no Exception, so that nothing on the way catches it."""


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raise _SlowError in the block once it has taken this much CPU time.

    The repair looks far ahead at every quote, and takes minutes for a text of 60 KB that is made for it. Code that does
    not yield can only be stopped from within: a look at the clock now and then when it calls a function.
    """
    end = time.thread_time() + seconds
    calls = 0

    def look(_frame: FrameType, _event: str, _argument: object) -> None:
        nonlocal calls
        calls += 1
        if calls % _CALLS_BETWEEN_LOOKS == 0 and time.thread_time() > end:
            raise _SlowError

    before = sys.gettrace()
    sys.settrace(look)
    try:
        yield
    finally:
        sys.settrace(before)
