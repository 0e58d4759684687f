"""The evidence for a command: what the alerts of a case state about one resource, each fact with its source."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from openclaw_stream.alerts.resource_names import workload_of_pod
from openclaw_stream.alerts.subject import WORKLOAD_KINDS
from openclaw_stream.arbitration.kubectl import Kind
from openclaw_stream.arbitration.remedies.patterns import Fact
from openclaw_stream.arbitration.remedies.resources import evidence_resources, known_workloads
from openclaw_stream.arbitration.remedies.statements import Statement, named_facts, quotable, statements
from openclaw_stream.events.decision import GoldenSignals
from openclaw_stream.incidents.case import Case, Exemplar

_NUMBERS = {
    Fact.REPLICAS: (
        *("replicas", "current_replicas", "spec_replicas", "kube_deployment_spec_replicas"),
        *("kube_statefulset_replicas", "kube_horizontalpodautoscaler_status_current_replicas"),
    ),
    Fact.HPA_MAX: ("max_replicas", "hpa_max_replicas", "kube_horizontalpodautoscaler_spec_max_replicas"),
    Fact.MEMORY_LIMIT: (
        *("memory_limit_bytes", "container_memory_limit_bytes", "limit_bytes", "container_spec_memory_limit_bytes"),
    ),
    Fact.CPU_LIMIT: ("cpu_limit_cores", "container_cpu_limit_cores", "cpu_limit"),
}
_MAXIMA = {Fact.REPLICAS: 1000.0, Fact.HPA_MAX: 1000.0, Fact.MEMORY_LIMIT: 2.0**42, Fact.CPU_LIMIT: 256.0}
_COUNTS = (Fact.REPLICAS, Fact.HPA_MAX)
_FACTS = {name: fact for fact, names in _NUMBERS.items() for name in names}
SIZES = frozenset(_FACTS)
"""Metrics with the size of a workload; a command for one size is wrong for another."""

_CPU_METRICS = (
    *("cpu", "cpu_usage", "cpu_percent", "cpu_pct", "cpu_usage_percent", "cpu_utilization", "cpu_utilisation"),
    *("cpu_utilization_percent", "cpu_usage_ratio", "cpu_utilization_ratio", "container_cpu_percent"),
)
_MEMORY_METRICS = (
    *("memory_percent", "memory_usage_percent", "memory_utilization", "memory_utilization_percent"),
    *("mem_percent", "memory_usage_ratio", "container_memory_percent"),
)
_RATIO_MAX, _PERCENT_MAX = 1.5, 100.0
_HIGH_CPU, _LOW_CPU, _HIGH_MEMORY = 75.0, 50.0, 80.0
SLOW_P99_MS = 500.0
_RISE, _STEADY = 0.5, 0.2

_STATE_LABELS = (
    *("reason", "state", "status", "phase", "condition", "container_state", "waiting_reason", "terminated_reason"),
    *("last_terminated_reason", "exit_reason", "pod_status", "error"),
)
_AUTOSCALER_LABELS = (
    *("horizontalpodautoscaler", "exported_horizontalpodautoscaler", "hpa", "k8s_hpa_name"),
    *("scaledobject", "scaled_object", "vpa", "verticalpodautoscaler"),
)
_AUTOSCALER = re.compile(r"(?:^|[-_])(?:hpa|keda|vpa|scaled_?object)(?:$|[-_])|autoscal", re.IGNORECASE)
_VERTICAL = re.compile(r"(?:^|[-_])vpa(?:$|[-_])|vertical", re.IGNORECASE)
_NAME_LABELS = (
    *("service", "service_name", "app", "app_kubernetes_io_name", "application", "workload"),
    *("deployment", "statefulset", "daemonset", "container"),
)
_CHANGED = (
    *(("previous_revision", "revision"), ("previous_image", "image"), ("previous_version", "version")),
    *(("old_revision", "new_revision"), ("old_image", "new_image"), ("old_version", "new_version")),
    *(("from_revision", "to_revision"), ("from_image", "to_image"), ("from_version", "to_version")),
)
_GUIDANCE = ("runbook", "url", "link", "action", "remed", "playbook", "resolution", "recommend", "mitigat", "suggest")
"""Annotations with these in their names say what to do, not what is; they may speak against a command, not for one."""

_AGAINST_COMMANDS = (
    *(Fact.NO_CHANGE, Fact.NO_RESTART, Fact.NO_UNDO, Fact.NO_GROWTH, Fact.NO_SCALE),
    *(Fact.AUTOSCALER, Fact.VERTICAL_AUTOSCALER),
)
_OWN_NAME_MIN = 3
_EXEMPLARS_MAX = 32
_ANNOTATIONS_MAX = 16


@dataclass(frozen=True, slots=True)
class Quote:
    """A fact with the alert and the field that state it; `alert` is empty for the golden signals.

    `about_target`: the alert names the resource of the command.
    """

    statement: Statement
    alert: str
    field: str
    about_target: bool = True


@dataclass(frozen=True, slots=True)
class CommandEvidence:
    """The facts in a case for a command on one resource, in the order of the alerts."""

    quotes: Sequence[Quote]

    def states(self, fact: Fact) -> Quote | None:
        """Return where an alert about the resource states a fact with certainty."""
        return next((each for each in self._certain(fact)), None)

    def mentions(self, fact: Fact, *, of_target: bool = False) -> Quote | None:
        """Return where an alert, also about something else, states or supposes a fact: enough to refuse a command."""
        found = (each for each in self.quotes if each.statement.fact is fact)
        return next((each for each in found if each.about_target or not of_target), None)

    def number(self, fact: Fact) -> Quote | None:
        """Return where the number of a fact is stated; None where it is not, or where alerts state different ones."""
        return next(iter(self._certain(fact)), None) if len(self.numbers(fact)) == 1 else None

    def numbers(self, fact: Fact) -> list[float]:
        """Return the different numbers of a fact that alerts about the resource state."""
        return sorted({each.statement.number for each in self._certain(fact)})

    def _certain(self, fact: Fact) -> list[Quote]:
        of_target = (each for each in self.quotes if each.about_target and not each.statement.name)
        return [each for each in of_target if each.statement.fact is fact and each.statement.certain]


def read_evidence(
    case: Case, metrics: GoldenSignals | None, kind: Kind, name: str, namespace: str = ""
) -> CommandEvidence:
    """Read from a case and its golden signals what concerns a command on the resource `kind`/`name`.

    With a namespace, alerts of other namespaces are about something else.
    """
    exemplars = case.exemplars[:_EXEMPLARS_MAX]
    about = [_is_about(each, case, kind, name, namespace) for each in exemplars]
    own = _own_names([each for each, is_about in zip(exemplars, about, strict=True) if is_about], case, name)
    quotes = [
        quote
        for exemplar, is_about in zip(exemplars, about, strict=True)
        for quote in _of_exemplar(exemplar, own, about_target=is_about)
    ]
    evidence = CommandEvidence(quotes)
    if metrics:
        quotes += _of_signals(metrics, evidence)
    return evidence


def alerts_about(case: Case, kind: Kind, name: str, namespace: str) -> list[Exemplar]:
    """Return the alerts that are about the resource `kind`/`name`."""
    return [each for each in case.exemplars[:_EXEMPLARS_MAX] if _is_about(each, case, kind, name, namespace)]


def _is_about(exemplar: Exemplar, case: Case, kind: Kind, name: str, namespace: str) -> bool:
    """Return whether an alert is about the resource.

    An alert that names nothing is about the subject of its case; one that names a workload with its kind is about that,
    not about the other services in its labels; of several workloads it is about the subject of the case.
    """
    if namespace and exemplar.namespace not in ("", namespace):
        return False
    found = evidence_resources(replace(case, service="", exemplars=(exemplar,)))
    workloads = {each.name for each in known_workloads(found)}
    if kind not in (Kind.POD, Kind.HPA) and workloads:
        return name in workloads and (len(workloads) == 1 or name == case.subject.name)
    kinds = {kind} if kind is not Kind.HPA else {Kind.HPA, Kind.DEPLOYMENT, Kind.STATEFULSET}
    if found.resources:
        return any(each.name == name and each.kind in kinds for each in found.resources)
    return name in (case.service, case.subject.name)


def _own_names(exemplars: Sequence[Exemplar], case: Case, name: str) -> tuple[str, ...]:
    """Return the names of the resource in its alerts, longest first."""
    names = {name, case.service, case.subject.name if case.subject.kind in WORKLOAD_KINDS else ""}
    for exemplar in exemplars:
        names |= {exemplar.service, exemplar.target_resource.rpartition("/")[2]}
        names |= {value for key, value in exemplar.labels.items() if key.replace(".", "_") in _NAME_LABELS}
        pods = {value for key, value in exemplar.labels.items() if "pod" in key.lower()}
        names |= pods | {workload_of_pod(pod) for pod in pods}
    return tuple(sorted((each for each in names if len(each) >= _OWN_NAME_MIN), key=lambda each: (-len(each), each)))


def _of_exemplar(exemplar: Exemplar, own: tuple[str, ...], *, about_target: bool) -> Iterator[Quote]:
    for field, found in _statements(exemplar, own):
        for statement in found:
            yield Quote(statement, exemplar.name, field, about_target)


def _statements(exemplar: Exemplar, own: tuple[str, ...]) -> Iterator[tuple[str, Sequence[Statement]]]:
    """Yield the fields of an alert with the facts in them."""
    yield "metrics", tuple(_measured(exemplar.metrics))
    yield "message", statements(exemplar.message, own) if exemplar.message else ()
    for key, text in list(exemplar.annotations.items())[:_ANNOTATIONS_MAX]:
        found = statements(text, own)
        is_guidance = any(part in key.lower() for part in _GUIDANCE)
        yield key, _against(found) if is_guidance else found
    for key, value in exemplar.labels.items():
        plain = key.lower().replace(".", "_")
        if plain in _STATE_LABELS:
            yield key, named_facts(value)
        elif plain in _AUTOSCALER_LABELS and value:
            yield key, (Statement(Fact.AUTOSCALER, quotable(value)), *_vertical(plain, value))
        elif _AUTOSCALER.search(plain) or _AUTOSCALER.search(value):
            yield key, (Statement(Fact.AUTOSCALER, quotable(value), certain=False), *_vertical(plain, value))
    yield from _changes(exemplar)
    yield "alert name", named_facts(exemplar.name)


def _against(found: Sequence[Statement]) -> list[Statement]:
    return [replace(each, certain=False) for each in found if each.fact in _AGAINST_COMMANDS]


def _vertical(key: str, value: str) -> Iterator[Statement]:
    if _VERTICAL.search(key) or _VERTICAL.search(value):
        yield Statement(Fact.VERTICAL_AUTOSCALER, quotable(value))


def _changes(exemplar: Exemplar) -> Iterator[tuple[str, Sequence[Statement]]]:
    """Yield the changed revisions, images and versions that an alert names with what was before."""
    for fields in (exemplar.labels, exemplar.annotations):
        for before, after in _CHANGED:
            if fields.get(before) and fields.get(after) and fields[before] != fields[after]:
                yield after, (Statement(Fact.RELEASE, quotable(fields[after])),)


def _measured(metrics: Mapping[str, float]) -> Iterator[Statement]:
    """Yield the facts in the metrics of an alert."""
    for name, value in metrics.items():
        if not (isinstance(value, int | float) and math.isfinite(value)):
            continue
        plain, words = name.lower(), f"{name}={number_text(value)}"
        fact = _FACTS.get(plain)
        if _AUTOSCALER.search(plain) or fact is Fact.HPA_MAX:
            yield Statement(Fact.AUTOSCALER, words)
        if fact and 0 < value <= _MAXIMA[fact] and (fact not in _COUNTS or value == int(value)):
            yield Statement(fact, words, number=value)
        elif plain in _CPU_METRICS and (percent := _percent(plain, value)) is not None:
            level = Fact.CPU_HIGH if percent >= _HIGH_CPU else Fact.CPU_LOW if percent <= _LOW_CPU else None
            if level:
                yield Statement(level, words)
        elif plain in _MEMORY_METRICS and (_percent(plain, value) or 0) >= _HIGH_MEMORY:
            yield Statement(Fact.MEMORY_HIGH, words)


def _percent(name: str, value: float) -> float | None:
    """Return a metric in percent; None where the unit is not known: `cpu=0.9` may be cores, `cpu=250` millicores."""
    if name.endswith(("percent", "pct")):
        return value
    if value <= _RATIO_MAX:
        return value * 100 if "utili" in name or name.endswith("ratio") else None
    return value if value <= _PERCENT_MAX else None


def _of_signals(metrics: GoldenSignals, evidence: CommandEvidence) -> Iterator[Quote]:
    """Yield what the golden signals show: load, or time that is spent waiting for something else."""
    trend, p99 = metrics.rps_trend, metrics.p99_ms
    if p99 is None or trend is None or p99 < SLOW_P99_MS:
        return
    if trend >= _RISE:
        yield _signal(Fact.LOAD, "rps_trend", trend)
    elif trend < _STEADY and evidence.states(Fact.CPU_LOW):
        yield _signal(Fact.WAITING, "p99_ms", p99)


def _signal(fact: Fact, name: str, value: float) -> Quote:
    return Quote(Statement(fact, f"{name}={number_text(value)}"), "", "golden signals")


def number_text(value: float) -> str:
    """Return a number as reasons quote it: whole numbers without a fraction."""
    return f"{int(value)}" if value == int(value) and abs(value) < 2**53 else f"{value}"
