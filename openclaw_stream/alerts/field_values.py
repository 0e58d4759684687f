"""Optional fields of an alert, read from the JSON value that a producer wrote: of another type left out or mended.

Every function appends to `warnings` what it ignored or mended, and raises nothing.
"""

import math
from typing import Any

import orjson

from openclaw_stream.text import Hidden, safe_text

SHOWN_MAX = 60
_PAIR_NAMES = ("name", "key", "label")


def describe_value(value: object, key: str = "") -> str:
    """Return what a message may say of a JSON value: its kind, and a scalar itself, capped and without secrets."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if not isinstance(value, str):
        return f"the number {value}"[:SHOWN_MAX]
    return f'the string "{safe_text(value, SHOWN_MAX, hidden=Hidden.ESCAPE, name=key)}"'


def inner_text(value: object, names: tuple[str, ...]) -> str | None:
    """Return a text, that of an object such as `{"name": "critical"}`, or the only one of a list."""
    if type(value) is list and len(value) == 1:
        value = value[0]
    if type(value) is dict:
        value = next((value[name] for name in names if type(value.get(name)) is str), None)
    return value if type(value) is str else None


def _ignored(field: str, expected: str, value: object, key: str = "") -> str:
    where = f"{field}.{safe_text(key, SHOWN_MAX, hidden=Hidden.ESCAPE)}" if key else field
    return f"{where}: expected {expected}, got {describe_value(value, key)}; left out"


def text_of(value: object, field: str, warnings: list[str]) -> str:
    """Return a field that is no text as one, where that makes sense."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        warnings.append(f"{field}: expected a text, got {describe_value(value)}; read as text")
        return str(value)
    if value is not None:
        warnings.append(_ignored(field, "a text", value))
    return ""


def named_text(value: object, field: str, warnings: list[str]) -> str:
    """Return a field as text: the only one of a list; of an object the name, and its kind where it has one."""
    if type(value) is list and len(value) == 1 and type(value[0]) is str:
        warnings.append(f"{field}: expected a text, got a list; its only text is taken")
        return value[0]
    if type(value) is dict and type(name := value.get("name")) is str:
        warnings.append(f"{field}: expected a text, got an object; its name is taken")
        return f"{kind}/{name}" if field == "target_resource" and type(kind := value.get("kind")) is str else name
    return text_of(value, field, warnings)


def texts_of(values: Any, field: str, warnings: list[str]) -> dict[str, str]:
    """Return an object with its values as texts; itself where they are."""
    if type(values) is not dict:
        return _unusual_texts(values, field, warnings)
    for value in values.values():
        if type(value) is not str:
            return _converted(field, values, warnings)
    return values


def _unusual_texts(values: object, field: str, warnings: list[str]) -> dict[str, str]:
    """Return the texts of an object that was written as JSON text or as a list of pairs of name and value."""
    if values is None:
        return {}
    pairs = _pairs(values)
    if pairs is None:
        warnings.append(_ignored(field, "an object of texts", values))
        return {}
    kind = "a list" if type(values) is list else "a text"
    warnings.append(f"{field}: expected an object of texts, got {kind}; its pairs are taken")
    return _converted(field, pairs, warnings)


def _converted(field: str, values: dict[str, Any], warnings: list[str]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, str):
            texts[key] = value
        elif isinstance(value, bool):
            texts[key] = "true" if value else "false"
        elif isinstance(value, int | float):
            texts[key] = str(value)
        elif value is not None:
            warnings.append(_ignored(field, "a text", value, key))
    return texts


def metrics_of(values: Any, warnings: list[str]) -> dict[str, float]:
    """Return an object with its values as finite numbers; itself where they are."""
    if type(values) is not dict:
        if values is not None:
            warnings.append(_ignored("metrics", "an object of numbers", values))
        return {}
    for value in values.values():
        # Whole numbers stay as they are; JSON has no infinite ones. A bool is not of the type int itself.
        if type(value) is not float and type(value) is not int:
            return _numbers(values, warnings)
    return values


def _numbers(values: dict[str, Any], warnings: list[str]) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for key, value in values.items():
        number = _number(value)
        if number is not None:
            numbers[key] = number
        elif value is not None:
            warnings.append(_ignored("metrics", "a finite number", value, key))
    return numbers


def _number(value: object) -> float | None:
    if not isinstance(value, int | float | str) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _pairs(values: object) -> dict[str, Any] | None:
    """Return an object that was written as JSON text, as a list of names and values, or as texts `name:value`."""
    if type(values) is str and values.lstrip().startswith("{"):
        try:
            values = orjson.loads(values)
        except orjson.JSONDecodeError:
            return None
    if type(values) is dict:
        return values
    if type(values) is not list:
        return None
    pairs = [_pair(item) for item in values]
    return {name: value for name, value in pairs if name} if any(name for name, _ in pairs) else None


def _pair(item: object) -> tuple[str, Any]:
    if type(item) is str:
        name, _, value = item.partition(":")
        return (name.strip(), value.strip()) if value else ("", None)
    if type(item) is not dict:
        return "", None
    return next((item[name] for name in _PAIR_NAMES if type(item.get(name)) is str), ""), item.get("value")
