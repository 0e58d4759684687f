"""The remedy of a diagnosis: a command if the workload is known, and preventive tuning."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from openclaw_stream.alerts.resource_names import workload_of_pod
from openclaw_stream.alerts.subject import namespace_of
from openclaw_stream.arbitration.rules.diagnosis import Diagnosis
from openclaw_stream.arbitration.rules.rule_set import Cause, TuningAdvice
from openclaw_stream.events.decision import Suggestion
from openclaw_stream.incidents.case import Case, Exemplar
from openclaw_stream.vocabulary import Action, Language, Responsibility, Risk, TuningType

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_NAMESPACE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_KINDS = ("deployment", "statefulset", "daemonset")
_SCALABLE = ("deployment", "statefulset")
_POD_LABELS = ("exported_pod", "pod", "pod_name", "k8s.pod.name", "k8s_pod_name", "kubernetes_pod_name")
_ORDINAL = re.compile(r"-\d{1,4}")
_REPLICA_SET_HASHES = 2
_EXPORTERS = ("exporter", "kube-state-metrics", "prometheus", "blackbox")
"""Exporters add their own pod to the labels of what they measure."""

_REPLICAS = ("replicas", "current_replicas", "spec_replicas")
_MEMORY_LIMITS = ("memory_limit_bytes", "container_memory_limit_bytes", "limit_bytes")
_MIB = 1024 * 1024
_REPLICAS_MAX = 100
_SUGGESTIONS_MAX = 8


@dataclass(frozen=True, slots=True)
class Workload:
    """The workload of a case, from labels and metrics of its alerts.

    `container`, `replicas` and `memory` (the current limit in bytes) are empty or None where the alerts lack them.
    """

    kind: str
    name: str
    namespace: str
    container: str = ""
    replicas: int | None = None
    memory: float | None = None

    @property
    def target(self) -> str:
        """KIND/NAME."""
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class Remedy:
    """The suggested action; `downtime` is the key of a phrase."""

    action: Action = Action.NO_ACTION
    command: str = ""
    risk: Risk = Risk.LOW
    downtime: str = "downtime_none"


def workload(case: Case, diagnosis: Diagnosis) -> Workload | None:
    """Return the workload that the supporting alerts name; None where they name none, or several."""
    names = {each.evidence.name for each in diagnosis.supporting}
    workloads = {
        (found.kind, found.name, found.namespace): found
        for exemplar in case.exemplars
        if exemplar.name in names and (found := _workload(exemplar, case))
    }
    return next(iter(workloads.values())) if len(workloads) == 1 else None


def remedy(cause: Cause, workload: Workload | None) -> Remedy:
    """Return the remedy of a cause for a workload; no action where no command is possible."""
    if workload is None:
        return Remedy()
    if cause.remedy == "restart":
        command = f"kubectl rollout restart {workload.target} -n {workload.namespace}"
        return Remedy(Action.RESTART_DEPLOYMENT, command, Risk.MEDIUM, "downtime_rolling")
    if cause.remedy == "hpa" and (command := _scale_out(workload)):
        action = Action.APPLY_HPA if workload.replicas is None else Action.SCALE_DEPLOYMENT
        return Remedy(action, command, Risk.MEDIUM)
    if cause.remedy == "limits" and (command := _raise_memory_limit(workload)):
        return Remedy(Action.TUNE_RESOURCES, command, Risk.MEDIUM, "downtime_rolling")
    return Remedy()


def suggestions(diagnosis: Diagnosis, workload: Workload | None, language: Language) -> list[Suggestion]:
    """Return preventive tuning for the root cause, then for the first symptom."""
    causes = [diagnosis.cause, *(each.cause for each in diagnosis.symptoms[:1])]
    return [
        Suggestion(
            type=item.type, description=item.text[language], kubectl_or_config=_command_or_config(item, cause, workload)
        )
        for cause in dict.fromkeys(causes)
        for item in cause.tuning
    ][:_SUGGESTIONS_MAX]


def _command_or_config(advice: TuningAdvice, cause: Cause, workload: Workload | None) -> str:
    """Return the command for a tuning advice, else its configuration; databases never get a command."""
    if workload is None or cause.team is Responsibility.DB:
        return advice.config
    if advice.type is TuningType.HPA:
        return _autoscale(workload) or advice.config
    if advice.type is TuningType.RESOURCE_LIMIT and cause.remedy == "limits":
        return _raise_memory_limit(workload) or advice.config
    return advice.config


def _scale_out(workload: Workload) -> str:
    if workload.kind not in _SCALABLE:
        return ""
    if workload.replicas is None:
        return _autoscale(workload)
    replicas = min(_REPLICAS_MAX, workload.replicas + math.ceil(workload.replicas / 2))
    return (
        f"kubectl scale {workload.target} --replicas={replicas} --current-replicas={workload.replicas}"
        f" -n {workload.namespace}"
    )


def _autoscale(workload: Workload) -> str:
    if workload.kind not in _SCALABLE:
        return ""
    return f"kubectl autoscale {workload.target} --min=2 --max=6 --cpu=70% -n {workload.namespace}"


def _raise_memory_limit(workload: Workload) -> str:
    """Return a command that raises the memory limit by half; empty where the current limit is unknown."""
    if not workload.container or workload.memory is None:
        return ""
    limit = math.ceil(workload.memory * 1.5 / _MIB)
    return (
        f"kubectl set resources {workload.target} --containers={workload.container} --limits=memory={limit}Mi"
        f" -n {workload.namespace}"
    )


def _workload(exemplar: Exemplar, case: Case) -> Workload | None:
    namespace = exemplar.namespace or namespace_of(exemplar.labels) or case.namespace
    if not _NAMESPACE.fullmatch(namespace):
        return None
    for kind, name in _candidates(exemplar):
        is_exporter = any(part in name for part in _EXPORTERS)
        if kind in _KINDS and _NAME.fullmatch(name) and not is_exporter:
            container = exemplar.labels.get("container", "")
            return Workload(
                kind=kind,
                name=name,
                namespace=namespace,
                container=container if _NAMESPACE.fullmatch(container) else "",
                replicas=_count(exemplar.metrics),
                memory=_first(exemplar.metrics, _MEMORY_LIMITS),
            )
    return None


def _candidates(exemplar: Exemplar) -> Iterator[tuple[str, str]]:
    labels = exemplar.labels
    kind, _, name = exemplar.target_resource.partition("/")
    yield kind.lower(), name
    for each in _KINDS:
        yield each, labels.get(each, "") or labels.get(f"k8s.{each}.name", "") or labels.get(f"k8s_{each}_name", "")
    for pod in (name if kind.lower() == "pod" else "", *(labels.get(label, "") for label in _POD_LABELS)):
        if pod:
            yield _owner(pod)


def _owner(pod: str) -> tuple[str, str]:
    """Return kind and name of a pod's owner by the ending of the pod's name: an ordinal, or a replica set's hashes."""
    name = workload_of_pod(pod)
    ending = pod.removeprefix(name)
    if _ORDINAL.fullmatch(ending):
        return "statefulset", name
    return ("deployment" if ending.count("-") == _REPLICA_SET_HASHES else "", name)


def _count(metrics: Mapping[str, float]) -> int | None:
    value = _first(metrics, _REPLICAS)
    return int(value) if value is not None and 1 <= value <= _REPLICAS_MAX else None


def _first(metrics: Mapping[str, float], names: Iterable[str]) -> float | None:
    values = (metrics[name] for name in names if name in metrics)
    return next((value for value in values if math.isfinite(value) and value > 0), None)
