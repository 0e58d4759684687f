"""The table of rules, indexed for matching; `loading` reads it from the files beside this module."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from openclaw_stream.arbitration.rules.words import Lexicon
from openclaw_stream.vocabulary import Language, Responsibility, TuningType

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
    common: frozenset[str]
    headlines: frozenset[str]
    ignored: frozenset[str]
    sources: frozenset[str]


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
        heard = self._asked() | {DIRECTIVE, OBLIGATION, NAMING, TEAM_WORD, "noise"}
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

    def check(self) -> None:
        """Raise ValueError where a row or a cause asks for a heading that does not exist."""
        unknown = sorted(self._asked() - {*self.headings, NAMED_SERVICE})
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

OBLIGATION = "obligation"
"""The heading of words that, as a directive or beside one, say that what is named before them shall do it."""

NAMING = "naming"
"""The heading of verbs that make a directive of the team named after them."""

TEAM_WORD = "team_word"
"""The heading of words that may stand for a team."""

NAMED_SERVICE = "named_service"
"""The heading of an alert that names a service or application by a name which tells nothing else."""
