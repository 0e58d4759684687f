"""The deterministic judge: the chain's last link, and what the gate compares every other answer with."""

from functools import cache

from openclaw_stream.arbitration.rules.diagnosis import Diagnosis, diagnose
from openclaw_stream.arbitration.rules.loading import parse, sources, version
from openclaw_stream.arbitration.rules.mentions import EvidenceReader, Signal
from openclaw_stream.arbitration.rules.opinion import opinion
from openclaw_stream.arbitration.rules.prose import Prose, plain
from openclaw_stream.arbitration.rules.remedy import Remedy, Workload, remedy, suggestions, workload
from openclaw_stream.arbitration.rules.table import Table
from openclaw_stream.events.decision import BlastRadius, GoldenSignals, Judgement
from openclaw_stream.incidents.case import Case
from openclaw_stream.vocabulary import Language, Responsibility

_SOURCES = sources()
RULES_VERSION = version(_SOURCES)
"""Changes with any rule, word or text of the table."""

_SERVICES_MAX = 16


def judge(case: Case, language: Language, metrics: GoldenSignals | None = None) -> Judgement:
    """Judge a case by the table alone: the same case gives the same judgement, always.

    The confidence is that of the responsibility: how far the evidence leads, how much there is, how well it agrees.
    COLLAB is only answered where nothing tells of any team; the gate turns little confidence into COLLAB later.
    `metrics` go into the texts; they decide neither team nor confidence.
    """
    table = _table()
    diagnosis = _diagnose(case, table)
    target = workload(case, diagnosis)
    return _judgement(case, diagnosis, target, Prose(language, table.phrases[language]), language, metrics)


@cache
def _table() -> Table:
    return parse(_SOURCES)


@cache
def _reader() -> EvidenceReader:
    table = _table()
    return EvidenceReader(table.lexicon, table.fields)


def _diagnose(case: Case, table: Table) -> Diagnosis:
    signals = _reader().signals(case) or (Signal("", case.severity, {}),)
    unknown = table.causes_by_team[Responsibility.COLLAB][-1]
    return diagnose([opinion(signal, table) for signal in signals], unknown)


def _judgement(
    case: Case,
    diagnosis: Diagnosis,
    target: Workload | None,
    prose: Prose,
    language: Language,
    metrics: GoldenSignals | None,
) -> Judgement:
    chosen = remedy(diagnosis.cause, target)
    responsibility = prose.responsibility(diagnosis)
    services = [service for name in case.services or (case.service,) if (service := plain(name))][:_SERVICES_MAX]
    return Judgement(
        action_title=prose.title(case, diagnosis, target.name if target else ""),
        description=prose.description(diagnosis, chosen, known=target is not None),
        suggested_action=chosen.action,
        kubectl_command=chosen.command,
        target_resource=target.target if target else "",
        namespace=target.namespace if target else plain(case.namespace),
        risk_level=chosen.risk,
        blast_radius=_blast_radius(chosen, target, services, prose),
        primary_responsibility=diagnosis.primary,
        responsibility_reasoning=responsibility,
        secondary_teams=list(diagnosis.secondary),
        optimization_suggestions=suggestions(diagnosis, target, language),
        reasoning=prose.reasoning(case, diagnosis, responsibility),
        deviation_analysis=prose.deviation(case, metrics),
        confidence=diagnosis.confidence,
        affected_services=services,
        signoz_correlation=prose.correlation(metrics),
    )


def _blast_radius(chosen: Remedy, target: Workload | None, services: list[str], prose: Prose) -> BlastRadius:
    touched = target.replicas if chosen.command and target and target.replicas else 0
    return BlastRadius(
        affected_pods=touched,
        estimated_downtime=prose.say(chosen.downtime),
        related_services=services,
    )
