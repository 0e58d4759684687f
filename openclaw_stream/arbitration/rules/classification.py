"""From the evidence of one alert name to an opinion: which team, how sure, what it may be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from openclaw_stream.arbitration.rules.mentions import Evidence, Signal
from openclaw_stream.arbitration.rules.table import NAMED_SERVICE, Cause, Need, Row, Sureness, Table
from openclaw_stream.vocabulary import Responsibility

_DAMPING = 0.5
"""What each further row for a team adds, as a share of the one before: rows about one thing are not independent."""

_WORDS_MAX = 6

Weighed = list[tuple[float, Row]]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one signal says by itself.

    `scores` are log-odds by team, best first, of the teams that anything speaks for. `words` are the vocabulary's
    words that spoke for the best. `known` is false where nothing did but what is assumed of every alert.
    """

    signal: Signal
    team: Responsibility
    confidence: float
    scores: Mapping[Responsibility, float]
    cause: Cause
    words: tuple[str, ...]
    known: bool


def opinion(signal: Signal, table: Table) -> Opinion:
    """Weigh the rows of the table that the evidence meets."""
    spoken = _weigh(signal.evidence, table)
    scores = dict(sorted(((team, _total(parts)) for team, parts in spoken.items()), key=lambda item: -item[1]))
    team = next(iter(scores))
    known = any(row.needs for parts in spoken.values() for _, row in parts)
    return Opinion(
        signal=signal,
        team=team,
        confidence=_sure(list(scores.values()), table.sureness) if known else table.sureness.unknown,
        scores=scores,
        cause=_cause(team, signal.evidence, table),
        words=_words(spoken[team], signal.evidence),
        known=known,
    )


def _weigh(evidence: Evidence, table: Table) -> dict[Responsibility, Weighed]:
    """Return the rows that speak by team, those that say most first."""
    index = table.rows_by_heading
    heard: dict[Row, float] = {}
    for heading in ("", *evidence):
        for row in index.get(heading, ()):
            if row not in heard:
                strength = _met(row.needs, evidence)
                silenced = _plainest(row.unless, evidence) >= strength
                heard[row] = 0.0 if silenced else strength * row.weight
    spoken: dict[Responsibility, Weighed] = {}
    for row, said in sorted(heard.items(), key=lambda item: -item[1]):
        if said:
            spoken.setdefault(row.team, []).append((said, row))
    return spoken


def _met(needs: Sequence[Need], evidence: Evidence) -> float:
    """Return how plainly all needs are met: as plainly as the least of them, 1 where there are none."""
    least = 1.0
    for need in needs:
        plainest = _plainest(need, evidence)
        if not plainest:
            return 0.0
        least = min(least, plainest)
    return least


def _plainest(headings: Sequence[str], evidence: Evidence) -> float:
    """Return how plainly the plainest of the headings is seen, 0 where none is."""
    plainest = 0.0
    for heading in headings:
        sighting = evidence.get(heading)
        if sighting is not None and sighting.strength > plainest:
            plainest = sighting.strength
    return plainest


def _total(parts: Weighed) -> float:
    return sum(said * _DAMPING**place for place, (said, _) in enumerate(parts))


def _sure(scores: list[float], sureness: Sureness) -> float:
    best, second = scores[0], scores[1] if len(scores) > 1 else 0.0
    return min(_line(sureness.margins, best - second), _line(sureness.ceilings, best))


def _line(points: Sequence[tuple[float, float]], x: float) -> float:
    """Return the value at `x` of a line through points in order of x, flat beyond its ends."""
    before = points[0]
    for point in points:
        if x <= point[0]:
            span = point[0] - before[0]
            share = (x - before[0]) / span if span else 0.0
            return before[1] + share * (point[1] - before[1])
        before = point
    return before[1]


def _cause(team: Responsibility, evidence: Evidence, table: Table) -> Cause:
    """Return the cause of the team that is seen most plainly; of equals the one that stands first."""
    causes = table.causes_by_team[team]
    best, plainest = causes[-1], 0.0
    for cause in causes[:-1]:
        if cause.headings.isdisjoint(evidence):
            continue
        strength = max(_met(way, evidence) for way in cause.ways)
        if strength > plainest:
            best, plainest = cause, strength
    return best


def _words(parts: Weighed, evidence: Evidence) -> tuple[str, ...]:
    """Return the words that spoke for the team, loudest first."""
    words: dict[str, None] = {}
    for _, row in parts:
        for need in row.needs:
            heading = max(need, key=lambda heading: _plainest((heading,), evidence))
            if heading != NAMED_SERVICE:
                words[evidence[heading].word] = None
    return tuple(words)[:_WORDS_MAX]
