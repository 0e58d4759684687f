"""The gate: how far a judgement may be trusted, and COLLAB where that is not far enough."""

from collections.abc import Mapping

from openclaw_stream.events.decision import Confidence, GoldenSignals, Judgement
from openclaw_stream.incidents.case import Case
from openclaw_stream.text.display import clean
from openclaw_stream.vocabulary import Responsibility

THRESHOLD = 0.70
"""Below this confidence several teams are asked."""

_TITLE_MAX = 200
_CHANCE = 1 / len(Responsibility)
_ACCURACY_LEAST, _ACCURACY_MOST = 0.45, 0.65
_DISTANCE_COST = 0.25

_TROUBLE = {
    Responsibility.FE: 0.35,
    Responsibility.BE: 0.65,
    Responsibility.INFRA: 0.55,
    Responsibility.DB: 0.60,
    Responsibility.COLLAB: 0.55,
}
_QUIET = {
    Responsibility.FE: 0.60,
    Responsibility.BE: 0.40,
    Responsibility.INFRA: 0.50,
    Responsibility.DB: 0.40,
    Responsibility.COLLAB: 0.50,
}
_SILENT = dict.fromkeys(Responsibility, 1.0)
_ERRORS_BAD, _ERRORS_GOOD = 5.0, 1.0
_P99_BAD, _P99_GOOD = 1000.0, 500.0


def gate(
    judgement: Judgement, rules: Judgement, case: Case, metrics: GoldenSignals | None
) -> tuple[Judgement, Confidence]:
    """Return the judgement with its final confidence, turned into COLLAB below 0.70, and how that came about.

    Alert text is written by strangers, and a model can be talked into any team and any number. So the confidence a
    judgement reports of itself is never a reason to believe it. Three witnesses are heard:

    1. *The rules*, with the confidence they are calibrated to: the probability that their team is right. What they
       leave is spread evenly over the other answers. Below one in five they know nothing, and every answer is as
       likely.
    2. *The golden signals* of the service. Errors of 5 % or a P99 of a second, where paging usually starts, speak for
       the server's side; errors below 1 % with a P99 below 500 ms speak for the browser's, or for nobody. They tell
       trouble from quiet better than team from team, so no two answers differ by a factor of two for them.
    3. *The answer itself*, a witness that is right in 45 % (little to go on) to 65 % of cases (namespace, service or
       workload, words, and metrics are all there; each counts a quarter). Even at its best it stays below the
       threshold alone: no answer passes that neither the rules nor the signals support.

    `evidence` is what Bayes' rule makes of the three for the team that was answered. It does not depend on the reported
    confidence. `final` is the evidence less a quarter of its distance to the reported confidence: a judgement that
    doubts itself may know something, and one that claims more than is evident looks as one does that was talked up.
    Hence `final <= evidence`, whatever is reported, and more support never lowers it. A larger share makes `final` of
    models that always report the same number too small for how often they are right
    (`python -m tests.evaluation gate`).

    Where the judgement is the rules' own there is one witness only: evidence and final are the rules' confidence.

    Below the threshold the team that was answered becomes the first of the secondary teams; COLLAB without any takes
    those of the rules.
    """
    reported = judgement.confidence
    if _is_of_rules(judgement, rules):
        evidence = final = reported
    else:
        evidence = _evidence(judgement.primary_responsibility, rules, case, metrics)
        final = evidence - _DISTANCE_COST * abs(evidence - reported)
    final = round(max(0.0, final), 4)  # before it is compared, so that what is published and the gate agree
    passed = final >= THRESHOLD
    primary, secondary = _teams(judgement, rules, passed=passed)
    gated = judgement.model_copy(
        update={"confidence": final, "primary_responsibility": primary, "secondary_teams": secondary}
    )
    return gated, Confidence(
        reported=reported, evidence=round(evidence, 4), final=final, gate="passed" if passed else "collab"
    )


def _is_of_rules(judgement: Judgement, rules: Judgement) -> bool:
    """Tell whether the rules gave this judgement; validation may have changed other parts of either since."""
    return _identity(judgement) == _identity(rules)


def _identity(judgement: Judgement) -> tuple[Responsibility, float, str]:
    return judgement.primary_responsibility, judgement.confidence, clean(judgement.action_title, _TITLE_MAX)


def _evidence(answer: Responsibility, rules: Judgement, case: Case, metrics: GoldenSignals | None) -> float:
    accuracy = _ACCURACY_LEAST + (_ACCURACY_MOST - _ACCURACY_LEAST) * _completeness(case, metrics)
    signals = _signals(metrics)
    weights = {
        team: prior * signals[team] * (accuracy if team is answer else _share(accuracy))
        for team, prior in _prior(rules).items()
    }
    return weights[answer] / sum(weights.values())


def _prior(rules: Judgement) -> dict[Responsibility, float]:
    known = max(rules.confidence, _CHANCE)
    return {
        team: known if team is rules.primary_responsibility else max(_share(known), 1e-6) for team in Responsibility
    }


def _share(probability: float) -> float:
    """Return what each of the other answers gets of the rest."""
    return (1 - probability) / (len(Responsibility) - 1)


def _signals(metrics: GoldenSignals | None) -> Mapping[Responsibility, float]:
    errors = metrics.error_rate if metrics else None
    p99 = metrics.p99_ms if metrics else None
    if (errors is not None and errors >= _ERRORS_BAD) or (p99 is not None and p99 >= _P99_BAD):
        return _TROUBLE
    if errors is not None and p99 is not None and errors < _ERRORS_GOOD and p99 < _P99_GOOD:
        return _QUIET
    return _SILENT


def _completeness(case: Case, metrics: GoldenSignals | None) -> float:
    """Return what part of the evidence one would like to have is there, 0 to 1."""
    exemplars = case.exemplars
    there = (
        bool(case.namespace) or any(exemplar.namespace for exemplar in exemplars),
        bool(case.service) or any(exemplar.service or exemplar.target_resource for exemplar in exemplars),
        any(exemplar.message or exemplar.annotations for exemplar in exemplars),
        metrics is not None and (metrics.error_rate, metrics.p99_ms) != (None, None),
    )
    return sum(there) / len(there)


def _teams(judgement: Judgement, rules: Judgement, *, passed: bool) -> tuple[Responsibility, list[Responsibility]]:
    primary = judgement.primary_responsibility
    if passed and primary is not Responsibility.COLLAB:
        return primary, list(judgement.secondary_teams)
    named = _single_teams(judgement) or _single_teams(rules)
    return Responsibility.COLLAB, named


def _single_teams(judgement: Judgement) -> list[Responsibility]:
    teams = dict.fromkeys((judgement.primary_responsibility, *judgement.secondary_teams))
    return [team for team in teams if team is not Responsibility.COLLAB]
