"""The remedy that the rules propose: a command that the evidence asks for, else advice on what to look up."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from openclaw_stream.alerts.subject import WORKLOAD_KINDS
from openclaw_stream.arbitration.kubectl import Command, Kind, RefusedCommand, Verb, is_label, parse
from openclaw_stream.arbitration.remedies import command_builders
from openclaw_stream.arbitration.remedies.command_evidence import CommandEvidence, read_evidence
from openclaw_stream.arbitration.remedies.patterns import Fact
from openclaw_stream.arbitration.remedies.reasons import reason_for
from openclaw_stream.arbitration.remedies.remedy_texts import TEXTS, RemedyTexts
from openclaw_stream.arbitration.remedies.resources import (
    EvidenceResources,
    ResourceRef,
    autoscaler_of,
    container_of,
    evidence_resources,
    workload_of,
)
from openclaw_stream.events.decision import GoldenSignals
from openclaw_stream.incidents.case import Case
from openclaw_stream.text import safe_text
from openclaw_stream.vocabulary import Action, Language, Responsibility, Risk

_NAME_MAX = 253
_ADVISED_KINDS = WORKLOAD_KINDS | {"horizontalpodautoscaler", "poddisruptionbudget"}
_NEEDS_MORE = (Fact.OOM_KILL, Fact.MEMORY_HIGH, Fact.THROTTLED)
_ROLLING = (Verb.SET_RESOURCES, Verb.ROLLOUT_RESTART, Verb.ROLLOUT_UNDO)


@dataclass(frozen=True, slots=True)
class Remedy:
    """The suggested action; `advice` says what to look up, empty where there is nothing to say.

    `target` is KIND/NAME, empty where the workload is not known. `affected_pods` is 0 where their number is not known.
    """

    action: Action = Action.NO_ACTION
    command: str = ""
    reason: str = ""
    risk: Risk = Risk.LOW
    target: str = ""
    namespace: str = ""
    affected_pods: int = 0
    downtime: str = ""
    advice: str = ""


def propose(case: Case, team: Responsibility, metrics: GoldenSignals | None, language: Language) -> Remedy:
    """Return the remedy for a case: the first command whose conditions hold, else advice.

    Args:
        case: The alerts.
        team: The responsible team. The database team gets neither, and COLLAB, where the alerts point to no team, no
            command.
        metrics: The golden signals, None without any.
        language: The language of the texts.
    """
    resources = evidence_resources(case)
    target = workload_of(case, resources) or autoscaler_of(case, resources)
    texts = TEXTS[language]
    remedy = Remedy(
        target=target.target if target else "",
        namespace=target.namespace if target else case.namespace if is_label(case.namespace) else "",
        downtime=texts.downtime_none,
    )
    if team is Responsibility.DB:
        return remedy
    name = target.name if target else case.subject.name or case.service
    evidence = read_evidence(case, metrics, target.kind if target else Kind.DEPLOYMENT, name)
    if target and team is not Responsibility.COLLAB:
        for text in _candidates(target, case, resources, evidence):
            if found := _justified(text, case, metrics, language):
                return _with_command(remedy, *found, evidence, texts)
    if target is None and case.subject.kind not in _ADVISED_KINDS:
        return remedy  # a host has no replicas, and no limit of a container
    return replace(remedy, advice=_advice(evidence, safe_text(name, _NAME_MAX, one_line=True), texts))


def _candidates(
    target: ResourceRef, case: Case, resources: EvidenceResources, evidence: CommandEvidence
) -> Iterator[str]:
    """Yield the commands on a workload and what belongs to it, the one nearest to a cause first."""
    if autoscaler := autoscaler_of(case, resources):
        yield command_builders.raise_hpa_maximum(autoscaler, evidence)
    if target.kind is Kind.HPA:
        return
    container, _ = container_of(case)
    if evidence.states(Fact.RELEASE):
        yield command_builders.undo(target)
    yield command_builders.raise_memory_limit(target, evidence, container)
    pods = [each for each in resources.resources if each.kind is Kind.POD]
    if len(pods) == 1 and evidence.states(Fact.STUCK_POD):
        yield command_builders.delete(pods[0])
    yield command_builders.restart(target)
    yield command_builders.raise_cpu_limit(target, evidence, container)
    yield command_builders.scale_out(target, evidence)


def _justified(text: str, case: Case, metrics: GoldenSignals | None, language: Language) -> tuple[Command, str] | None:
    if not text:
        return None
    try:
        command = parse(text)
        return command, reason_for(command, case, metrics, language)
    except RefusedCommand:
        return None


def _with_command(
    remedy: Remedy, command: Command, reason: str, evidence: CommandEvidence, texts: RemedyTexts
) -> Remedy:
    is_deletion = command.verb is Verb.DELETE
    downtime = texts.downtime_rolling if command.verb in _ROLLING else texts.downtime_none
    advice = {Verb.ROLLOUT_UNDO: texts.release, Verb.ROLLOUT_RESTART: texts.hang}.get(command.verb, "")
    return replace(
        remedy,
        action=command.action,
        command=command.render(),
        reason=reason,
        risk=Risk.CRITICAL if is_deletion else Risk.MEDIUM,
        target=command.target,
        namespace=command.namespace,
        affected_pods=1 if is_deletion else command_builders.current_replicas(evidence) or 0,
        downtime=texts.downtime_pod if is_deletion else downtime,
        advice=advice.format(target=command.name),
    )


def _advice(evidence: CommandEvidence, name: str, texts: RemedyTexts) -> str:
    """Return what to look up for a remedy that the evidence does not settle, or why the usual one does not help."""
    if evidence.mentions(Fact.NO_CHANGE):
        return ""
    for fact, advice in (
        (Fact.IMAGE_PULL, texts.image_pull),
        (Fact.MISSING_SETTING, texts.missing_setting),
        (Fact.OOM_KILL, texts.memory_limit),
        (Fact.CRASH_LOOP, texts.crash_loop),
        (Fact.MEMORY_HIGH, texts.memory_limit),
        (Fact.THROTTLED, texts.cpu_limit),
    ):
        if evidence.states(fact) and not (fact in _NEEDS_MORE and evidence.mentions(Fact.NO_GROWTH)):
            return advice.format(target=name)
    return _advice_on_scale(evidence, texts).format(target=name)


def _advice_on_scale(evidence: CommandEvidence, texts: RemedyTexts) -> str:
    if evidence.mentions(Fact.NO_GROWTH) or evidence.mentions(Fact.NO_SCALE):
        return ""
    if evidence.states(Fact.AT_MAXIMUM) and evidence.states(Fact.AUTOSCALER):
        return texts.dependency if evidence.mentions(Fact.DEPENDENCY) else texts.hpa
    if not (evidence.states(Fact.CPU_HIGH) or evidence.states(Fact.LOAD)) or evidence.mentions(Fact.CPU_LOW):
        return ""
    if evidence.mentions(Fact.DEPENDENCY):
        return texts.dependency
    return texts.scale_managed if evidence.mentions(Fact.AUTOSCALER) else texts.scale
