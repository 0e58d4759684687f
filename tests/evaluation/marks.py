"""The marks of filled forms: read, checked and summed up."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from openclaw_stream.vocabulary import Responsibility

BLANK = "marks: subject=? team=? act=? mark=? note="
"""The line of marks of a decision that is not marked yet."""

_MARKS = re.compile(r"marks: subject=(\S+) team=(\S+) act=(\S+) mark=(\S+) note=(.*)")
_NUMBER = re.compile(r"## (\d+)")
_TRUTH = re.compile(r"\| (\d+) \| ([^|]+?) \| ([^|]+?) \| ([A-Z]+) \([a-z]+\) \|.*")
"""A row of the table of the truth: number, id, data set, team (certainty) and what the expert concludes."""


class Mark(StrEnum):
    """How much a decision helps the engineer on call; `harmful` if it makes it worse."""

    HELPFUL = "helpful"
    GENERIC = "generic"
    BESIDE = "beside"
    HARMFUL = "harmful"


@dataclass(frozen=True, slots=True)
class Marked:
    """A marked decision: where it is, its data set and responsible team, and the reader's mark with a note."""

    form: str
    number: int
    id: str
    dataset: str
    team: Responsibility
    mark: Mark
    note: str


class FormError(Exception):
    """A form is not filled in, or was changed elsewhere; the message lists the decisions by number."""


def read_form(path: Path) -> list[Marked]:
    """Return the marks of a filled form.

    Raises:
        FormError: The file cannot be read or is no form, or decisions are unmarked or marked in contradiction to the
            definitions.
    """
    try:
        lines = [line.rstrip() for line in path.read_text(encoding="utf-8").split("\n")]
    except (OSError, UnicodeDecodeError) as error:
        raise FormError(f"cannot read the form {path}: {error}") from error
    truths = {int(row[1]): row for row in map(_TRUTH.fullmatch, lines) if row}
    answers = dict(_answers(lines))
    if not truths or truths.keys() != answers.keys():
        odd = ", ".join(map(str, sorted(truths.keys() ^ answers.keys()))) or "all"
        raise FormError(f"{path} is no complete form: the heading or the truth is missing: {odd}")
    marked, faults = [], []
    for number, line in sorted(answers.items()):
        try:
            mark, note = _mark(line)
        except ValueError as error:
            faults.append(f"{number}: {error}")
            continue
        _, identity, dataset, team = truths[number].groups()
        marked.append(Marked(path.name, number, identity, dataset, Responsibility(team), mark, note))
    if faults:
        raise FormError("\n  ".join((f"{path} has decisions to mark:", *faults)))
    return marked


def _answers(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield the number of each decision with its line of marks, empty where that is missing."""
    number = 0
    for line in lines:
        if heading := _NUMBER.fullmatch(line):
            number = int(heading[1])
            yield number, ""
        elif number and line.startswith("marks:"):
            yield number, line


def _mark(line: str) -> tuple[Mark, str]:
    """Return the mark and the note of a line of marks.

    Raises:
        ValueError: It is unmarked, or contradicts the definitions.
    """
    if line in {"", BLANK}:
        raise ValueError("unmarked")
    match = _MARKS.fullmatch(line)
    if match is None:
        raise ValueError(f"not of the form {BLANK!r}")
    *answers, mark, note = match.groups()
    if not set(answers) <= {"yes", "no"}:
        raise ValueError("subject, team and act must be yes or no")
    if mark not in tuple(Mark):
        raise ValueError(f"mark must be one of {', '.join(Mark)}")
    if mark != Mark.HARMFUL and (mark == Mark.HELPFUL) != ("no" not in answers):
        raise ValueError("a decision is helpful if subject, team and act are yes, and only then")
    if mark != Mark.HELPFUL and not note.strip():
        raise ValueError(f"the note must say why it is {mark}")
    return Mark(mark), note.strip()
