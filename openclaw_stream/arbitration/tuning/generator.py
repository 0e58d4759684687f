"""Generates tuning suggestions from the fault types of the alerts and the golden signals."""

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from openclaw_stream.arbitration.kubectl import RefusedCommand, is_label
from openclaw_stream.arbitration.remedies.resources import (
    SCALABLE,
    WORKLOAD_KINDS,
    EvidenceResources,
    ResourceRef,
    evidence_resources,
)
from openclaw_stream.arbitration.tuning.texts import TUNING_TEXTS, TuningTexts
from openclaw_stream.arbitration.validation.validator import check_command
from openclaw_stream.events.decision import GoldenSignals, Judgement, Suggestion
from openclaw_stream.incidents.case import Case, Exemplar
from openclaw_stream.text import safe_text
from openclaw_stream.vocabulary import Language, Responsibility, TuningType

_BUSY_RPS = 100
_SLOW_P99_MS = 500
_REPLICAS_MAX = 100
_REPLICA_GROWTH_MAX = 2
_LIMIT_GROWTH = 1.5
_MIB = 1024 * 1024
_METRIC_MAX = 1e18
"""A higher value is not a valid measurement."""

_START_CPU, _START_MEMORY = "2", "2Gi"
"""High on purpose: a limit that is too high costs nothing until it is used, one that is too low worsens the fault."""

_RPS = ("rps", "requests_per_second", "qps")
_P99 = ("p99_ms", "latency_p99_ms", "p99_latency_ms")
_REPLICAS = ("replicas", "current_replicas", "spec_replicas")
_CPU_LIMITS = ("cpu_limit_cores", "container_cpu_limit_cores", "cpu_limit")
_MEMORY_LIMITS = ("memory_limit_bytes", "container_memory_limit_bytes", "limit_bytes")

SIZES = frozenset((*_REPLICAS, *_CPU_LIMITS, *_MEMORY_LIMITS))
"""Metrics with the size of a workload; a suggestion for one size is wrong for another."""

_MEMORY, _CPU, _CRASH, _LATENCY, _LOAD = "memory", "cpu", "crash", "latency", "load"
_OUT_OF_MEMORY = re.compile(r"\boom|out of memory|記憶體不足")
_FAULT_PATTERNS = {
    _CPU: re.compile(r"\bcpu\b|throttl"),
    _MEMORY: re.compile(r"\bmem(?:ory)?\b|\bheap\b|記憶體"),
    _CRASH: re.compile(r"crash|back ?off|\brestart(?:s|ed|ing)?\b|當機|崩潰|重啟"),
    _LATENCY: re.compile(r"latenc|\bslow|\bp9[0-9]|response time|request duration|延遲|回應時間"),
    _LOAD: re.compile(
        r"\bquer(?:y|ies)\b|\b[qr]ps\b|throughput|high traffic|traffic (?:high|spike)|request rate|流量|查詢"
    ),
}
_WORD_BREAK = re.compile(r"[\W_]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True, slots=True)
class _Subject:
    """The first alert of a fault type, the workload it names, and its measurements; None where unknown."""

    exemplar: Exemplar
    resources: EvidenceResources
    workload: ResourceRef | None
    texts: TuningTexts
    rps: float | None
    p99: float | None
    advice_only: bool

    @property
    def scalable(self) -> bool:
        return self.workload is None or self.workload.kind in SCALABLE

    def metric(self, names: Iterable[str]) -> float | None:
        return _metric(self.exemplar, names)

    def suggest(self, kind: TuningType, text: str, verb: str = "", flags: str = "", **values: float) -> Suggestion:
        """Return a suggestion, with a command if the workload is known and the grammar accepts the command."""
        target = safe_text(self.workload.name, 253) if self.workload else self.texts.some_workload
        command = self._command(verb, flags) if verb and not self.advice_only else ""
        return Suggestion(type=kind, description=text.format(target=target, **values), kubectl_or_config=command)

    def _command(self, verb: str, flags: str) -> str:
        if self.workload is None:
            return ""
        text = f"kubectl {verb} {self.workload.kind}/{self.workload.name} {flags} -n {self.workload.namespace}"
        try:
            return check_command(text, self.resources).render()
        except RefusedCommand:
            return ""


def generate_suggestions(
    judgement: Judgement, case: Case, metrics: GoldenSignals | None, language: Language
) -> Iterator[Suggestion]:
    """Yield one suggestion per fault type in a case, in the order of the alerts."""
    first_of_type: dict[str, Exemplar] = {}
    for exemplar in case.exemplars:
        first_of_type.setdefault(_fault_type(exemplar), exemplar)
    for fault_type, exemplar in first_of_type.items():
        if fault_type:
            yield _SUGGESTIONS[fault_type](_subject(exemplar, judgement, case, metrics, language))


def _subject(
    exemplar: Exemplar, judgement: Judgement, case: Case, metrics: GoldenSignals | None, language: Language
) -> _Subject:
    resources = evidence_resources(replace(case, exemplars=(exemplar,)))
    workloads = (each for each in resources.resources if each.kind in WORKLOAD_KINDS and each.namespace)
    team = judgement.primary_responsibility
    if team is Responsibility.COLLAB and judgement.secondary_teams:
        team = judgement.secondary_teams[0]
    rps = metrics.rps if metrics else None
    p99 = metrics.p99_ms if metrics else None
    return _Subject(
        exemplar,
        resources,
        next(workloads, None),
        TUNING_TEXTS[language],
        rps=_metric(exemplar, _RPS) if rps is None else rps,
        p99=_metric(exemplar, _P99) if p99 is None else p99,
        advice_only=team is Responsibility.DB,
    )


def _fault_type(exemplar: Exemplar) -> str:
    """Return the fault type of an alert: memory if any text reports OOM, else by its name, else by its texts."""
    name = _WORD_BREAK.sub(" ", exemplar.name).lower()
    annotations = (exemplar.annotations.get(key, "") for key in ("summary", "description", "message"))
    text = " ".join((exemplar.message, *annotations, exemplar.labels.get("reason", ""))).lower()
    if _OUT_OF_MEMORY.search(f"{name} {text}"):
        return _MEMORY
    patterns = _FAULT_PATTERNS.items()
    return next((fault_type for part in (name, text) for fault_type, regex in patterns if regex.search(part)), "")


def _for_memory(subject: _Subject) -> Suggestion:
    current = subject.metric(_MEMORY_LIMITS)
    text = subject.texts.memory_limit if current else subject.texts.memory_limit_start
    amount = f"{math.ceil(current * _LIMIT_GROWTH / _MIB)}Mi" if current else _START_MEMORY
    return _limit(subject, text, f"memory={amount}")


def _for_cpu(subject: _Subject) -> Suggestion:
    if subject.rps is not None and subject.rps > _BUSY_RPS and subject.scalable:
        return _autoscale(subject, subject.texts.hpa_cpu, rps=subject.rps)
    current = subject.metric(_CPU_LIMITS)
    amount = f"{math.ceil(current * _LIMIT_GROWTH * 1000)}m" if current else _START_CPU
    text = subject.texts.cpu_limit if current else subject.texts.cpu_limit_start
    return _limit(subject, text, f"cpu={amount}")


def _for_crash(subject: _Subject) -> Suggestion:
    return subject.suggest(TuningType.RESTART, subject.texts.restart, "rollout restart")


def _for_latency(subject: _Subject) -> Suggestion:
    p99 = subject.p99
    if p99 is None or not p99 > _SLOW_P99_MS or not subject.scalable:
        return _for_load(subject)
    replicas = _replicas(subject)
    if replicas is None:
        return _autoscale(subject, subject.texts.hpa_latency, p99=p99)
    factor = min(p99 / _SLOW_P99_MS, _REPLICA_GROWTH_MAX)
    wanted = min(_REPLICAS_MAX, max(replicas + 1, math.ceil(replicas * factor)))
    flags = f"--replicas={wanted} --current-replicas={replicas}"
    text = subject.texts.scale
    return subject.suggest(TuningType.SCALE, text, "scale", flags, p99=p99, wanted=wanted, replicas=replicas)


def _for_load(subject: _Subject) -> Suggestion:
    return subject.suggest(TuningType.CACHE, subject.texts.cache)


_SUGGESTIONS: dict[str, Callable[[_Subject], Suggestion]] = {
    _MEMORY: _for_memory,
    _CPU: _for_cpu,
    _CRASH: _for_crash,
    _LATENCY: _for_latency,
    _LOAD: _for_load,
}


def _limit(subject: _Subject, text: str, amount: str) -> Suggestion:
    only = f"--containers={name} " if (name := _container(subject.exemplar)) else ""
    return subject.suggest(TuningType.RESOURCE_LIMIT, text, "set resources", f"{only}--limits={amount}")


def _container(exemplar: Exemplar) -> str:
    """Return the container of an alert; a name that is not a DNS label could inject flags."""
    names = (exemplar.labels.get(key, "") for key in ("container", "k8s.container.name", "container_name"))
    return next(filter(is_label, names), "")


def _autoscale(subject: _Subject, text: str, **values: float) -> Suggestion:
    replicas = _replicas(subject)
    low = replicas or 2
    high = min(_REPLICAS_MAX, max(10, _REPLICA_GROWTH_MAX * low))
    return subject.suggest(TuningType.HPA, text, "autoscale", f"--min={low} --max={high} --cpu=70%", **values)


def _replicas(subject: _Subject) -> int | None:
    """Return the current number of replicas; None if it is unknown or at the maximum."""
    count = subject.metric(_REPLICAS)
    return int(count) if count is not None and 1 <= count < _REPLICAS_MAX else None


def _metric(exemplar: Exemplar, names: Iterable[str]) -> float | None:
    values = (exemplar.metrics[name] for name in names if name in exemplar.metrics)
    return next((value for value in values if 0 < value < _METRIC_MAX), None)
