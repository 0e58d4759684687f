"""Combines the classifications of the alert names of a case into one diagnosis.

Simultaneous faults are often one: a lost node below a failing database below a service that returns errors. The deepest
cause with enough confidence is taken for the root cause, and shallower causes of other teams are its symptoms. Causes
of other teams at the same depth or deeper are conflicting.

An alert of severity info tells of a change more often than of a fault: it is the root cause only where no other alert
is there, and lowers the confidence otherwise.

Where the owner of the subject is known, alerts that name no part of another team are classified as the owner's. Where
the evidence points to another team, that team stays, and the owner's comes second: it knows the subject.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from openclaw_stream.arbitration.rules.classification import Classification
from openclaw_stream.arbitration.rules.rule_set import EVERYWHERE, SEVERAL_CHANGES, Cause
from openclaw_stream.vocabulary import Responsibility, Severity

_CONFIDENCE_MIN = 0.5
"""From this confidence on a classification counts beside others."""

_SECOND_SHARE = 0.4
"""From this share of the best team's score on, the second team is named."""

_SYMPTOM_COST = 0.10
_CONFLICT_COST = 0.35
_AGREEMENT = 0.25
"""The share of the remaining uncertainty that a second classification for the same team removes."""

_NOTICE_COST = 0.18
"""What a notice of another team costs: a release, failover or rotation at the same time may be the reason."""

_NOTICES_MIN = 2
"""From this many notices on, any of them may be the reason."""

_OTHER_TEAMS, _EVERYWHERE_COST = 3, 0.3
"""Where parts of all teams are at fault, load that they share is as likely as one part."""

_OWNER_CONFIDENCE = 0.9
"""The least confidence in the owner's team where nothing points to another."""

_CONFIDENCE_MAX = 0.99
_SECONDARY_MAX = 3


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Which team is responsible for a case, and why.

    `primary` is COLLAB only where no alert matches a rule; then the first of `secondary` is the likeliest team. `root`
    is the classification that decided, `supporting` are all of its team, `symptoms` and `conflicting` those of other
    teams, `notices` those of other teams in alerts that only inform.
    """

    primary: Responsibility
    confidence: float
    secondary: tuple[Responsibility, ...]
    cause: Cause
    root: Classification
    supporting: tuple[Classification, ...]
    symptoms: tuple[Classification, ...] = ()
    conflicting: tuple[Classification, ...] = ()
    notices: tuple[Classification, ...] = ()

    @property
    def shared(self) -> str:
        """The category of what several teams share: one of many changes, or a fault of all parts; else empty."""
        if len(self.notices) >= _NOTICES_MIN:
            return SEVERAL_CHANGES
        return EVERYWHERE if _everywhere(self.root, (*self.symptoms, *self.conflicting)) else ""

    @property
    def by_owner(self) -> bool:
        """Whether the team is that of the subject's owner, because the alerts show symptoms only."""
        return self.root.by_owner


def diagnose(
    classifications: Sequence[Classification], unknown: Cause, owner: Responsibility | None = None
) -> Diagnosis:
    """Return the diagnosis of a case.

    Args:
        classifications: One per alert name, at least one; each with this owner.
        unknown: The cause to report where no alert matches a rule and no owner is known.
        owner: The responsibility of the subject's owner, None where it is not known.
    """
    diagnosis = _diagnose(classifications, unknown)
    if owner is None:
        return diagnosis
    if diagnosis.primary is not owner:
        return replace(diagnosis, secondary=_joined((owner,), diagnosis.secondary))
    pointed = [team for each in classifications for team in each.scores if team in each.pointed - {owner}]
    return replace(
        diagnosis,
        confidence=diagnosis.confidence if pointed else max(diagnosis.confidence, _OWNER_CONFIDENCE),
        secondary=_joined(diagnosis.secondary, pointed),
    )


def _joined(first: Iterable[Responsibility], second: Iterable[Responsibility]) -> tuple[Responsibility, ...]:
    return tuple(dict.fromkeys((*first, *second)))[:_SECONDARY_MAX]


def _diagnose(classifications: Sequence[Classification], unknown: Cause) -> Diagnosis:
    matched = [each for each in classifications if each.matched]
    if not matched:
        first, *others = classifications
        root = replace(first, team=first.beside or first.team)
        return Diagnosis(
            Responsibility.COLLAB, root.confidence, (root.team,), unknown, root, supporting=(root, *others)
        )
    confident = [each for each in matched if each.confidence >= _CONFIDENCE_MIN] or matched
    faults = [each for each in confident if each.evidence.severity is not Severity.INFO] or confident
    root = _most_telling(max(faults, key=_weight), faults)
    supporting = tuple(each for each in matched if each.team is root.team)
    others = [each for each in faults if each.team is not root.team]
    notices = tuple(each for each in confident if each not in faults and each.team is not root.team)
    symptoms = tuple(each for each in others if each.cause.depth < root.cause.depth)
    conflicting = tuple(each for each in others if each.cause.depth >= root.cause.depth)
    return Diagnosis(
        primary=root.team,
        confidence=_confidence(supporting, symptoms, conflicting, len(notices)),
        secondary=_secondary(root, [*others, *notices]),
        cause=root.cause,
        root=root,
        supporting=supporting,
        symptoms=symptoms,
        conflicting=conflicting,
        notices=notices,
    )


def _weight(classification: Classification) -> float:
    """Return depth times confidence, with up to a few tenths more for severity: depth counts most."""
    return classification.cause.depth * classification.confidence * (1 + 0.1 * classification.evidence.severity.rank)


def _everywhere(root: Classification, others: Sequence[Classification]) -> bool:
    """Return whether parts of all teams are at fault, although the platform below the others is not the root cause."""
    return root.team is not Responsibility.INFRA and len({each.team for each in others}) >= _OTHER_TEAMS


def _most_telling(root: Classification, faults: Sequence[Classification]) -> Classification:
    """Return the fault of the root's team and depth, at least as severe, whose alert states its own reason; else it."""
    telling = (
        each
        for each in faults
        if each.team is root.team
        and each.cause.refines > root.cause.refines
        and each.cause.depth == root.cause.depth
        and each.evidence.severity.rank >= root.evidence.severity.rank
    )
    return max(telling, key=_weight, default=root)


def _confidence(
    supporting: Sequence[Classification],
    symptoms: Sequence[Classification],
    conflicting: Sequence[Classification],
    notices: int,
) -> float:
    confidence = max(each.confidence for each in supporting)
    agreeing = sum(each.confidence >= _CONFIDENCE_MIN for each in supporting) - 1
    if agreeing > 0:
        confidence = 1 - (1 - confidence) * (1 - _AGREEMENT)
    others = (*symptoms, *conflicting)
    if others:
        share = len(others) / (len(others) + len(supporting))
        confidence *= 1 - share * (_SYMPTOM_COST * len(symptoms) + _CONFLICT_COST * len(conflicting)) / len(others)
    confidence *= (1 - _NOTICE_COST) ** notices
    if _everywhere(supporting[0], others):
        confidence *= 1 - _EVERYWHERE_COST
    return round(min(confidence, _CONFIDENCE_MAX), 2)


def _secondary(root: Classification, others: Sequence[Classification]) -> tuple[Responsibility, ...]:
    """Return the other teams: those of other classifications by weight, else the root's own second."""
    teams = dict.fromkeys(each.team for each in sorted(others, key=_weight, reverse=True))
    if not teams:
        (_, best), *rest = root.scores.items()
        close = [team for team, score in rest if score >= _SECOND_SHARE * best and team not in root.not_second]
        second = close[0] if close else root.beside
        teams |= dict.fromkeys([second] if second else ())
    return tuple(teams)[:_SECONDARY_MAX]
