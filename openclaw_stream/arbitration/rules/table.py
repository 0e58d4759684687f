"""The table of rules: read from the TOML files beside this module, checked, and indexed for matching.

vocabulary.toml   headings and their words
routing.toml      from headings to the responsible team, with weights; how sure a margin makes
causes/*.toml     per team: what it may be, what to do, what to tune, in both languages
phrases.toml      the sentences around them
"""

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from typing import Any, Self

from openclaw_stream.arbitration.rules.words import Lexicon
from openclaw_stream.events.vocabulary import Language, Responsibility, TuningType

Need = tuple[str, ...]
"""Headings of which one must be seen."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """Evidence for a team: every need must be met; silenced by an `unless` heading seen at least as plainly.

    `weight` is in log-odds. A row without needs always speaks: it is what is assumed of an alert that tells nothing.
    """

    team: Responsibility
    needs: tuple[Need, ...]
    unless: tuple[str, ...]
    weight: float


@dataclass(frozen=True, slots=True)
class Tuning:
    """One preventive change; `config` is what to write where there is no command for it."""

    type: TuningType
    text: Mapping[Language, str]
    config: str


@dataclass(frozen=True, eq=False)
class Cause:
    """What it may be, within a team: when any of the `ways` is met, each a list of needs.

    `depth` orders causes by how far down they lie: of two troubles at once, the deeper one explains the other.
    `remedy` is one of none, restart, hpa, limits; there is a command only for a workload that is named.
    """

    id: str
    team: Responsibility
    ways: tuple[tuple[Need, ...], ...]
    depth: int
    remedy: str
    title: Mapping[Language, str]
    what: Mapping[Language, str]
    first: Mapping[Language, str]
    tuning: tuple[Tuning, ...]

    @cached_property
    def headings(self) -> frozenset[str]:
        """All headings that any of the ways asks for."""
        return frozenset(heading for way in self.ways for need in way for heading in need)


@dataclass(frozen=True, slots=True)
class Fields:
    """How plainly a field of an alert speaks: strengths of 0 to 1, and which labels and annotations are read how."""

    name: float
    headline: float
    detail: float
    aside: float
    subject: float
    label: float
    key: float
    subjects: frozenset[str]
    headlines: frozenset[str]
    ignored: frozenset[str]


@dataclass(frozen=True, slots=True)
class Sureness:
    """How sure a lead of the best team over the second makes, and the ceiling by its own score: points of lines."""

    margins: tuple[tuple[float, float], ...]
    ceilings: tuple[tuple[float, float], ...]
    unknown: float


@dataclass(frozen=True)
class Table:
    """All rules."""

    headings: Mapping[str, tuple[str, ...]]
    as_is: tuple[str, ...]
    rows: tuple[Row, ...]
    causes: tuple[Cause, ...]
    fields: Fields
    sureness: Sureness
    phrases: Mapping[Language, Mapping[str, str]] = field(repr=False)

    @cached_property
    def lexicon(self) -> Lexicon:
        """The vocabulary, ready to be found in text; words nobody asks for stay, as they hide others."""
        heard = self._asked() | {DIRECTIVE, TEAM_WORD, "noise"}
        return Lexicon({h: words for h, words in self.headings.items() if "." not in h or h in heard}, self.as_is)

    @cached_property
    def rows_by_heading(self) -> Mapping[str, tuple[Row, ...]]:
        """Rows by each heading of their first need; those without needs under the empty heading."""
        index: dict[str, list[Row]] = {"": []}
        for row in self.rows:
            for heading in row.needs[0] if row.needs else ("",):
                index.setdefault(heading, []).append(row)
        return {heading: tuple(rows) for heading, rows in index.items()}

    @cached_property
    def causes_by_team(self) -> Mapping[Responsibility, tuple[Cause, ...]]:
        """Causes by team, in the order of their files; the last of each needs nothing."""
        return {team: tuple(c for c in self.causes if c.team is team) for team in Responsibility}

    @classmethod
    def parse(cls, sources: Mapping[str, str]) -> Self:
        """Read the table from the text of its files by name; raises ValueError or KeyError on one that is wrong."""
        read = {name: tomllib.loads(text) for name, text in sources.items()}
        vocabulary = dict(_folder(read, "vocabulary"))
        as_is = tuple(word for words in vocabulary.pop("as_is").values() for word in words)
        routing = read["routing.toml"]
        table = cls(
            headings=dict(_headings(vocabulary)),
            as_is=as_is,
            rows=tuple(_row(row, routing["groups"]) for row in routing["table"]["rows"]),
            causes=tuple(_cause(key, cause) for key, cause in _folder(read, "causes")),
            fields=_fields(routing["fields"]),
            sureness=_sureness(routing["sureness"]),
            phrases={language: read["phrases.toml"][language] for language in Language},
        )
        table.check()
        return table

    def check(self) -> None:
        """Raise ValueError where a row or a cause asks for a heading that does not exist."""
        unknown = sorted(self._asked() - {*self.headings, DESCRIBED, NAMED_SERVICE})
        if unknown:
            raise ValueError(f"the rules ask for headings that are not in the vocabulary: {', '.join(unknown)}")
        for team in Responsibility:
            causes = self.causes_by_team[team]
            if not causes or causes[-1].ways != ((),):
                raise ValueError(f"the last cause of {team} must need nothing, so that there is always one")

    def _asked(self) -> set[str]:
        by_rows = {heading for row in self.rows for heading in (*row.unless, *(h for need in row.needs for h in need))}
        return by_rows.union(*(cause.headings for cause in self.causes))


DIRECTIVE = "directive"
"""The heading of words that ask for a decision instead of telling what happens."""

TEAM_WORD = "team_word"
"""The heading of words that may stand for a team."""

DESCRIBED = "described"
"""The heading of an alert whose name is more than one word."""

NAMED_SERVICE = "named_service"
"""The heading of an alert that names a service or application by a name which tells nothing else."""


def sources() -> dict[str, str]:
    """Return the text of the files that make up the table, by name."""
    root = files(__package__)
    found = {"": root, "causes/": root / "causes", "vocabulary/": root / "vocabulary"}
    return {
        f"{folder}{entry.name}": entry.read_text(encoding="utf-8")
        for folder, place in found.items()
        for entry in place.iterdir()
        if entry.name.endswith(".toml")
    }


def version(texts: Mapping[str, str]) -> str:
    """Return a short hash of the table's content: it changes when any rule does."""
    digest = hashlib.sha256()
    for name, text in sorted(texts.items()):
        digest.update(f"{name}\0{text}\0".encode())
    return digest.hexdigest()[:12]


def _folder(read: Mapping[str, Mapping[str, Any]], folder: str) -> Iterator[tuple[str, Any]]:
    """Return the entries of a folder's files, in the order of their names."""
    for name in sorted(read):
        if name.startswith(f"{folder}/"):
            yield from read[name].items()


def _headings(vocabulary: Mapping[str, Mapping[str, list[str]]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for heading, groups in vocabulary.items():
        yield heading, tuple(word for words in groups.values() for word in words)
        for group, words in groups.items():
            yield f"{heading}.{group}", tuple(words)


def _needs(when: str) -> tuple[Need, ...]:
    return tuple(tuple(need.split("|")) for need in when.split())


def _row(row: Mapping[str, Any], groups: Mapping[str, str]) -> Row:
    unless = [
        heading
        for word in row.get("unless", "").split()
        for heading in (groups[word[1:]].split() if word.startswith("@") else [word])
    ]
    return Row(Responsibility(row["team"]), _needs(row["when"]), tuple(unless), float(row["weight"]))


def _cause(key: str, cause: Mapping[str, Any]) -> Cause:
    when = cause["when"]
    return Cause(
        id=key,
        team=Responsibility(cause["team"]),
        ways=tuple(_needs(way) for way in ([when] if isinstance(when, str) else when)),
        depth=int(cause["depth"]),
        remedy=cause.get("remedy", "none"),
        title=_texts(cause, "title"),
        what=_texts(cause, "what"),
        first=_texts(cause, "first"),
        tuning=tuple(
            Tuning(TuningType(item["type"]), _texts(item), item.get("config", "")) for item in cause.get("tuning", ())
        ),
    )


def _texts(source: Mapping[str, Any], key: str = "") -> dict[Language, str]:
    return {language: source[language][key] if key else source[language] for language in Language}


def _fields(read: Mapping[str, Any]) -> Fields:
    fields: dict[str, Any] = {
        key: frozenset(value) if isinstance(value, list) else value for key, value in read.items()
    }
    return Fields(**fields)


def _sureness(read: Mapping[str, Any]) -> Sureness:
    return Sureness(
        margins=tuple((float(x), float(y)) for x, y in read["margins"]),
        ceilings=tuple((float(x), float(y)) for x, y in read["ceilings"]),
        unknown=float(read["unknown"]),
    )
