"""Matchers in Alertmanager's own syntax: `alertname="Watchdog", namespace=~"dev-.*"`.

Source: Alertmanager's configuration reference, "Matchers". Several matchers, joined by commas, must all match; a label
that is missing counts as empty; a regular expression matches the whole value. Sets of matchers are separated by
semicolons, of which one must match; braces around a set may be there.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:.\-/]*"
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_MATCHER = re.compile(
    rf'\s*(?P<name>{_NAME}|{_QUOTED})\s*(?P<operator>=~|!~|!=|=)\s*(?P<value>{_QUOTED}|[^\s,;{{}}"\'`]*)\s*'
)
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "t": "\t"}


class Matcher(NamedTuple):
    """One comparison of a label."""

    name: str
    matches_value: Callable[[str], bool]


MatcherSet = tuple[Matcher, ...]


class Matchers:
    """Sets of matchers; labels match where all matchers of any set do."""

    def __init__(self, text: str = "") -> None:
        """Compile matchers.

        Raises:
            ValueError: The text is no list of matchers; the message names the place.
        """
        self.text = text
        self._sets = tuple(_read_set(part) for part in _split(text) if part.strip())
        self.only_names = all(matcher.name == "alertname" for matchers in self._sets for matcher in matchers)
        """Whether the name of an alert says all."""

    def __bool__(self) -> bool:
        return bool(self._sets)

    def match(self, labels: Mapping[str, str], alert_name: str) -> bool:
        """Return whether an alert matches; `alertname` is its name, however the producer writes it."""
        return any(
            all(
                matcher.matches_value(alert_name if matcher.name == "alertname" else labels.get(matcher.name, ""))
                for matcher in matchers
            )
            for matchers in self._sets
        )


def _split(text: str) -> list[str]:
    """Split at semicolons outside of quotes."""
    return re.split(r';(?=(?:[^"\\]|\\.|"(?:[^"\\]|\\.)*")*$)', text)


def _read_set(text: str) -> MatcherSet:
    body = text.strip()
    if body.startswith("{") and body.endswith("}"):
        body = body[1:-1].strip()
    matchers: list[Matcher] = []
    position = 0
    while position < len(body):
        found = _MATCHER.match(body, position)
        if found is None or not (found["value"] or found["operator"] in {"=", "!="}):
            raise ValueError(f'no matcher at {body[position : position + 30]!r}; write label="value" or label=~"regex"')
        matchers.append(Matcher(_unquoted(found["name"]), _comparison(found["operator"], _unquoted(found["value"]))))
        position = found.end()
        if position < len(body):
            if body[position] in "'`":
                raise ValueError(f'a matcher has double quotes only; write label="value" at {body[position:][:30]!r}')
            if body[position] != ",":
                raise ValueError(f"a comma is missing before {body[position : position + 30]!r}")
            position += 1
    return tuple(matchers)


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    return _ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[1] if match[1] in '"\\' else match[0]), text[1:-1])


def _comparison(operator: str, value: str) -> Callable[[str], bool]:
    if operator == "=":
        return lambda other: other == value
    if operator == "!=":
        return lambda other: other != value
    try:
        pattern = re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{value!r} is no regular expression: {error}") from None
    if operator == "=~":
        return lambda other: pattern.fullmatch(other) is not None
    return lambda other: pattern.fullmatch(other) is None
