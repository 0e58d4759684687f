"""The gate: the probability of every team from the evidence, and the team that an incident is routed to."""

from collections.abc import Mapping
from typing import Literal

from openclaw_stream.events.decision import Confidence, GoldenSignals, Judgement
from openclaw_stream.incidents.case import Case
from openclaw_stream.text import safe_text
from openclaw_stream.vocabulary import Responsibility

THRESHOLD = 0.70
"""Below this confidence the responsibility is COLLAB."""

CONFIDENCE_MAX = 0.98
"""No evidence from alerts makes a team more certain."""

_TITLE_MAX = 200
_SECONDARY_MAX = 4
_SECONDARY_MIN = 0.05
"""From this probability on a team is named, though neither the answer nor the rules name it."""

_UNIFORM = 1 / len(Responsibility)
_ACCURACY_MIN, _ACCURACY_MAX = 0.45, 0.65
_SECOND_SHARE = 0.5
_ROUNDING = 1e-6

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

Posterior = Mapping[Responsibility, float]
"""The probability of each team; they sum to 1."""


def gate(
    judgement: Judgement, rules: Judgement, case: Case, metrics: GoldenSignals | None
) -> tuple[Judgement, Confidence]:
    """Return the judgement with the team that the incident is routed to, and the confidences.

    Alert text is untrusted, and prompt injection can make a model report any team and any confidence; a model may also
    just err. So the probability of *every* team t is computed from independent sources by Bayes' rule,

        P(t | rules, signals, answer)  ~  prior(t) * likelihood(signals | t) * likelihood(answer | t)

    1. *The prior* is the calibrated confidence of the rules in their team. Of the rest, half belongs to the second team
       that they name (it was the right one in 24 of 36 wrong answers on the labelled alerts), and the other half is
       spread evenly. An owner of the subject is part of it: the rules take the owner's team where the evidence points
       to no other, and name it second elsewhere. A confidence below one in five is no information: all answers are
       equally likely.
    2. *The golden signals* of the service. An error rate of 5 % or a P99 of a second, where paging usually starts, are
       evidence for a server-side cause; errors below 1 % with a P99 below 500 ms for a client-side cause, or for no
       fault at all. They distinguish fault from no fault better than team from team, so the likelihoods of any two
       answers differ by less than a factor of two.
    3. *The answer*, taken to be right in 45 % (incomplete evidence) to 65 % of cases (namespace, service or workload,
       alert text and metrics are all present; each counts a quarter), and in no more than it reports. A wrong answer is
       any other team, equally likely. Even the maximum is below the threshold: an answer that neither the rules nor the
       signals support does not pass, and what it reports can only lower its own weight.

    The incident is routed to the likeliest team where its probability is at least THRESHOLD, whoever named it: the
    gate is `passed` where the answer named it, and `rerouted` where it named another: the arbiter then publishes the
    texts and the command of the rules, because those of the answer are about another team. Below the threshold it goes
    to COLLAB. `secondary_teams` are those that the answer or the rules name, or that have a probability of at least
    5 %, likeliest first; of COLLAB the first is the likeliest team.

    `evidence` is the probability of the likeliest team without regard to the reported confidence. `final` is never
    above it, nor above CONFIDENCE_MAX. For the rules' own judgement both are the rules' confidence.

    Limits: the answer and the rules read the same text, so they are not independent where both err alike; the accuracy
    of the model is assumed and not learned; the rules' confidence is calibrated on public alerts, and their accuracy on
    the alerts of other organisations is lower (`python -m tests.evaluation gate` prints it by source, each source with
    the calibration of the others).

    Args:
        judgement: The validated judgement.
        rules: The judgement of the rules on the same case.
        case: The evidence.
        metrics: The golden signals, if available.
    """
    if _is_rules_judgement(judgement, rules):
        return _route_rules(judgement, rules)
    answer, signals = judgement.primary_responsibility, _likelihoods(metrics)
    accuracy = _accuracy(case, metrics)
    by_evidence = _posterior(_prior(rules), signals, answer, accuracy)
    reported = min(accuracy, max(judgement.confidence, _UNIFORM))
    posterior = _posterior(_prior(rules), signals, answer, reported)
    team = max(posterior, key=lambda each: (round(posterior[each], 6), each is answer))
    evidence = by_evidence[team]
    final = _published(min(evidence, posterior[team]))
    route = team if final >= THRESHOLD else Responsibility.COLLAB
    outcome: Literal["passed", "collab", "rerouted"] = "passed" if final >= THRESHOLD else "collab"
    if outcome == "passed" and team is not answer:
        outcome = "rerouted"
    gated = judgement.model_copy(
        update={
            "confidence": final,
            "primary_responsibility": route,
            "secondary_teams": _secondary(route, posterior, judgement, rules),
        }
    )
    return gated, Confidence(
        reported=judgement.confidence, evidence=max(round(evidence, 4), final), final=final, gate=outcome
    )


def _route_rules(judgement: Judgement, rules: Judgement) -> tuple[Judgement, Confidence]:
    """Return the rules' own judgement; below the threshold COLLAB with their team first."""
    final = _published(rules.confidence)
    passed = final >= THRESHOLD
    primary = rules.primary_responsibility
    named = dict.fromkeys((primary, *judgement.secondary_teams))
    teams = [team for team in named if team is not Responsibility.COLLAB and not (passed and team is primary)]
    gated = judgement.model_copy(
        update={
            "confidence": final,
            "primary_responsibility": primary if passed else Responsibility.COLLAB,
            "secondary_teams": teams[:_SECONDARY_MAX],
        }
    )
    confidence = Confidence(
        reported=rules.confidence, evidence=final, final=final, gate="passed" if passed else "collab"
    )
    return gated, confidence


def _published(probability: float) -> float:
    """Return a probability as it is published: rounded before the comparison, so that both agree."""
    return round(min(max(probability, 0.0), CONFIDENCE_MAX), 4)


def _is_rules_judgement(judgement: Judgement, rules: Judgement) -> bool:
    """Return whether the judgement is that of the rules; validation may have changed its other fields."""
    return _identity(judgement) == _identity(rules)


def _identity(judgement: Judgement) -> tuple[Responsibility, float, str]:
    return judgement.primary_responsibility, judgement.confidence, safe_text(judgement.action_title, _TITLE_MAX)


def _posterior(prior: Posterior, signals: Posterior, answer: Responsibility, accuracy: float) -> Posterior:
    wrong = (1 - accuracy) / (len(Responsibility) - 1)
    weights = {team: prior[team] * signals[team] * (accuracy if team is answer else wrong) for team in prior}
    total = sum(weights.values())
    return {team: weight / total for team, weight in weights.items()}


def _prior(rules: Judgement) -> Posterior:
    """Return the probability of each team by the rules alone."""
    confidence = max(rules.confidence, _UNIFORM)
    others = [team for team in Responsibility if team is not rules.primary_responsibility]
    share = max((1 - confidence) / len(others), _ROUNDING)
    prior = dict.fromkeys(others, share) | {rules.primary_responsibility: confidence}
    second = next((team for team in rules.secondary_teams if team in others), None)
    if second and confidence > _UNIFORM:
        rest = share * len(others)
        prior |= dict.fromkeys(others, (1 - _SECOND_SHARE) * rest / (len(others) - 1))
        prior[second] = _SECOND_SHARE * rest
    return prior


def _likelihoods(metrics: GoldenSignals | None) -> Posterior:
    error_rate = metrics.error_rate if metrics else None
    p99 = metrics.p99_ms if metrics else None
    if (error_rate is not None and error_rate >= _ERROR_RATE_HIGH) or (p99 is not None and p99 >= _P99_HIGH):
        return _LIKELIHOOD_IF_DEGRADED
    if error_rate is not None and p99 is not None and error_rate < _ERROR_RATE_LOW and p99 < _P99_LOW:
        return _LIKELIHOOD_IF_HEALTHY
    return _NO_INFORMATION


def _accuracy(case: Case, metrics: GoldenSignals | None) -> float:
    """Return how often an answer is taken to be right: the more kinds of evidence are present, the more often."""
    exemplars = case.exemplars
    present = (
        bool(case.namespace) or any(exemplar.namespace for exemplar in exemplars),
        bool(case.service) or any(exemplar.service or exemplar.target_resource for exemplar in exemplars),
        any(exemplar.message or exemplar.annotations for exemplar in exemplars),
        metrics is not None and (metrics.error_rate, metrics.p99_ms) != (None, None),
    )
    return _ACCURACY_MIN + (_ACCURACY_MAX - _ACCURACY_MIN) * sum(present) / len(present)


def _secondary(
    route: Responsibility, posterior: Posterior, judgement: Judgement, rules: Judgement
) -> list[Responsibility]:
    """Return the other teams, likeliest first; of equals those that the answer names."""
    named = (
        judgement.primary_responsibility,
        *judgement.secondary_teams,
        rules.primary_responsibility,
        *rules.secondary_teams,
    )
    likely = (team for team, probability in posterior.items() if probability >= _SECONDARY_MIN)
    teams: list[Responsibility] = [
        team for team in dict.fromkeys((*named, *likely)) if team not in (route, Responsibility.COLLAB)
    ]
    return sorted(teams, key=lambda team: -round(posterior[team], 6))[:_SECONDARY_MAX]
