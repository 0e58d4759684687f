"""The arbiter: decides one revision of an incident; it always returns a decision.

enrich (SigNoz) ─► cache ─► chain of providers ─► validate ─► gate ─► tuning
                                └─► rules, where no provider answers
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog
from prometheus_client import Counter

from openclaw_stream.alerts.subject import Subject
from openclaw_stream.alerts.titles import subject_title
from openclaw_stream.arbitration.gate import gate
from openclaw_stream.arbitration.llm.answer_cache import ProviderAnswer
from openclaw_stream.arbitration.llm.cached_chain import CachedChain, ChainOutcome
from openclaw_stream.arbitration.llm.chain import UNLIMITED
from openclaw_stream.arbitration.llm.prompt.template import PROMPT_VERSION
from openclaw_stream.arbitration.llm.provider_client import DecisionContext
from openclaw_stream.arbitration.llm.tracing import NoTracing, Tracing
from openclaw_stream.arbitration.ownership import OwnerLookup
from openclaw_stream.arbitration.remedies import responsible_team
from openclaw_stream.arbitration.rules import RULES_VERSION, judge
from openclaw_stream.arbitration.tuning.suggestions import tuning_suggestions
from openclaw_stream.arbitration.validation.validator import validate
from openclaw_stream.events.arbitration_result import ArbitrationResult
from openclaw_stream.events.decision import (
    Confidence,
    GoldenSignals,
    IncidentOwner,
    Judgement,
    Provenance,
    Suggestion,
    Validation,
)
from openclaw_stream.incidents.case import Case, Owner
from openclaw_stream.signoz import Enrichment, SigNoz
from openclaw_stream.vocabulary import Language, Responsibility

log = structlog.get_logger(__name__)

_WARNINGS_MAX = 32
_ATTEMPTS_MAX = 32
_REASONS_MAX = 16
_LOOKUP_CONCURRENCY = 8
"""Decisions at the same time where they wait for golden signals only."""


@dataclass(frozen=True, slots=True)
class _Evidence:
    """A case with its golden signals, and the judgement of the rules on them."""

    case: Case
    metrics: GoldenSignals | None
    trace_url: str | None
    by_rules: Judgement


class Arbiter:
    """Decides with language models, and by the deterministic rules where no model answers.

    Args:
        language: The language of the texts.
        deadline: Seconds a decision may take from when it enters the queue.
        signoz: The source of golden signals.
        lookups: Counts the lookups of golden signals, by result: known or unavailable.
        chain: The chain of providers; None where no model is asked.
        no_chain_reasons: Why there is no chain; every decision is degraded by these reasons.
        owners: Finds the owner of an incident, once for each decision.
        tracing: Records the decisions.
    """

    def __init__(  # noqa: PLR0913 - the parts that a decision passes through
        self,
        language: Language,
        deadline: float,
        signoz: SigNoz,
        lookups: Counter,
        chain: CachedChain | None = None,
        *,
        no_chain_reasons: Sequence[str] = ("no model is configured",),
        owners: OwnerLookup | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self.deadline = deadline
        self._language = language
        self._chain = chain
        self._order = chain.order if chain else []
        self._no_chain = ChainOutcome(reasons=no_chain_reasons)
        self._signoz = signoz
        self._lookups = lookups
        self._owners = owners
        self._tracing = tracing or NoTracing()

    @property
    def concurrency(self) -> int:
        """How many decisions should run at the same time."""
        if self._chain:
            return self._chain.concurrency
        # The rules only use the CPU: several decisions at a time would delay the commits and finish no sooner.
        return _LOOKUP_CONCURRENCY if self._signoz.configured else 1

    def capacity(self) -> int:
        """Return how many decisions may queue and still be answered by a model within the deadline; 1 at least."""
        return self._chain.capacity() if self._chain else UNLIMITED

    async def decide(self, case: Case, deadline: float | None = None) -> ArbitrationResult:
        """Decide a case; raises nothing but a cancellation.

        Args:
            case: One revision of an incident.
            deadline: When the rules decide if no model has answered, in seconds of the monotonic clock; by default the
                arbiter's deadline from now.
        """
        deadline = time.monotonic() + self.deadline if deadline is None else deadline
        try:
            # Once, so that a file that is read again in the meantime changes nothing in this decision.
            case = replace(case, owner=self._owners.owner_of(case)) if self._owners else case
            with self._tracing.decision(case, self._order) as recorder:
                evidence = await self._collect_evidence(case, deadline)
                outcome: ChainOutcome | None = self._no_chain
                if case.resolved_early:
                    outcome = None  # already over: not worth the price of a model
                elif self._chain:
                    context = DecisionContext(deadline, case.severity.rank, recorder)
                    outcome = await self._chain.ask(case, evidence.metrics, context)
                result = self._result(evidence, outcome)
                recorder.decided(result)
                return result
        except Exception as error:
            # An error in one decision must not block every alert behind it.
            log.exception("arbiter failed", incident_id=case.incident_id, revision=case.revision)
            return self._fallback(case, f"the arbiter failed with {type(error).__name__}")

    async def close(self) -> None:
        """Cancel the calls in flight."""
        if self._chain:
            await self._chain.close()

    async def _collect_evidence(self, case: Case, deadline: float) -> _Evidence:
        try:
            async with asyncio.timeout_at(deadline):
                enrichment = await self._signoz.golden_signals(case)
        except TimeoutError:
            enrichment = Enrichment(GoldenSignals(unavailable="no time was left before the deadline"), None)
        metrics = enrichment.metrics
        if metrics:
            self._lookups.labels("unavailable" if metrics.unavailable else "known").inc()
        return _Evidence(case, metrics, enrichment.trace_url, judge(case, self._language, metrics))

    # ---- results

    def _result(self, evidence: _Evidence, outcome: ChainOutcome | None) -> ArbitrationResult:
        if outcome is None or outcome.answer is None:
            return self._by_rules(evidence, outcome)
        return self._by_model(evidence, outcome, outcome.answer)

    def _by_model(self, evidence: _Evidence, outcome: ChainOutcome, answer: ProviderAnswer) -> ArbitrationResult:
        parsed = answer.parsed
        judgement, validation = self._validate(parsed.judgement, evidence)
        judgement = _completed(judgement, evidence.case.subject, evidence.by_rules)
        validation = validation.model_copy(
            update={
                "repaired": parsed.repaired,
                "warnings": [*parsed.dropped, *validation.warnings][:_WARNINGS_MAX],
            }
        )
        provenance = Provenance(
            provider=answer.provider,
            model=answer.model,
            from_cache=outcome.from_cache,
            attempts=list(outcome.attempts)[:_ATTEMPTS_MAX],
            prompt_version=PROMPT_VERSION,
            rules_version=RULES_VERSION,
            language=self._language,
        )
        return self._gated(evidence, judgement, validation, provenance)

    def _by_rules(self, evidence: _Evidence, outcome: ChainOutcome | None) -> ArbitrationResult:
        """Return the result of the rules: degraded by the reasons of the outcome, or as intended where that is None."""
        judgement, validation = self._validate(evidence.by_rules, evidence)
        provenance = Provenance(
            provider="rules",
            degraded=outcome is not None,
            degraded_reasons=list(outcome.reasons)[:_REASONS_MAX] if outcome else [],
            attempts=list(outcome.attempts)[:_ATTEMPTS_MAX] if outcome else [],
            prompt_version=PROMPT_VERSION if outcome and outcome.attempts else None,
            rules_version=RULES_VERSION,
            language=self._language,
        )
        return self._gated(evidence, judgement, validation, provenance)

    def _validate(self, judgement: Judgement, evidence: _Evidence) -> tuple[Judgement, Validation]:
        return validate(judgement, evidence.case, evidence.metrics, self._language)

    def _gated(
        self, evidence: _Evidence, judgement: Judgement, validation: Validation, provenance: Provenance
    ) -> ArbitrationResult:
        case, metrics = evidence.case, evidence.metrics
        gated, confidence = gate(judgement, evidence.by_rules, case, metrics)
        if confidence.gate == "rerouted":
            gated = self._by_rules_for(gated, evidence)
            warning = (
                f"the answer named {judgement.primary_responsibility}: the rules' texts and command replace its own"
            )
            validation = validation.model_copy(update={"warnings": [warning, *validation.warnings][:_WARNINGS_MAX]})
        elif responsible_team(gated) is not responsible_team(judgement):
            gated, again = self._validate(gated, evidence)  # the database team gets no command
            validation = _joined(validation, again)
        return ArbitrationResult(
            judgement=gated,
            confidence=confidence,
            provenance=provenance,
            validation=validation,
            decided_at=datetime.now(UTC),
            metrics=metrics,
            trace_url=evidence.trace_url,
            suggestions=self._suggestions(gated, case, metrics),
            owner=_published(case.owner),
        )

    def _by_rules_for(self, gated: Judgement, evidence: _Evidence) -> Judgement:
        """Return the judgement of the rules, validated, with the teams and the confidence of the gate."""
        judgement, _ = self._validate(evidence.by_rules, evidence)
        kept = {name: getattr(gated, name) for name in ("primary_responsibility", "secondary_teams", "confidence")}
        return judgement.model_copy(update=kept)

    def _suggestions(self, judgement: Judgement, case: Case, metrics: GoldenSignals | None) -> list[Suggestion]:
        try:
            return tuning_suggestions(judgement, case, metrics, self._language)
        except Exception:
            # The judgement stands without suggestions on how to prevent the next incident.
            log.exception("tuning failed", incident_id=case.incident_id, revision=case.revision)
            return []

    def _fallback(self, case: Case, reason: str) -> ArbitrationResult:
        """Decide by the rules alone after an error; undecided where the rules raise it too."""
        try:
            evidence = _Evidence(case, None, None, judge(case, self._language))
            return self._by_rules(evidence, ChainOutcome(reasons=(reason,)))
        except Exception:
            log.exception("rules failed", incident_id=case.incident_id, revision=case.revision)
        judgement = Judgement(
            action_title=subject_title(case.subject, "Undecided"),
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


def _completed(judgement: Judgement, subject: Subject, by_rules: Judgement) -> Judgement:
    """Return the judgement of a model with the subject in its title, and a description.

    Where nothing is left of its description, the one of the rules stands in, which quotes the alert.
    """
    title = judgement.action_title
    if subject.name.casefold() not in title.casefold():
        title = subject_title(subject, title)
    description = judgement.description or by_rules.description
    return judgement.model_copy(update={"action_title": title, "description": description})


def _joined(first: Validation, second: Validation) -> Validation:
    """Return the first report with the refusals and warnings that only the second has."""
    warnings = dict.fromkeys((*first.warnings, *second.warnings))
    return first.model_copy(
        update={
            "rejected_commands": [*first.rejected_commands, *second.rejected_commands],
            "warnings": list(warnings)[:_WARNINGS_MAX],
        }
    )


def _published(owner: Owner | None) -> IncidentOwner | None:
    return IncidentOwner(team=owner.team, contact=owner.contact, matched_by=owner.matched_by) if owner else None
