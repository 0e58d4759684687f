"""Generates tuning suggestions from the fault types of the alerts and the golden signals."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from openclaw_stream.alerts.subject import WORKLOAD_KINDS
from openclaw_stream.arbitration.kubectl import Kind, RefusedCommand, parse
from openclaw_stream.arbitration.remedies import command_builders, reason_for, responsible_team
from openclaw_stream.arbitration.remedies.command_evidence import SLOW_P99_MS, CommandEvidence, read_evidence
from openclaw_stream.arbitration.remedies.data_stores import is_data_store
from openclaw_stream.arbitration.remedies.patterns import Fact
from openclaw_stream.arbitration.remedies.resources import (
    SCALABLE,
    ResourceRef,
    container_of,
    evidence_resources,
    workload_of,
)
from openclaw_stream.arbitration.tuning.texts import TUNING_TEXTS, TuningTexts
from openclaw_stream.events.decision import GoldenSignals, Judgement, Suggestion
from openclaw_stream.incidents.case import Case, Exemplar
from openclaw_stream.text import safe_text
from openclaw_stream.vocabulary import Language, Responsibility, TuningType

_BUSY_RPS = 100
_METRIC_MAX = 1e18
"""A higher value is not a valid measurement."""

_RPS = ("rps", "requests_per_second", "qps")
_P99 = ("p99_ms", "latency_p99_ms", "p99_latency_ms")

_MEMORY, _CPU, _CRASH, _LATENCY, _LOAD = "memory", "cpu", "crash", "latency", "load"
_INVALID_ACCESS = re.compile(
    r"\bsig(?:segv|bus|abrt|ill)\b|\bseg(?:mentation )?fault|\bexit(?:ed)?(?: with)?(?: code)? (?:132|134|135|139)\b"
    r"|\bnil pointer|\bnull pointer|\binvalid memory address|區段錯誤|記憶體區段"
)
"""Crashes of the program itself, which more memory does not prevent."""
_OUT_OF_MEMORY = re.compile(r"\boom|out of memory|記憶體不足")
_HEAP = re.compile(r"\bheap\b|\bmetaspace\b|\bjvm\b|堆積")
_FAULT_PATTERNS = {
    _CPU: re.compile(r"\bcpu\b|throttl"),
    _MEMORY: re.compile(r"\bmem(?:ory)?\b|記憶體"),
    _CRASH: re.compile(r"crash|back ?off|\brestart(?:s|ed|ing)?\b|當機|崩潰|重啟"),
    _LATENCY: re.compile(
        r"latenc|\bslow(?:er)? (?:respon|request|page|api|site|web|load)"
        r"|\b(?:respon\w+|requests?|pages?|site|api|loading) (?:(?:is|are|too|very) )*slow"
        r"|\bp9[0-9]|response time|request duration|延遲|回應時間"
    ),
    _LOAD: re.compile(
        r"\bquer(?:y|ies)\b|\b[qr]ps\b|throughput|high traffic|traffic (?:high|spike)|request rate|流量|查詢"
    ),
}
_LESS = re.compile(r"\b(?:low|lower|below|less|no|drop\w*|fell|fewer)\b|過低|偏低|低於|下降|沒有")
_UNCACHEABLE = re.compile(
    r"\b(?:queues?|event loops?|schedule to start|consumers?|workers?|jobs?|lag)\b|佇列|排程|事件迴圈|消費者"
)
"""Work and delays that no cache of responses makes shorter."""
_MUST_BE_CURRENT = re.compile(
    r"\bthird part(?:y|ies)\b|\bscripts?\b|\btags?\b|\bhot (?:keys?|spots?)\b|\bavailab\w+|\bstocks?\b|\binventory\b"
    r"|\bpric(?:e|es|ing)\b|\bbalances?\b|\blog ?ins?\b|\bsign ?ins?\b|\bauth\w*|\buploads?\b|\bwrit(?:e|es|ing)\b"
    r"|\bwidgets?\b|\bhit (?:ratio|rate)\b|\bcache miss\w*|\binserts?\b|\bupdates?\b|\bstream\w*|\bweb ?sockets?\b"
    r"|\b(?:post|put|patch|delete) "
    r"|命中率|第三方|熱鍵|熱點|空房|庫存|價格|餘額|登入|上傳|寫入|即時|串流"
)
"""What a cache must not answer, or does not help: current data, writes, scripts of others, a cache without hits."""
_WAITS_FOR_OTHERS = (Fact.DEPENDENCY, Fact.QUEUE, Fact.WAITING)
_NO_REPLICAS = (Fact.AUTOSCALER, Fact.NO_GROWTH, Fact.NO_SCALE)
_NO_LIMIT = (Fact.NO_GROWTH, Fact.VERTICAL_AUTOSCALER)
_WORD_BREAK = re.compile(r"[\W_]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True, slots=True)
class _Subject:
    """The first alert of a fault type as a case of its own, the workload it names, and its measurements.

    `workload`, `rps` and `p99` are None where they are not known. `advice_only` is set for databases.
    """

    case: Case
    workload: ResourceRef | None
    evidence: CommandEvidence
    metrics: GoldenSignals | None
    language: Language
    rps: float | None
    p99: float | None
    advice_only: bool

    @property
    def texts(self) -> TuningTexts:
        return TUNING_TEXTS[self.language]

    @property
    def name(self) -> str:
        """The workload's name, else that of the service; empty where the case is about neither."""
        subject = self.case.subject
        named = subject.name if subject.kind in WORKLOAD_KINDS else self.case.service
        return safe_text(self.workload.name if self.workload else named, 253, one_line=True)

    @property
    def scalable(self) -> bool:
        return self.workload is None or self.workload.kind in SCALABLE

    @property
    def is_busy(self) -> bool:
        """Whether its requests justify more replicas."""
        return self.rps is not None and self.rps > _BUSY_RPS and self.scalable

    @property
    def container(self) -> str:
        return container_of(self.case)[0]

    def suggest(self, kind: TuningType, command: str, text: str, advice: str, **values: float) -> Suggestion:
        """Return a suggestion: `text` with a command that the evidence asks for, else `advice` in words."""
        rendered, reason = self._justified(command)
        description = (text if rendered else advice).format(target=self.name, **values)
        return Suggestion(type=kind, description=description, kubectl_or_config=rendered, command_reason=reason)

    def _justified(self, text: str) -> tuple[str, str]:
        """Return a command and its reason, both empty where a condition does not hold."""
        if not text or self.advice_only:
            return "", ""
        try:
            command = parse(text)
            return command.render(), reason_for(command, self.case, self.metrics, self.language)
        except RefusedCommand:
            return "", ""


def generate_suggestions(
    judgement: Judgement, case: Case, metrics: GoldenSignals | None, language: Language
) -> Iterator[Suggestion]:
    """Yield one suggestion per fault type in a case, in the order of the alerts.

    There is none where nothing names a workload to tune, none for the load of data stores and parts of the platform or
    for the delay of queued work or of what it calls, none for a container that lacks its image or a setting, no more
    replicas beside an autoscaler, and no higher limit for what is hardly used.
    """
    first_of_type: dict[str, Exemplar] = {}
    for exemplar in case.exemplars:
        first_of_type.setdefault(_fault_type(exemplar), exemplar)
    team = responsible_team(judgement)
    for fault_type, exemplar in first_of_type.items():
        if fault_type:
            subject = _subject(exemplar, judgement, case, metrics, language)
            if _applies(fault_type, subject, team):
                yield _SUGGESTIONS[fault_type](subject)


def _applies(fault_type: str, subject: _Subject, team: Responsibility) -> bool:
    if any(map(subject.evidence.mentions, _excluding(fault_type, subject))):
        return False
    if fault_type in (_LATENCY, _LOAD):
        return team in (Responsibility.BE, Responsibility.FE) and _needs_capacity(fault_type, subject)
    if any(map(subject.evidence.states, (Fact.CPU_LOW, Fact.OVERSIZED))):
        return False
    if fault_type == _CRASH:
        is_excluded = any(map(subject.evidence.states, (Fact.IMAGE_PULL, Fact.MISSING_SETTING)))
    else:
        # A data store is sized by its own settings before its container.
        is_excluded = subject.advice_only or is_data_store(subject.name)
    by_service = fault_type != _CRASH and team is Responsibility.BE and bool(subject.name)
    is_named = subject.workload is not None or by_service
    return is_named and not is_excluded


def _needs_capacity(fault_type: str, subject: _Subject) -> bool:
    """Return whether more replicas or a cache can help: an unmeasured delay without load or busy CPU shows neither."""
    is_measured = subject.p99 is not None or any(map(subject.evidence.states, (Fact.LOAD, Fact.CPU_HIGH)))
    return bool(subject.name) and subject.scalable and (fault_type == _LOAD or is_measured)


def _excluding(fault_type: str, subject: _Subject) -> tuple[Fact, ...]:
    """Return the facts with which the change for a fault type does not help, or works against something else."""
    if fault_type == _CRASH:
        return (Fact.NO_CHANGE,)
    if fault_type == _LATENCY and _is_slow(subject):
        return (Fact.NO_CHANGE, *_WAITS_FOR_OTHERS, *_NO_REPLICAS)
    if fault_type in (_LATENCY, _LOAD):
        return (Fact.NO_CHANGE, *_WAITS_FOR_OTHERS)
    if fault_type == _CPU and subject.is_busy:
        return (Fact.NO_CHANGE, *_NO_REPLICAS)
    return (Fact.NO_CHANGE, *_NO_LIMIT)


def _subject(
    exemplar: Exemplar, judgement: Judgement, case: Case, metrics: GoldenSignals | None, language: Language
) -> _Subject:
    alone = replace(case, exemplars=(exemplar,))
    workload = workload_of(alone, evidence_resources(alone))
    kind, name = (workload.kind, workload.name) if workload else (Kind.DEPLOYMENT, case.service)
    rps = metrics.rps if metrics else None
    p99 = metrics.p99_ms if metrics else None
    return _Subject(
        case,
        workload,
        read_evidence(case, metrics, kind, name),
        metrics,
        language,
        rps=_metric(exemplar, _RPS) if rps is None else rps,
        p99=_metric(exemplar, _P99) if p99 is None else p99,
        advice_only=responsible_team(judgement) is Responsibility.DB,
    )


def _fault_type(exemplar: Exemplar) -> str:
    """Return the fault type of an alert: memory if it reports OOM, else by its name, else by its message or summary.

    It is empty where no change of this kind helps: a heap has a limit of its own, and a cache must not answer with what
    has to be current.
    """
    name = _WORD_BREAK.sub(" ", exemplar.name).lower()
    headline = exemplar.message or exemplar.annotations.get("summary") or exemplar.annotations.get("description", "")
    text = f"{headline} {exemplar.labels.get('reason', '')}".lower()
    if _OUT_OF_MEMORY.search(f"{name} {text}"):
        return _MEMORY
    if _INVALID_ACCESS.search(f"{name} {text}"):
        return _CRASH
    patterns = _FAULT_PATTERNS.items()
    found = next((fault_type for part in (name, text) for fault_type, regex in patterns if regex.search(part)), "")
    is_load_low = found is _LOAD and _LESS.search(f"{name} {text}")
    words = " ".join((name, text, *exemplar.annotations.values())).lower().replace("-", " ")
    is_uncacheable = found in (_LATENCY, _LOAD) and (_UNCACHEABLE.search(words) or _MUST_BE_CURRENT.search(words))
    return "" if is_load_low or is_uncacheable or (found is _MEMORY and _HEAP.search(words)) else found


def _for_memory(subject: _Subject) -> Suggestion:
    workload, texts = subject.workload, subject.texts
    command = command_builders.raise_memory_limit(workload, subject.evidence, subject.container) if workload else ""
    return subject.suggest(TuningType.RESOURCE_LIMIT, command, texts.memory_limit, texts.memory_limit_advice)


def _for_cpu(subject: _Subject) -> Suggestion:
    workload, texts = subject.workload, subject.texts
    if subject.is_busy:
        command = command_builders.autoscale(workload, subject.evidence) if workload else ""
        return subject.suggest(TuningType.HPA, command, texts.hpa, texts.hpa_advice, rps=subject.rps or 0)
    command = command_builders.raise_cpu_limit(workload, subject.evidence, subject.container) if workload else ""
    return subject.suggest(TuningType.RESOURCE_LIMIT, command, texts.cpu_limit, texts.cpu_limit_advice)


def _for_crash(subject: _Subject) -> Suggestion:
    command = command_builders.restart(subject.workload) if subject.workload else ""
    return subject.suggest(TuningType.RESTART, command, subject.texts.restart, subject.texts.crash_advice)


def _is_slow(subject: _Subject) -> bool:
    return subject.p99 is not None and subject.p99 > SLOW_P99_MS


def _for_latency(subject: _Subject) -> Suggestion:
    p99, workload, texts = subject.p99, subject.workload, subject.texts
    if p99 is None or not _is_slow(subject):
        return _for_load(subject)
    command = command_builders.scale_out(workload, subject.evidence, p99 / SLOW_P99_MS) if workload else ""
    return subject.suggest(TuningType.SCALE, command, texts.scale, texts.scale_advice, p99=p99)


def _for_load(subject: _Subject) -> Suggestion:
    return subject.suggest(TuningType.CACHE, "", "", subject.texts.cache)


_SUGGESTIONS: dict[str, Callable[[_Subject], Suggestion]] = {
    _MEMORY: _for_memory,
    _CPU: _for_cpu,
    _CRASH: _for_crash,
    _LATENCY: _for_latency,
    _LOAD: _for_load,
}


def _metric(exemplar: Exemplar, names: Iterable[str]) -> float | None:
    values = (exemplar.metrics[name] for name in names if name in exemplar.metrics)
    return next((value for value in values if 0 < value < _METRIC_MAX), None)
