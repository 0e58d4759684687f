"""The arbiter: decides one revision of an incident, and never leaves it undecided."""

from datetime import UTC, datetime
from typing import Protocol

import structlog

from openclaw_stream.arbitration.gate import gate
from openclaw_stream.arbitration.rules import RULES_VERSION, judge
from openclaw_stream.arbitration.tuning import tuning_suggestions
from openclaw_stream.arbitration.validation import validate
from openclaw_stream.arbitration.verdict import Verdict
from openclaw_stream.events.decision import Confidence, Judgement, Provenance, Validation
from openclaw_stream.events.vocabulary import Language, Responsibility
from openclaw_stream.incidents.case import Case

log = structlog.get_logger(__name__)


class Arbiter(Protocol):
    """Whoever decides."""

    async def decide(self, case: Case) -> Verdict:
        """Return the verdict on a case; never raises but for cancellation."""


class RulesArbiter:
    """Decides by the deterministic rules, the last link of every chain."""

    def __init__(self, language: Language) -> None:
        self._language = language

    async def decide(self, case: Case) -> Verdict:
        """Judge, validate and gate a case."""
        try:
            return self._by_rules(case)
        except Exception as error:
            # A fault of the rules must not hold back every alert behind it.
            log.exception("rules failed", incident_id=case.incident_id, revision=case.revision)
            return self._undecided(case, error)

    def _by_rules(self, case: Case) -> Verdict:
        ruled = judge(case, self._language)
        judgement, validation = validate(ruled, case)
        judgement, confidence = gate(judgement, ruled, case, None)
        return Verdict(
            judgement=judgement,
            confidence=confidence,
            provenance=self._provenance("no LLM is asked: the rules decide"),
            validation=validation,
            decided_at=datetime.now(UTC),
            suggestions=tuning_suggestions(judgement, case, None, self._language),
        )

    def _undecided(self, case: Case, error: Exception) -> Verdict:
        judgement = Judgement(
            action_title=f"Undecided: {case.group_key}"[:200],
            primary_responsibility=Responsibility.COLLAB,
            confidence=0,
        )
        reason = f"the rules failed with {type(error).__name__}"
        return Verdict(
            judgement=judgement,
            confidence=Confidence(reported=0, evidence=0, final=0, gate="collab"),
            provenance=self._provenance(reason),
            validation=Validation(warnings=[reason]),
            decided_at=datetime.now(UTC),
        )

    def _provenance(self, *reasons: str) -> Provenance:
        return Provenance(
            provider="rules",
            degraded=True,
            degraded_reasons=list(reasons),
            rules_version=RULES_VERSION,
            language=self._language,
        )
