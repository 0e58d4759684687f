"""The arbiter: decides one revision of an incident, and never leaves it undecided.

enrich (SigNoz) ─► cached? ─► chain of models ─► validate ─► gate ─► tune
                                    └─► rules, where no model answers
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from prometheus_client import Counter

from openclaw_stream.arbitration.gate import gate
from openclaw_stream.arbitration.llm.answer_cache import ProviderAnswer
from openclaw_stream.arbitration.llm.cached_chain import CachedChain, ChainOutcome
from openclaw_stream.arbitration.llm.chain import UNLIMITED
from openclaw_stream.arbitration.llm.prompt.template import PROMPT_VERSION
from openclaw_stream.arbitration.llm.provider_client import DecisionContext
from openclaw_stream.arbitration.llm.tracing import NoTracing, Recorder, Tracing
from openclaw_stream.arbitration.rules import RULES_VERSION, judge
from openclaw_stream.arbitration.tuning.suggestions import tuning_suggestions
from openclaw_stream.arbitration.validation.judgement import validate
from openclaw_stream.events.arbitration_result import ArbitrationResult
from openclaw_stream.events.decision import Confidence, GoldenSignals, Judgement, Provenance, Suggestion, Validation
from openclaw_stream.incidents.case import Case
from openclaw_stream.signoz import Enrichment, SigNoz
from openclaw_stream.vocabulary import Language, Responsibility

log = structlog.get_logger(__name__)

_WARNINGS_MAX = 32
_ATTEMPTS_MAX = 32
_REASONS_MAX = 16
_LOOKUPS = 8
"""Decisions made at the same time that wait for golden signals, and for no model."""


@dataclass(frozen=True, slots=True)
class _Evidence:
    """A case with what else is known of it, and what the rules make of it."""

    case: Case
    metrics: GoldenSignals | None
    trace_url: str | None
    ruled: Judgement


class Arbiter:
    """Decides with models, or by the deterministic rules where there are none or none answers.

    Args:
        language: The language of the texts.
        deadline: Seconds a decision may take from when it enters the queue.
        signoz: Knows the golden signals.
        lookups: Counts what came of asking it, by result: known or unavailable.
        models: The chain; None where no model is to be asked.
        why_none: Why there are no models; every decision says so.
        tracing: Follows the decisions.
    """

    def __init__(
        self,
        language: Language,
        deadline: float,
        signoz: SigNoz,
        lookups: Counter,
        models: CachedChain | None = None,
        *,
        why_none: Sequence[str] = ("no model is configured",),
        tracing: Tracing | None = None,
    ) -> None:
        self.deadline = deadline
        self._language = language
        self._models = models
        self._why_none = why_none
        self._signoz = signoz
        self._lookups = lookups
        self._tracing = tracing or NoTracing()

    @property
    def concurrency(self) -> int:
        """How many decisions are worth making at the same time."""
        if self._models:
            return self._models.chain.concurrency
        # Rules are a matter of CPU: several at a time would only keep the commits waiting at every turn.
        return _LOOKUPS if self._signoz.configured else 1

    def capacity(self) -> int:
        """Return how many decisions may queue and still be answered by a model within the deadline; 1 at least."""
        return self._models.chain.capacity() if self._models else UNLIMITED

    async def decide(self, case: Case, deadline: float | None = None) -> ArbitrationResult:
        """Return the verdict on a case; never raises but for cancellation.

        Args:
            case: One revision of an incident.
            deadline: When the rules decide at the latest, in seconds of the monotonic clock; by default as many
                seconds from now as a decision may take.
        """
        deadline = time.monotonic() + self.deadline if deadline is None else deadline
        try:
            order = self._models.chain.order if self._models else []
            with self._tracing.decision(case, order) as recorder:
                verdict = await self._decide(case, deadline, recorder)
                recorder.decided(verdict)
                return verdict
        except Exception as error:
            # A fault must not hold back every alert behind it.
            log.exception("the arbiter failed", incident_id=case.incident_id, revision=case.revision)
            return self._despite(case, error)

    async def close(self) -> None:
        """Give up the calls under way."""
        if self._models:
            await self._models.close()

    async def _decide(self, case: Case, deadline: float, recorder: Recorder) -> ArbitrationResult:
        metrics, trace_url = await self._enrich(case, deadline)
        evidence = _Evidence(case, metrics, trace_url, judge(case, self._language, metrics))
        if case.resolved_early:
            return self._by_rules(evidence)
        if self._models is None:
            return self._by_rules(evidence, ChainOutcome(reasons=self._why_none))
        outcome = await self._models.ask(case, metrics, DecisionContext(deadline, case.severity.rank, recorder))
        if outcome.found is None:
            return self._by_rules(evidence, outcome)
        return self._by_model(evidence, outcome, outcome.found)

    async def _enrich(self, case: Case, deadline: float) -> tuple[GoldenSignals | None, str | None]:
        try:
            async with asyncio.timeout_at(deadline):
                enrichment = await self._signoz.golden_signals(case)
        except TimeoutError:
            enrichment = Enrichment(GoldenSignals(unavailable="no time was left before the deadline"), None)
        if enrichment.metrics:
            self._lookups.labels("unavailable" if enrichment.metrics.unavailable else "known").inc()
        return enrichment.metrics, enrichment.trace_url

    # ---- verdicts

    def _by_model(self, evidence: _Evidence, outcome: ChainOutcome, found: ProviderAnswer) -> ArbitrationResult:
        answer = found.answer
        judgement, validation = validate(answer.judgement, evidence.case)
        validation = validation.model_copy(
            update={
                "repaired": answer.repaired,
                "warnings": [*answer.dropped, *validation.warnings][:_WARNINGS_MAX],
            }
        )
        provenance = Provenance(
            provider=found.provider,
            model=found.model,
            from_cache=outcome.from_cache,
            attempts=list(outcome.attempts)[:_ATTEMPTS_MAX],
            prompt_version=PROMPT_VERSION,
            rules_version=RULES_VERSION,
            language=self._language,
        )
        return self._verdict(evidence, judgement, validation, provenance)

    def _by_rules(self, evidence: _Evidence, outcome: ChainOutcome | None = None) -> ArbitrationResult:
        judgement, validation = validate(evidence.ruled, evidence.case)
        provenance = Provenance(
            provider="rules",
            degraded=outcome is not None,
            degraded_reasons=list(outcome.reasons)[:_REASONS_MAX] if outcome else [],
            attempts=list(outcome.attempts)[:_ATTEMPTS_MAX] if outcome else [],
            prompt_version=PROMPT_VERSION if outcome and outcome.attempts else None,
            rules_version=RULES_VERSION,
            language=self._language,
        )
        return self._verdict(evidence, judgement, validation, provenance)

    def _verdict(
        self, evidence: _Evidence, judgement: Judgement, validation: Validation, provenance: Provenance
    ) -> ArbitrationResult:
        case, metrics = evidence.case, evidence.metrics
        gated, confidence = gate(judgement, evidence.ruled, case, metrics)
        return ArbitrationResult(
            judgement=gated,
            confidence=confidence,
            provenance=provenance,
            validation=validation,
            decided_at=datetime.now(UTC),
            metrics=metrics,
            trace_url=evidence.trace_url,
            suggestions=self._suggestions(gated, case, metrics),
        )

    def _suggestions(self, judgement: Judgement, case: Case, metrics: GoldenSignals | None) -> list[Suggestion]:
        try:
            return tuning_suggestions(judgement, case, metrics, self._language)
        except Exception:
            # Advice on how to prevent the next one is not worth the judgement of this one.
            log.exception("the tuning failed", incident_id=case.incident_id, revision=case.revision)
            return []

    def _despite(self, case: Case, error: Exception) -> ArbitrationResult:
        """Decide by the rules alone after a fault; undecided where they are at fault."""
        reason = f"the arbiter failed with {type(error).__name__}"
        try:
            evidence = _Evidence(case, None, None, judge(case, self._language))
            return self._by_rules(evidence, ChainOutcome(reasons=(reason,)))
        except Exception:
            log.exception("the rules failed", incident_id=case.incident_id, revision=case.revision)
        judgement = Judgement(
            action_title=f"Undecided: {case.group_key}"[:200],
            primary_responsibility=Responsibility.COLLAB,
            confidence=0,
        )
        return ArbitrationResult(
            judgement=judgement,
            confidence=Confidence(reported=0, evidence=0, final=0, gate="collab"),
            provenance=Provenance(
                provider="rules",
                degraded=True,
                degraded_reasons=[reason],
                rules_version=RULES_VERSION,
                language=self._language,
            ),
            validation=Validation(warnings=[reason]),
            decided_at=datetime.now(UTC),
        )
