"""The gate: computes the final confidence of a judgement, and routes it to several teams if it is too low."""

from collections.abc import Mapping

from openclaw_stream.events.decision import Confidence, GoldenSignals, Judgement
from openclaw_stream.incidents.case import Case
from openclaw_stream.text import safe_text
from openclaw_stream.vocabulary import Responsibility

THRESHOLD = 0.70
"""Below this confidence the responsibility is COLLAB."""

_TITLE_MAX = 200
_UNIFORM = 1 / len(Responsibility)
_ACCURACY_MIN, _ACCURACY_MAX = 0.45, 0.65
_DISTANCE_COST = 0.25

_LIKELIHOOD_IF_DEGRADED = {
    Responsibility.FE: 0.35,
    Responsibility.BE: 0.65,
    Responsibility.INFRA: 0.55,
    Responsibility.DB: 0.60,
    Responsibility.COLLAB: 0.55,
}
_LIKELIHOOD_IF_HEALTHY = {
    Responsibility.FE: 0.60,
    Responsibility.BE: 0.40,
    Responsibility.INFRA: 0.50,
    Responsibility.DB: 0.40,
    Responsibility.COLLAB: 0.50,
}
_NO_INFORMATION = dict.fromkeys(Responsibility, 1.0)
_ERROR_RATE_HIGH, _ERROR_RATE_LOW = 5.0, 1.0
_P99_HIGH, _P99_LOW = 1000.0, 500.0


def gate(
    judgement: Judgement, rules: Judgement, case: Case, metrics: GoldenSignals | None
) -> tuple[Judgement, Confidence]:
    """Return the judgement with its final confidence, as COLLAB if that is below THRESHOLD, and the confidences.

    Alert text is untrusted, and prompt injection can make a model report any team and any confidence. So the reported
    confidence never raises the final one. Three independent sources are combined by Bayes' rule:

    1. *The rules*, with their calibrated confidence: the probability that their team is right. The rest is distributed
       evenly over the other answers. A confidence below one in five is no information: all answers are equally likely.
    2. *The golden signals* of the service. An error rate of 5 % or a P99 of a second, where paging usually starts, are
       evidence for a server-side cause; errors below 1 % with a P99 below 500 ms for a client-side cause, or for no
       fault at all. They distinguish fault from no fault better than team from team, so the likelihoods of any two
       answers differ by less than a factor of two.
    3. *The answer itself*, taken to be right in 45 % (incomplete evidence) to 65 % of cases (namespace, service or
       workload, alert text and metrics are all present; each counts a quarter). Even the maximum is below the
       threshold: an answer that neither the rules nor the signals support does not pass.

    `evidence` is the resulting probability of the answered team. It does not depend on the reported confidence. `final`
    is `evidence` less a quarter of its distance to the reported confidence: a low report may have a reason, and a high
    one looks like prompt injection. Hence `final <= evidence` for any report, and more support never lowers it. A
    larger share would make `final` too low for models that always report the same number (measured with
    `python -m tests.evaluation gate`).

    For the rules' own judgement, evidence and final confidence are the rules' confidence.

    Below the threshold the answered team becomes the first secondary team; COLLAB without secondary teams takes those
    of the rules.

    Args:
        judgement: The validated judgement.
        rules: The judgement of the rules on the same case.
        case: The evidence.
        metrics: The golden signals, if available.
    """
    reported = judgement.confidence
    if _is_rules_judgement(judgement, rules):
        evidence = final = reported
    else:
        evidence = _evidence(judgement.primary_responsibility, rules, case, metrics)
        final = evidence - _DISTANCE_COST * abs(evidence - reported)
    final = round(max(0.0, final), 4)  # before the comparison, so that the published value and the gate agree
    passed = final >= THRESHOLD
    primary, secondary = _teams(judgement, rules, passed=passed)
    gated = judgement.model_copy(
        update={"confidence": final, "primary_responsibility": primary, "secondary_teams": secondary}
    )
    return gated, Confidence(
        reported=reported, evidence=round(evidence, 4), final=final, gate="passed" if passed else "collab"
    )


def _is_rules_judgement(judgement: Judgement, rules: Judgement) -> bool:
    """Return whether the judgement is that of the rules; validation may have changed its other fields."""
    return _identity(judgement) == _identity(rules)


def _identity(judgement: Judgement) -> tuple[Responsibility, float, str]:
    return judgement.primary_responsibility, judgement.confidence, safe_text(judgement.action_title, _TITLE_MAX)


def _evidence(answer: Responsibility, rules: Judgement, case: Case, metrics: GoldenSignals | None) -> float:
    accuracy = _ACCURACY_MIN + (_ACCURACY_MAX - _ACCURACY_MIN) * _completeness(case, metrics)
    likelihoods = _likelihoods(metrics)
    weights = {
        team: prior * likelihoods[team] * (accuracy if team is answer else _share_of_rest(accuracy))
        for team, prior in _prior(rules).items()
    }
    return weights[answer] / sum(weights.values())


def _prior(rules: Judgement) -> dict[Responsibility, float]:
    confidence = max(rules.confidence, _UNIFORM)
    return {
        team: confidence if team is rules.primary_responsibility else max(_share_of_rest(confidence), 1e-6)
        for team in Responsibility
    }


def _share_of_rest(probability: float) -> float:
    """Return the probability of each other answer."""
    return (1 - probability) / (len(Responsibility) - 1)


def _likelihoods(metrics: GoldenSignals | None) -> Mapping[Responsibility, float]:
    error_rate = metrics.error_rate if metrics else None
    p99 = metrics.p99_ms if metrics else None
    if (error_rate is not None and error_rate >= _ERROR_RATE_HIGH) or (p99 is not None and p99 >= _P99_HIGH):
        return _LIKELIHOOD_IF_DEGRADED
    if error_rate is not None and p99 is not None and error_rate < _ERROR_RATE_LOW and p99 < _P99_LOW:
        return _LIKELIHOOD_IF_HEALTHY
    return _NO_INFORMATION


def _completeness(case: Case, metrics: GoldenSignals | None) -> float:
    """Return the share of the useful kinds of evidence that are present, 0 to 1."""
    exemplars = case.exemplars
    present = (
        bool(case.namespace) or any(exemplar.namespace for exemplar in exemplars),
        bool(case.service) or any(exemplar.service or exemplar.target_resource for exemplar in exemplars),
        any(exemplar.message or exemplar.annotations for exemplar in exemplars),
        metrics is not None and (metrics.error_rate, metrics.p99_ms) != (None, None),
    )
    return sum(present) / len(present)


def _teams(judgement: Judgement, rules: Judgement, *, passed: bool) -> tuple[Responsibility, list[Responsibility]]:
    primary = judgement.primary_responsibility
    if passed and primary is not Responsibility.COLLAB:
        return primary, list(judgement.secondary_teams)
    return Responsibility.COLLAB, _single_teams(judgement) or _single_teams(rules)


def _single_teams(judgement: Judgement) -> list[Responsibility]:
    teams = dict.fromkeys((judgement.primary_responsibility, *judgement.secondary_teams))
    return [team for team in teams if team is not Responsibility.COLLAB]
