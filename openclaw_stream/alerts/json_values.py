"""JSON text to values; text that is nearly JSON is mended, with a warning for each kind of fault.

Mended: a byte order mark, NUL bytes at the end, bytes that are not UTF-8 (read as Latin-1), NaN and infinite numbers
(read as null), lone surrogates (replaced by U+FFFD), line breaks and tabs within texts, which templates put there
(kept). A text that is cut or otherwise malformed is not completed.
"""

import codecs
import json
import math
import re
from typing import Any

import orjson

from openclaw_stream.errors import PoisonError

_NOT_A_NUMBER = re.compile(r"\W?(NaN|-?Infinity)")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_INTEGER_LENGTH_MAX = 20
_TOO_DEEP = "not read: JSON nested more than 1,024 deep"


def parse(text: bytes | str, warnings: list[str]) -> Any:
    """Return the JSON value of a text; add to `warnings` what was mended, each kind once.

    Raises:
        PoisonError: it is no JSON; the message says where.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if not text.strip():
            raise PoisonError("empty") from None
        if "depth" in error.msg:
            raise PoisonError(_TOO_DEEP) from None
        found: list[str] = []
        try:
            value = _lenient(_decoded(text, found), found)
        except ValueError:
            raise PoisonError(_explain(text, error)) from None
    warnings.extend(warning for warning in found if warning not in warnings)
    return value


def _decoded(text: bytes | str, found: list[str]) -> str:
    if isinstance(text, bytes):
        text = _characters(text, found)
    if text.startswith("\ufeff"):
        found.append("value: byte order mark ignored")
        text = text[1:]
    if text.endswith("\0"):
        found.append("value: NUL bytes at the end ignored")
        text = text.rstrip("\0")
    return text


def _characters(text: bytes, found: list[str]) -> str:
    if text.startswith(_UTF16_MARKS):
        found.append("value: read as UTF-16")
        return text.decode("utf-16")
    try:
        return text.decode()
    except UnicodeDecodeError:
        found.append("value: not UTF-8; read as Latin-1")
        return text.decode("latin-1")


def _lenient(text: str, found: list[str]) -> Any:
    """Parse with the numbers and the surrogates that Python's parser takes, and replace them.

    Raises:
        ValueError: it is no JSON even so.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        numbers = _Numbers()
        value = _python_value(text, numbers, found)
    if numbers.replaced:
        found.append("value: a number that is NaN or infinite read as null")
    plain, count = _SURROGATE.subn("\ufffd", value)
    if count:
        found.append("value: a lone surrogate replaced by U+FFFD")
    return orjson.loads(plain)


def _python_value(text: str, numbers: "_Numbers", found: list[str]) -> str:
    """Return the text as JSON that has no special numbers; its strings may still hold surrogates."""
    try:
        try:
            value = _load(text, numbers, strict=True)
        except ValueError:
            if _CONTROL.search(text):
                raise
            value = _load(text, numbers, strict=False)
            found.append("value: a line break or tab within a text kept")
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        raise PoisonError(_TOO_DEEP) from None


def _load(text: str, numbers: "_Numbers", *, strict: bool) -> Any:
    return json.loads(
        text, strict=strict, parse_constant=numbers.constant, parse_float=numbers.number, parse_int=numbers.integer
    )


class _Numbers:
    """Reads numbers; one that is not finite is None, and `replaced` says that there was one."""

    __slots__ = ("replaced",)

    def __init__(self) -> None:
        self.replaced = False

    def constant(self, _word: str) -> None:
        self.replaced = True

    def number(self, digits: str) -> float | None:
        value = float(digits)
        if math.isfinite(value):
            return value
        self.replaced = True
        return None

    def integer(self, digits: str) -> float | None:
        return int(digits) if len(digits) <= _INTEGER_LENGTH_MAX else self.number(digits)


def _explain(text: bytes | str, error: orjson.JSONDecodeError) -> str:
    if isinstance(text, bytes):
        try:
            text.decode()
        except UnicodeDecodeError as wrong:
            return f"not UTF-8: {wrong.reason} at byte {wrong.start}; nor JSON in Latin-1"
    found = _NOT_A_NUMBER.match(error.doc, max(error.pos - 1, 0))
    return f"not JSON: {found[1]} is no number" if found else f"not JSON: {error.msg} (character {error.pos})"
