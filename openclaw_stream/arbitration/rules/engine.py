"""Judges a case by the rules: the last provider of the chain, and the prior of the gate."""

from dataclasses import replace
from functools import cache
from itertools import islice

from openclaw_stream.arbitration.remedies import propose
from openclaw_stream.arbitration.rules.alternatives import chosen
from openclaw_stream.arbitration.rules.classification import classify, likely_cause
from openclaw_stream.arbitration.rules.diagnosis import Diagnosis, diagnose
from openclaw_stream.arbitration.rules.extraction import AlertEvidence, EvidenceExtractor, Match
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
    text = JudgementText(language, rule_set.phrases[language])
    return _judgement(case, diagnosis, rule_set, text, language, metrics)


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
    diagnosis = diagnose([classify(each, rule_set, owner) for each in evidence], unknown, owner)
    if not diagnosis.shared:
        return diagnosis
    shared = likely_cause(Responsibility.COLLAB, {diagnosis.shared: Match(1.0, "")}, rule_set)
    return replace(diagnosis, cause=shared)


def _judgement(
    case: Case,
    diagnosis: Diagnosis,
    rule_set: RuleSet,
    text: JudgementText,
    language: Language,
    metrics: GoldenSignals | None,
) -> Judgement:
    checks = _checks(case, diagnosis, rule_set, language)
    remedy = propose(case, diagnosis.primary, metrics, language)
    responsibility = text.responsibility(diagnosis, case.owner)
    services = [service for name in case.services or (case.service,) if (service := single_line(name))][:_SERVICES_MAX]
    return Judgement(
        action_title=text.title(case, diagnosis),
        description=text.description(case, diagnosis, checks, remedy.advice),
        suggested_action=remedy.action,
        kubectl_command=remedy.command,
        command_reason=remedy.reason,
        target_resource=remedy.target,
        namespace=remedy.namespace or single_line(case.namespace),
        risk_level=remedy.risk,
        blast_radius=BlastRadius(
            affected_pods=remedy.affected_pods, estimated_downtime=remedy.downtime, related_services=services
        ),
        primary_responsibility=diagnosis.primary,
        responsibility_reasoning=responsibility,
        secondary_teams=list(diagnosis.secondary),
        optimization_suggestions=_suggestions(diagnosis, rule_set, language),
        reasoning=text.reasoning(case, responsibility),
        deviation_analysis=text.deviation(case, metrics),
        confidence=diagnosis.confidence,
        affected_services=services,
        signoz_correlation=text.correlation(metrics),
    )


def _checks(case: Case, diagnosis: Diagnosis, rule_set: RuleSet, language: Language) -> list[str]:
    """Return what to look at first: the checks of the cause, then of the technology, then of the kind of subject."""
    named = _technologies(diagnosis, rule_set)
    of_team = (each.checks for each in named.values() if each.team is diagnosis.root.team)
    sources = [diagnosis.cause.checks, *islice(of_team, 1)]
    sources.append(rule_set.subject_checks(case.subject.kind, diagnosis.primary))
    separator = rule_set.phrases[language]["separator"]
    checks = (chosen(check, named, diagnosis.root.team, separator) for each in sources for check in each[language])
    return list(dict.fromkeys(filter(None, checks)))[:_CHECKS_MAX]


def _technologies(diagnosis: Diagnosis, rule_set: RuleSet) -> dict[str, Technology]:
    """Return the technologies that the root alert names by id, most strongly named first."""
    found = [
        (match.strength, technology)
        for category, match in diagnosis.root.evidence.matches.items()
        if match.strength > _TECHNOLOGY_MIN and (technology := rule_set.technologies_by_category.get(category))
    ]
    return {technology.id: technology for _, technology in sorted(found, key=lambda each: -each[0])}


def _suggestions(diagnosis: Diagnosis, rule_set: RuleSet, language: Language) -> list[Suggestion]:
    """Return preventive tuning, as configuration in words, for the root cause and then for the first symptom."""
    causes = [
        each for each in (diagnosis.cause, *(each.cause for each in diagnosis.symptoms[:1])) if not each.is_unknown
    ]
    named, separator = _technologies(diagnosis, rule_set), rule_set.phrases[language]["separator"]
    team = diagnosis.root.team
    return [
        Suggestion(type=item.type, description=text, kubectl_or_config=chosen(item.config, named, team, separator))
        for cause in dict.fromkeys(causes)
        for item in cause.tuning
        if (text := chosen(item.text[language], named, team, separator))
    ][:_SUGGESTIONS_MAX]
