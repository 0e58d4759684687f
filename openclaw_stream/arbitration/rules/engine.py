"""Judges a case by the rules: the last provider of the chain, and the prior of the gate."""

from functools import cache

from openclaw_stream.arbitration.rules.classification import classify
from openclaw_stream.arbitration.rules.diagnosis import Diagnosis, diagnose
from openclaw_stream.arbitration.rules.extraction import AlertEvidence, EvidenceExtractor
from openclaw_stream.arbitration.rules.judgement_text import JudgementText, single_line
from openclaw_stream.arbitration.rules.loading import parse, sources, version
from openclaw_stream.arbitration.rules.remedy import Remedy, Workload, remedy, suggestions, workload
from openclaw_stream.arbitration.rules.rule_set import RuleSet
from openclaw_stream.events.decision import BlastRadius, GoldenSignals, Judgement
from openclaw_stream.incidents.case import Case
from openclaw_stream.vocabulary import Language, Responsibility

_SOURCES = sources()
RULES_VERSION = version(_SOURCES)
"""Changes with any rule, term or text of the rule set."""

_SERVICES_MAX = 16


def judge(case: Case, language: Language, metrics: GoldenSignals | None = None) -> Judgement:
    """Judge a case by the rules alone; equal arguments give equal judgements.

    The confidence is the calibrated probability that the responsible team is right. COLLAB is returned only where no
    alert matches a rule; low confidence becomes COLLAB later, in the gate. `metrics` appear in the texts and change
    neither team nor confidence.
    """
    rule_set = _rule_set()
    diagnosis = _diagnose(case, rule_set)
    target = workload(case, diagnosis)
    return _judgement(case, diagnosis, target, JudgementText(language, rule_set.phrases[language]), language, metrics)


@cache
def _rule_set() -> RuleSet:
    return parse(_SOURCES)


@cache
def _extractor() -> EvidenceExtractor:
    rule_set = _rule_set()
    return EvidenceExtractor(rule_set.lexicon, rule_set.fields)


def _diagnose(case: Case, rule_set: RuleSet) -> Diagnosis:
    evidence = _extractor().extract(case) or (AlertEvidence("", case.severity, {}),)
    unknown = rule_set.causes_by_team[Responsibility.COLLAB][-1]
    return diagnose([classify(each, rule_set) for each in evidence], unknown)


def _judgement(
    case: Case,
    diagnosis: Diagnosis,
    target: Workload | None,
    text: JudgementText,
    language: Language,
    metrics: GoldenSignals | None,
) -> Judgement:
    chosen = remedy(diagnosis.cause, target)
    responsibility = text.responsibility(diagnosis)
    services = [service for name in case.services or (case.service,) if (service := single_line(name))][:_SERVICES_MAX]
    return Judgement(
        action_title=text.title(case, diagnosis, target.name if target else ""),
        description=text.description(diagnosis, chosen, known=target is not None),
        suggested_action=chosen.action,
        kubectl_command=chosen.command,
        target_resource=target.target if target else "",
        namespace=target.namespace if target else single_line(case.namespace),
        risk_level=chosen.risk,
        blast_radius=_blast_radius(chosen, target, services, text),
        primary_responsibility=diagnosis.primary,
        responsibility_reasoning=responsibility,
        secondary_teams=list(diagnosis.secondary),
        optimization_suggestions=suggestions(diagnosis, target, language),
        reasoning=text.reasoning(case, diagnosis, responsibility),
        deviation_analysis=text.deviation(case, metrics),
        confidence=diagnosis.confidence,
        affected_services=services,
        signoz_correlation=text.correlation(metrics),
    )


def _blast_radius(chosen: Remedy, target: Workload | None, services: list[str], text: JudgementText) -> BlastRadius:
    pods = target.replicas if chosen.command and target and target.replicas else 0
    return BlastRadius(
        affected_pods=pods,
        estimated_downtime=text.render(chosen.downtime),
        related_services=services,
    )
