"""Results of arbitration, for the tests of what is published about them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from openclaw_stream.events.arbitration_result import ArbitrationResult
from openclaw_stream.events.decision import Confidence, Judgement, Provenance, Suggestion, Validation
from openclaw_stream.vocabulary import Language, Responsibility


def result(
    reason: str = "PostgreSQLDown names postgresql: DB",
    suggestions: Sequence[Suggestion] = (),
    *,
    degraded: bool = False,
) -> ArbitrationResult:
    """Return what the rules decide: team DB, confidence 0.8."""
    return ArbitrationResult(
        judgement=Judgement(
            action_title="x",
            primary_responsibility=Responsibility.DB,
            responsibility_reasoning=reason,
            confidence=0.8,
        ),
        confidence=Confidence(reported=0.9, evidence=0.85, final=0.8, gate="passed"),
        provenance=Provenance(provider="rules", rules_version="1", degraded=degraded, language=Language.EN),
        validation=Validation(),
        decided_at=datetime.now(UTC),
        suggestions=list(suggestions),
    )
