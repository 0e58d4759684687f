"""From the opinions on the alert names of a case to one diagnosis.

Several troubles at once are often one: a lost node under a failing database under a service that answers with errors.
The cause that lies deepest and is sure enough is taken for the root; the others are its symptoms. Opinions of equal
depth that name other teams are doubts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from openclaw_stream.arbitration.rules.opinion import Opinion
from openclaw_stream.arbitration.rules.table import Cause
from openclaw_stream.vocabulary import Responsibility

_HEARD = 0.5
"""From this confidence on an opinion counts beside others."""

_SECOND_SHARE = 0.4
"""From this share of the best team's score on, the second team is worth naming."""

_SYMPTOM_COST = 0.10
_DOUBT_COST = 0.35
_AGREEMENT = 0.25
"""What share of the remaining doubt a second opinion for the same team takes away."""

_CEILING = 0.99
_SECONDARY_MAX = 3


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Who is responsible for a case, and why.

    `primary` is COLLAB only where nothing tells of any team; then the first of `secondary` is the likeliest one.
    `cause` is what it may be, `root` the opinion that decided, `supporting` all of its team, `symptoms` and `doubts`
    those of other teams.
    """

    primary: Responsibility
    confidence: float
    secondary: tuple[Responsibility, ...]
    cause: Cause
    root: Opinion
    supporting: tuple[Opinion, ...]
    symptoms: tuple[Opinion, ...] = ()
    doubts: tuple[Opinion, ...] = ()


def diagnose(opinions: Sequence[Opinion], unknown: Cause) -> Diagnosis:
    """Return the diagnosis of a case from one opinion per alert name; there is at least one.

    `unknown` is the cause where nothing tells of any team.
    """
    known = [opinion for opinion in opinions if opinion.known]
    if not known:
        root = opinions[0]
        return Diagnosis(Responsibility.COLLAB, root.confidence, (root.team,), unknown, root, tuple(opinions))
    heard = [opinion for opinion in known if opinion.confidence >= _HEARD] or known
    root = max(heard, key=_weight)
    supporting = tuple(opinion for opinion in known if opinion.team is root.team)
    others = [opinion for opinion in heard if opinion.team is not root.team]
    symptoms = tuple(opinion for opinion in others if opinion.cause.depth < root.cause.depth)
    doubts = tuple(opinion for opinion in others if opinion.cause.depth >= root.cause.depth)
    return Diagnosis(
        primary=root.team,
        confidence=_confidence(supporting, len(symptoms), len(doubts)),
        secondary=_secondary(root, others),
        cause=root.cause,
        root=root,
        supporting=supporting,
        symptoms=symptoms,
        doubts=doubts,
    )


def _weight(opinion: Opinion) -> float:
    """Weigh how deep, how sure and how severe; depth counts most."""
    return opinion.cause.depth * opinion.confidence * (1 + 0.1 * opinion.signal.severity.rank)


def _confidence(supporting: Sequence[Opinion], symptoms: int, doubts: int) -> float:
    confidence = max(opinion.confidence for opinion in supporting)
    agreeing = sum(opinion.confidence >= _HEARD for opinion in supporting) - 1
    if agreeing > 0:
        confidence = 1 - (1 - confidence) * (1 - _AGREEMENT)
    others = symptoms + doubts
    if others:
        share = others / (others + len(supporting))
        confidence *= 1 - share * (_SYMPTOM_COST * symptoms + _DOUBT_COST * doubts) / others
    return round(min(confidence, _CEILING), 2)


def _secondary(root: Opinion, others: Sequence[Opinion]) -> tuple[Responsibility, ...]:
    """Return the other teams: those of other opinions by weight, else the root's own second if it is close."""
    teams = dict.fromkeys(opinion.team for opinion in sorted(others, key=_weight, reverse=True))
    if not teams and len(root.scores) > 1:
        (_, best), (team, second) = list(root.scores.items())[:2]
        if second >= _SECOND_SHARE * best:
            teams[team] = None
    return tuple(teams)[:_SECONDARY_MAX]
