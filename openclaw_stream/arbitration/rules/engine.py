"""Judges a case by the rules: the last provider of the chain, and the prior of the gate."""

from collections.abc import Sequence
from functools import cache

from openclaw_stream.arbitration.remedies import propose
from openclaw_stream.arbitration.rules.classification import classify, likely_cause
from openclaw_stream.arbitration.rules.diagnosis import Diagnosis, diagnose
from openclaw_stream.arbitration.rules.extraction import AlertEvidence, EvidenceExtractor
from openclaw_stream.arbitration.rules.judgement_text import JudgementText
from openclaw_stream.arbitration.rules.loading import parse, sources, version
from openclaw_stream.arbitration.rules.quoting import single_line
from openclaw_stream.arbitration.rules.rule_set import RuleSet, Technology
from openclaw_stream.events.decision import BlastRadius, GoldenSignals, Judgement, Suggestion
from openclaw_stream.incidents.case import Case
from openclaw_stream.vocabulary import Language, Responsibility

_SOURCES = sources()
RULES_VERSION = version(_SOURCES)
"""Changes with any rule, term or text of the rule set."""

_SERVICES_MAX = 16
_SUGGESTIONS_MAX = 8
_CHECKS_MAX = 3
_TECHNOLOGY_MIN = 0.4
"""A technology that only a label or a namespace names is not what the alert is about."""


def judge(case: Case, language: Language, metrics: GoldenSignals | None = None) -> Judgement:
    """Judge a case by the rules alone; equal arguments give equal judgements.

    The confidence is the calibrated probability that the responsible team is right. COLLAB is returned only where no
    alert matches a rule and no owner is known; low confidence becomes COLLAB later, in the gate. The responsibility of
    the case's owner is taken where the evidence points to no other team. `metrics` appear in the texts and change
    neither team nor confidence.
    """
    rule_set = _rule_set()
    diagnosis = _diagnose(case, rule_set)
    checks = _checks(case, diagnosis, rule_set, language)
    text = JudgementText(language, rule_set.phrases[language])
    return _judgement(case, diagnosis, checks, text, language, metrics)


@cache
def _rule_set() -> RuleSet:
    return parse(_SOURCES)


@cache
def _extractor() -> EvidenceExtractor:
    rule_set = _rule_set()
    return EvidenceExtractor(rule_set.lexicon, rule_set.fields)


def _diagnose(case: Case, rule_set: RuleSet) -> Diagnosis:
    evidence = _extractor().extract(case) or (AlertEvidence("", case.severity, {}),)
    unknown = likely_cause(Responsibility.COLLAB, evidence[0].matches, rule_set)
    owner = case.owner.responsibility if case.owner else None
    return diagnose([classify(each, rule_set, owner) for each in evidence], unknown, owner)


def _judgement(
    case: Case,
    diagnosis: Diagnosis,
    checks: Sequence[str],
    text: JudgementText,
    language: Language,
    metrics: GoldenSignals | None,
) -> Judgement:
    chosen = propose(case, diagnosis.primary, metrics, language)
    responsibility = text.responsibility(diagnosis, case.owner)
    services = [service for name in case.services or (case.service,) if (service := single_line(name))][:_SERVICES_MAX]
    return Judgement(
        action_title=text.title(case, diagnosis),
        description=text.description(case, diagnosis, checks, chosen.advice),
        suggested_action=chosen.action,
        kubectl_command=chosen.command,
        command_reason=chosen.reason,
        target_resource=chosen.target,
        namespace=chosen.namespace or single_line(case.namespace),
        risk_level=chosen.risk,
        blast_radius=BlastRadius(
            affected_pods=chosen.affected_pods, estimated_downtime=chosen.downtime, related_services=services
        ),
        primary_responsibility=diagnosis.primary,
        responsibility_reasoning=responsibility,
        secondary_teams=list(diagnosis.secondary),
        optimization_suggestions=_suggestions(diagnosis, language),
        reasoning=text.reasoning(case, responsibility),
        deviation_analysis=text.deviation(case, metrics),
        confidence=diagnosis.confidence,
        affected_services=services,
        signoz_correlation=text.correlation(metrics),
    )


def _checks(case: Case, diagnosis: Diagnosis, rule_set: RuleSet, language: Language) -> list[str]:
    """Return what to look at first: the checks of the cause, then of the technology, then of the kind of subject."""
    sources = [diagnosis.cause.checks]
    if technology := _technology(diagnosis, rule_set):
        sources.append(technology.checks)
    sources.append(rule_set.subject_checks(case.subject.kind, diagnosis.primary))
    return list(dict.fromkeys(check for checks in sources for check in checks[language]))[:_CHECKS_MAX]


def _technology(diagnosis: Diagnosis, rule_set: RuleSet) -> Technology | None:
    """Return the technology of the responsible team that the root alert names most strongly; of equals the first."""
    best, strongest = None, _TECHNOLOGY_MIN
    for category, match in diagnosis.root.evidence.matches.items():
        technology = rule_set.technologies_by_category.get(category)
        if technology and technology.team is diagnosis.root.team and match.strength > strongest:
            best, strongest = technology, match.strength
    return best


def _suggestions(diagnosis: Diagnosis, language: Language) -> list[Suggestion]:
    """Return preventive tuning, as configuration in words, for the root cause and then for the first symptom."""
    causes = [
        each for each in (diagnosis.cause, *(each.cause for each in diagnosis.symptoms[:1])) if not each.is_unknown
    ]
    return [
        Suggestion(type=item.type, description=item.text[language], kubectl_or_config=item.config)
        for cause in dict.fromkeys(causes)
        if not cause.is_unknown
        for item in cause.tuning
    ][:_SUGGESTIONS_MAX]
