"""The file of owners: TOML tables `[[owner]]` in order, of which the first that matches an incident counts."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from openclaw_stream.alerts.matchers import Matchers
from openclaw_stream.arbitration.ownership.contact import read_contact
from openclaw_stream.errors import SettingsError
from openclaw_stream.incidents.case import TEAM_NAME_MAX, Case, Owner
from openclaw_stream.text import Hidden, safe_text
from openclaw_stream.vocabulary import Responsibility

RESPONSIBILITIES = {team.value: team for team in Responsibility if team is not Responsibility.COLLAB}
"""What an owner may be responsible for, by its name; the responsibility of several teams has no owner."""

T = TypeVar("T")

_ENTRIES = "owner"
_REQUIRED = ("match", "team")
_KEYS = (*_REQUIRED, "responsibility", "contact")
_MATCH_SHOWN = 200
_QUOTED_MAX = 100
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_HEADER = re.compile(r"^[ \t]*(?:\[\[[ \t]*[\"']?owner[\"']?[ \t]*\]\]|[\"']?owner[\"']?[ \t]*=)", re.MULTILINE)


class OwnersFileError(SettingsError):
    """The file of owners cannot be used; `line` counts from 1, and is 0 where the fault has none."""

    def __init__(self, file: str, line: int, reason: str) -> None:
        place = f", line {line}" if line else ""
        super().__init__(f"owners file {file}{place}: {reason}")
        self.file = file
        self.line = line
        self.reason = reason


Fail = Callable[[str, str], OwnersFileError]
"""Returns the error of a key of one entry, with a reason."""


@dataclass(frozen=True, slots=True)
class OwnerEntry:
    """One entry of the file."""

    matchers: Matchers
    owner: Owner


@dataclass(frozen=True, slots=True)
class OwnersFile:
    """The entries of a file, in its order."""

    entries: tuple[OwnerEntry, ...] = ()

    def owner_of(self, case: Case) -> Owner | None:
        """Return the owner that the first matching entry names, None where none matches.

        An entry sees the namespace, subject, kind and service of the incident, and the labels of its alerts; of a label
        that several alerts have, the first counts, so that a later alert does not change the owner.
        """
        if not self.entries:
            return None
        labels = _labels(case)
        alert_name = case.exemplars[0].name if case.exemplars else next(iter(case.alert_names), "")
        return next((entry.owner for entry in self.entries if entry.matchers.match(labels, alert_name)), None)


def parse_owners(text: str, file: str) -> OwnersFile:
    """Return the entries of a file of owners.

    Args:
        text: Its text, as TOML.
        file: Its name, for errors.

    Raises:
        OwnersFileError: The text is no TOML, has no entry, or one of its entries is wrong.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(text, file, str(error)) from None
    except RecursionError:
        raise OwnersFileError(
            file, 0, f"its values are nested too deeply; begin each entry with [[{_ENTRIES}]]"
        ) from None
    other = next((key for key in document if key != _ENTRIES), None)
    if other is not None:
        line = _line_of_key(text, 0, other)
        raise OwnersFileError(file, line, f"unknown key {_quoted(other)}; begin each entry with [[{_ENTRIES}]]")
    entries = document.get(_ENTRIES)
    if not entries:
        raise OwnersFileError(file, 0, f"it has no [[{_ENTRIES}]] entry; add one, or unset OPENCLAW_OWNERS")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        line = _line_of_key(text, 0, _ENTRIES)
        raise OwnersFileError(file, line, f"entries are tables; begin each with [[{_ENTRIES}]]")
    return OwnersFile(tuple(_entry(entry, number, text, file) for number, entry in enumerate(entries, start=1)))


def _labels(case: Case) -> Mapping[str, str]:
    labels: dict[str, str] = {}
    for exemplar in case.exemplars:
        for name, value in exemplar.labels.items():
            labels.setdefault(name, value)
    subject = case.grouped_by or case.subject
    return labels | {
        "namespace": subject.namespace or case.namespace,
        "subject": subject.name,
        "kind": subject.kind,
        "service": case.service,
    }


def _entry(entry: Mapping[str, Any], number: int, text: str, file: str) -> OwnerEntry:
    fail = partial(_entry_error, text, file, number)
    _check_keys(entry, fail)
    owner = Owner(
        team=_value(entry, "team", _team, fail),
        matched_by=_matched_by(number, entry["match"]),
        responsibility=_value(entry, "responsibility", _responsibility, fail) if "responsibility" in entry else None,
        contact=_value(entry, "contact", read_contact, fail) if "contact" in entry else "",
    )
    return OwnerEntry(_value(entry, "match", _matchers, fail), owner)


def _check_keys(entry: Mapping[str, Any], fail: Fail) -> None:
    for key, value in entry.items():
        if key not in _KEYS:
            raise fail(key, f"unknown key {_quoted(key)}; the keys of an entry are {', '.join(_KEYS)}")
        if not isinstance(value, str):
            raise fail(key, f'{key} is no text; write {key} = "…"')
    for key in _REQUIRED:
        if not entry.get(key, "").strip():
            raise fail(key, f'{key} is missing or empty; add {key} = "…"')


def _value(entry: Mapping[str, str], key: str, read: Callable[[str], T], fail: Fail) -> T:
    try:
        return read(entry[key])
    except ValueError as error:
        raise fail(key, f"{key} {_quoted(entry[key])} is not allowed: {error}") from None


def _matched_by(number: int, match: str) -> str:
    return f"owners file, entry {number}: {safe_text(match, _MATCH_SHOWN, one_line=True)}"


def _matchers(text: str) -> Matchers:
    matchers = Matchers(text)
    if not matchers:
        raise ValueError('it has no matcher; write label="value", or {} to match everything')
    return matchers


def _team(text: str) -> str:
    if len(text) > TEAM_NAME_MAX:
        raise ValueError(f"it has {len(text)} characters; at most {TEAM_NAME_MAX} are allowed")
    if safe_text(text, TEAM_NAME_MAX, one_line=True) != text:
        raise ValueError("it holds a secret, an e-mail address, a hidden character or blanks at an end")
    return text


def _responsibility(text: str) -> Responsibility:
    try:
        return RESPONSIBILITIES[text.upper()]
    except KeyError:
        raise ValueError(f"write {', '.join(RESPONSIBILITIES)}, or leave it out") from None


# ---- errors


def _quoted(text: str) -> str:
    return f"{safe_text(text, _QUOTED_MAX, hidden=Hidden.ESCAPE)!r}"


def _entry_error(text: str, file: str, number: int, key: str, reason: str) -> OwnersFileError:
    return OwnersFileError(file, _line_of_key(text, number, key), f"entry {number}: {reason}")


def _syntax_error(text: str, file: str, message: str) -> OwnersFileError:
    place = _PLACE.search(message)
    line = int(place[1]) if place and place[1] else text.rstrip("\n").count("\n") + 1
    reason = _PLACE.sub("", message)
    return OwnersFileError(file, line, f"it is no TOML: {safe_text(reason, _QUOTED_MAX, hidden=Hidden.ESCAPE)}")


def _line_of_key(text: str, number: int, key: str) -> int:
    """Return the line of a key in an entry; of the entry's header where it has no such key, or the key is empty.

    Entries are counted from 1; with 0 the whole text is searched.
    """
    headers = [match.span() for match in _HEADER.finditer(text)]
    header, start, end = 0, 0, len(text)
    if number and headers:
        header, start = headers[min(number, len(headers)) - 1]
        end = headers[number][0] if number < len(headers) else end
    pattern = re.compile(rf"^[ \t]*\[*[ \t]*[\"']?{re.escape(key)}[\"']?[ \t]*[=.\]]", re.MULTILINE)
    found = pattern.search(text, start, end) if key else None
    return text.count("\n", 0, found.start() if found else header) + 1
