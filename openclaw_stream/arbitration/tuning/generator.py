"""What an alert's type and the golden signals suggest to prevent the next one."""

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from openclaw_stream.arbitration.kubectl import RefusedCommand, is_label
from openclaw_stream.arbitration.tuning.texts import WORDS, Words
from openclaw_stream.arbitration.validation.judgement import admit
from openclaw_stream.arbitration.validation.workloads import OWNERS, SCALABLE, Named, Workloads, workloads_of
from openclaw_stream.events.decision import GoldenSignals, Judgement, Suggestion
from openclaw_stream.incidents.case import Case, Exemplar
from openclaw_stream.text.display import clean
from openclaw_stream.vocabulary import Language, Responsibility, TuningType

_BUSY_RPS = 100
_SLOW_P99_MS = 500
_REPLICAS_MAX = 100
_GROWTH_MAX = 2
_HEADROOM = 1.5
_MIB = 1024 * 1024
_METRIC_MAX = 1e18
"""More of anything is no measurement."""

_START_CPU, _START_MEMORY = "2", "2Gi"
"""Generous, for a limit too high costs nothing until it is used, and one too low makes the trouble worse."""

_RPS = ("rps", "requests_per_second", "qps")
_P99 = ("p99_ms", "latency_p99_ms", "p99_latency_ms")
_REPLICAS = ("replicas", "current_replicas", "spec_replicas")
_CPU_LIMITS = ("cpu_limit_cores", "container_cpu_limit_cores", "cpu_limit")
_MEMORY_LIMITS = ("memory_limit_bytes", "container_memory_limit_bytes", "limit_bytes")

SIZES = frozenset((*_REPLICAS, *_CPU_LIMITS, *_MEMORY_LIMITS))
"""Metrics that say how large a workload is made: what is right for one size is wrong for another."""

_MEMORY, _CPU, _CRASH, _LATENCY, _LOAD = "memory", "cpu", "crash", "latency", "load"
_OUT_OF_MEMORY = re.compile(r"\boom|out of memory|記憶體不足")
_TYPES = {
    _CPU: re.compile(r"\bcpu\b|throttl"),
    _MEMORY: re.compile(r"\bmem(?:ory)?\b|\bheap\b|記憶體"),
    _CRASH: re.compile(r"crash|back ?off|\brestart(?:s|ed|ing)?\b|當機|崩潰|重啟"),
    _LATENCY: re.compile(r"latenc|\bslow|\bp9[0-9]|response time|request duration|延遲|回應時間"),
    _LOAD: re.compile(
        r"\bquer(?:y|ies)\b|\b[qr]ps\b|throughput|high traffic|traffic (?:high|spike)|request rate|流量|查詢"
    ),
}
_WORDS = re.compile(r"[\W_]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True, slots=True)
class _Subject:
    """The alert that shows a trouble first, the workload it names, and what was measured; None where untold."""

    exemplar: Exemplar
    workloads: Workloads
    workload: Named | None
    words: Words
    rps: float | None
    p99: float | None
    words_only: bool

    @property
    def scalable(self) -> bool:
        return self.workload is None or self.workload.kind in SCALABLE

    def metric(self, names: Iterable[str]) -> float | None:
        return _metric(self.exemplar, names)

    def suggest(self, kind: TuningType, text: str, verb: str = "", flags: str = "", **values: float) -> Suggestion:
        """Return a suggestion in words, with its command where the workload is known and the grammar takes it."""
        target = clean(self.workload.name, 253) if self.workload else self.words.some_workload
        command = self._command(verb, flags) if verb and not self.words_only else ""
        return Suggestion(type=kind, description=text.format(target=target, **values), kubectl_or_config=command)

    def _command(self, verb: str, flags: str) -> str:
        if self.workload is None:
            return ""
        target = f"{self.workload.kind}/{self.workload.name}"
        try:
            return admit(f"kubectl {verb} {target} {flags} -n {self.workload.namespace}", self.workloads).render()
        except RefusedCommand:
            return ""


def generated(
    judgement: Judgement, case: Case, metrics: GoldenSignals | None, language: Language
) -> Iterator[Suggestion]:
    """Return one suggestion per kind of trouble in a case, in the order of the alerts."""
    troubles: dict[str, Exemplar] = {}
    for exemplar in case.exemplars:
        troubles.setdefault(_trouble_of(exemplar), exemplar)
    for trouble, exemplar in troubles.items():
        if trouble:
            yield _SUGGESTIONS[trouble](_subject(exemplar, judgement, case, metrics, language))


def _subject(
    exemplar: Exemplar, judgement: Judgement, case: Case, metrics: GoldenSignals | None, language: Language
) -> _Subject:
    workloads = workloads_of(replace(case, exemplars=(exemplar,)))
    named = (named for named in workloads.resources if named.kind in OWNERS and named.namespace)
    likeliest = judgement.primary_responsibility
    if likeliest is Responsibility.COLLAB and judgement.secondary_teams:
        likeliest = judgement.secondary_teams[0]
    rps = metrics.rps if metrics else None
    p99 = metrics.p99_ms if metrics else None
    return _Subject(
        exemplar,
        workloads,
        next(named, None),
        WORDS[language],
        rps=_metric(exemplar, _RPS) if rps is None else rps,
        p99=_metric(exemplar, _P99) if p99 is None else p99,
        words_only=likeliest is Responsibility.DB,
    )


def _trouble_of(exemplar: Exemplar) -> str:
    """Return what an alert is about: running out of memory wherever it is said, else what its name or text says."""
    name = _WORDS.sub(" ", exemplar.name).lower()
    told = (exemplar.annotations.get(key, "") for key in ("summary", "description", "message"))
    text = " ".join((exemplar.message, *told, exemplar.labels.get("reason", ""))).lower()
    if _OUT_OF_MEMORY.search(f"{name} {text}"):
        return _MEMORY
    found = (trouble for part in (name, text) for trouble, pattern in _TYPES.items() if pattern.search(part))
    return next(found, "")


def _for_memory(subject: _Subject) -> Suggestion:
    present = subject.metric(_MEMORY_LIMITS)
    text = subject.words.memory_limit if present else subject.words.memory_limit_start
    amount = f"{math.ceil(present * _HEADROOM / _MIB)}Mi" if present else _START_MEMORY
    return _limit(subject, text, f"memory={amount}")


def _for_cpu(subject: _Subject) -> Suggestion:
    if subject.rps is not None and subject.rps > _BUSY_RPS and subject.scalable:
        return _autoscale(subject, subject.words.hpa_cpu, rps=subject.rps)
    present = subject.metric(_CPU_LIMITS)
    amount = f"{math.ceil(present * _HEADROOM * 1000)}m" if present else _START_CPU
    text = subject.words.cpu_limit if present else subject.words.cpu_limit_start
    return _limit(subject, text, f"cpu={amount}")


def _for_crash(subject: _Subject) -> Suggestion:
    return subject.suggest(TuningType.RESTART, subject.words.restart, "rollout restart")


def _for_latency(subject: _Subject) -> Suggestion:
    p99 = subject.p99
    if p99 is None or not p99 > _SLOW_P99_MS or not subject.scalable:
        return _for_load(subject)
    replicas = _replicas(subject)
    if replicas is None:
        return _autoscale(subject, subject.words.hpa_latency, p99=p99)
    factor = min(p99 / _SLOW_P99_MS, _GROWTH_MAX)
    wanted = min(_REPLICAS_MAX, max(replicas + 1, math.ceil(replicas * factor)))
    flags = f"--replicas={wanted} --current-replicas={replicas}"
    text = subject.words.scale
    return subject.suggest(TuningType.SCALE, text, "scale", flags, p99=p99, wanted=wanted, replicas=replicas)


def _for_load(subject: _Subject) -> Suggestion:
    return subject.suggest(TuningType.CACHE, subject.words.cache)


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
    """Return the container an alert names; anything but a plain name could bring flags of its own."""
    named = (exemplar.labels.get(key, "") for key in ("container", "k8s.container.name", "container_name"))
    return next(filter(is_label, named), "")


def _autoscale(subject: _Subject, text: str, **values: float) -> Suggestion:
    replicas = _replicas(subject)
    low = replicas or 2
    high = min(_REPLICAS_MAX, max(10, _GROWTH_MAX * low))
    return subject.suggest(TuningType.HPA, text, "autoscale", f"--min={low} --max={high} --cpu-percent=70", **values)


def _replicas(subject: _Subject) -> int | None:
    """Return today's count of replicas where it leaves room to grow."""
    count = subject.metric(_REPLICAS)
    return int(count) if count is not None and 1 <= count < _REPLICAS_MAX else None


def _metric(exemplar: Exemplar, names: Iterable[str]) -> float | None:
    values = (exemplar.metrics[name] for name in names if name in exemplar.metrics)
    return next((value for value in values if 0 < value < _METRIC_MAX), None)
