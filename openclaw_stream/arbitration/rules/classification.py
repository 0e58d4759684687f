"""Classifies the evidence of one alert name: the responsible team, its confidence and the likely cause."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from openclaw_stream.arbitration.rules.extraction import AlertEvidence, Matches
from openclaw_stream.arbitration.rules.rule_set import (
    NAMED_IN_TITLE,
    NAMED_SERVICE,
    Cause,
    Condition,
    ConfidenceCurve,
    Rule,
    RuleSet,
)
from openclaw_stream.vocabulary import Responsibility

_DAMPING = 0.5
"""Factor on each further rule for a team: rules that match the same alert are not independent."""

_CAUSE_STRENGTH_MIN = 0.7
"""A cause that only details and labels hint at is unknown."""

_POINTING_MIN = 0.5
"""A part of a team that only labels and later sentences mention does not point to the team."""

_CauseRank = tuple[float, bool, int]
"""The strength of a cause, whether it refines a symptom, and how many conditions it has."""

_UNKNOWN: _CauseRank = (_CAUSE_STRENGTH_MIN, False, 0)

_REFINEMENT_MIN = 0.2
"""A cause that refines a symptom may be stated in any sentence, if a part of it is stated in the details at least."""

_STATED_MIN = 0.5
"""The weight of the details."""

_TERMS_MAX = 6

ScoredRules = list[tuple[float, Rule]]
"""Pairs of a score in log-odds and the rule that gave it, highest first."""


@dataclass(frozen=True, slots=True)
class Classification:
    """The team that the rules assign to one alert name, regardless of the other alerts.

    `scores` are log-odds by team, highest first, of all teams with an applicable rule. `terms` are the vocabulary terms
    that matched the team's rules. `matched` is false where only rules without conditions applied. `pointed` are the
    teams of which a part or a technology is named, where the owner of the subject is known. `by_owner` is set where the
    team is the owner's because no part of another is. `beside` is the team that comes second where no other is close,
    and `not_second` are those that do not, however close they are.
    """

    evidence: AlertEvidence
    team: Responsibility
    confidence: float
    scores: Mapping[Responsibility, float]
    cause: Cause
    terms: tuple[str, ...]
    matched: bool
    pointed: frozenset[Responsibility] = frozenset()
    by_owner: bool = False
    beside: Responsibility | None = None
    not_second: frozenset[Responsibility] = frozenset()


def classify(evidence: AlertEvidence, rule_set: RuleSet, owner: Responsibility | None = None) -> Classification:
    """Return the classification of one alert name by all rules that apply.

    With an `owner`, an alert that names no part of the team that the rules assign is the owner's.
    """
    applicable = _applicable_rules(evidence.matches, rule_set)
    totals = ((team, _total(rules)) for team, rules in applicable.items())
    scores = dict(sorted(totals, key=lambda item: -item[1]))
    team = next(iter(scores))
    matched = any(rule.conditions for rules in applicable.values() for _, rule in rules)
    curve = rule_set.confidence
    by_rules = Classification(
        evidence=evidence,
        team=team,
        confidence=_confidence(list(scores.values()), curve) if matched else curve.unknown,
        scores=scores,
        cause=likely_cause(team, evidence.matches, rule_set),
        terms=_terms(applicable[team], evidence.matches),
        matched=matched,
        pointed=_pointed(applicable, evidence.matches, rule_set) if owner else frozenset(),
        beside=_beside(team if matched else Responsibility.COLLAB, evidence.matches, rule_set),
        not_second=frozenset(
            each.second
            for each in rule_set.close_seconds
            if each.first is team and not _match_strength(each.conditions, evidence.matches)
        ),
    )
    return _with_owner(by_rules, owner, rule_set) if owner else by_rules


def _beside(first: Responsibility, matches: Matches, rule_set: RuleSet) -> Responsibility | None:
    """Return the team that comes second beside the first by what the alert names clearly."""
    return next(
        (
            each.second
            for each in rule_set.seconds
            if each.first is first and _match_strength(each.conditions, matches) >= _POINTING_MIN
        ),
        None,
    )


def _pointed(
    applicable: Mapping[Responsibility, ScoredRules], matches: Matches, rule_set: RuleSet
) -> frozenset[Responsibility]:
    """Return the teams of which a part or a technology is named clearly."""
    resources = {matches[category].term for category in rule_set.resources if category in matches}
    named = {
        category
        for category, match in matches.items()
        if match.strength >= _POINTING_MIN and match.term not in resources
    }
    return frozenset(
        team
        for team, rules in applicable.items()
        if any(not named.isdisjoint(part) for _, rule in rules for part in rule_set.part_conditions[rule])
    )


def _with_owner(by_rules: Classification, owner: Responsibility, rule_set: RuleSet) -> Classification:
    """Return the classification with the owner's team, unless a part of the team that it has is named.

    Only parts speak for other teams than the owner's. The cause is one of the owner's team, else that of the rules.
    """
    scores = {team: score for team, score in by_rules.scores.items() if team in by_rules.pointed}
    if by_rules.team in by_rules.pointed:
        return replace(by_rules, scores=scores)
    cause = likely_cause(owner, by_rules.evidence.matches, rule_set)
    best = next(iter(by_rules.scores.values()))
    return replace(
        by_rules,
        team=owner,
        scores={owner: best} | {team: score for team, score in scores.items() if team is not owner},
        cause=by_rules.cause if cause.is_unknown and not by_rules.cause.is_unknown else cause,
        terms=(),
        matched=True,
        by_owner=True,
        beside=None,
    )


def _applicable_rules(matches: Matches, rule_set: RuleSet) -> dict[Responsibility, ScoredRules]:
    """Return the rules that apply by team, those with the highest score first."""
    index = rule_set.rules_by_category
    scores: dict[Rule, float] = {}
    for category in ("", *matches):
        for rule in index.get(category, ()):
            if rule not in scores:
                strength = _match_strength(rule.conditions, matches)
                excluded = _strongest(rule.unless, matches) >= strength
                scores[rule] = 0.0 if excluded else strength * rule.weight
    applicable: dict[Responsibility, ScoredRules] = {}
    for rule, score in sorted(scores.items(), key=lambda item: -item[1]):
        if score:
            applicable.setdefault(rule.team, []).append((score, rule))
    return applicable


def _match_strength(conditions: Sequence[Condition], matches: Matches) -> float:
    """Return the strength of the weakest condition: 1 where there are no conditions, 0 where one does not match."""
    weakest = 1.0
    for condition in conditions:
        strongest = _strongest(condition, matches)
        if not strongest:
            return 0.0
        weakest = min(weakest, strongest)
    return weakest


def _strongest(categories: Sequence[str], matches: Matches) -> float:
    """Return the strength of the strongest match in any of the categories, 0 where none matches."""
    strongest = 0.0
    for category in categories:
        match = matches.get(category)
        if match is not None and match.strength > strongest:
            strongest = match.strength
    return strongest


def _total(rules: ScoredRules) -> float:
    return sum(score * _DAMPING**position for position, (score, _) in enumerate(rules))


def _confidence(scores: list[float], curve: ConfidenceCurve) -> float:
    best, second = scores[0], scores[1] if len(scores) > 1 else 0.0
    return min(_interpolate(curve.margins, best - second), _interpolate(curve.ceilings, best))


def _interpolate(points: Sequence[tuple[float, float]], x: float) -> float:
    """Return the value at `x` of a piecewise linear curve through points in order of x, constant beyond its ends."""
    before = points[0]
    for point in points:
        if x <= point[0]:
            span = point[0] - before[0]
            share = (x - before[0]) / span if span else 0.0
            return before[1] + share * (point[1] - before[1])
        before = point
    return before[1]


def likely_cause(team: Responsibility, matches: Matches, rule_set: RuleSet) -> Cause:
    """Return the cause of the team with the strongest match.

    Of equals one that refines a symptom, then the one with most conditions, then the first. A cause needs a match in
    the alert's name, in its summary or in a label that states a condition; where none has one, the cause is unknown.
    """
    found: dict[int, _CauseRank] = {}
    for category in matches:
        for position, conditions in rule_set.causes_by_category.get((team, category), ()):
            cause = rule_set.causes[position]
            rank = _cause_strength(cause, conditions, matches), cause.refines, len(conditions)
            found[position] = max(rank, found.get(position, rank))
    best, highest = rule_set.causes_by_team[team][-1], _UNKNOWN
    for position in sorted(found):
        cause, rank = rule_set.causes[position], found[position]
        if rank > highest and _strongest(cause.unless, matches) < rank[0]:
            best, highest = cause, rank
    return best


def _cause_strength(cause: Cause, conditions: Sequence[Condition], matches: Matches) -> float:
    strength = _match_strength(conditions, matches)
    if not cause.refines or strength < _REFINEMENT_MIN:
        return strength
    stated = max(_strongest(condition, matches) for condition in conditions)
    return 1.0 if stated >= _STATED_MIN else strength


def _terms(rules: ScoredRules, matches: Matches) -> tuple[str, ...]:
    """Return the terms that matched a team's rules, those of the highest scores first."""
    terms: dict[str, None] = {}
    for _, rule in rules:
        for condition in rule.conditions:
            category = max(condition, key=lambda name: _strongest((name,), matches))
            if category not in (NAMED_SERVICE, NAMED_IN_TITLE) and category in matches:
                terms[matches[category].term] = None
    return tuple(terms)[:_TERMS_MAX]
