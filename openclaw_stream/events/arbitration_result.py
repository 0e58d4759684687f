"""The result of arbitrating one revision, as it is published, and what is kept of it until its incident ends."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple, Self

from openclaw_stream.events.decision import (
    Confidence,
    GoldenSignals,
    IncidentOwner,
    Judgement,
    Provenance,
    Resolution,
    Suggestion,
    Validation,
)
from openclaw_stream.events.repeated_judgement import RepeatedJudgement
from openclaw_stream.events.size_limit import (
    JUDGEMENT_BYTES,
    PROVENANCE_BYTES,
    SIGNALS_BYTES,
    URL_MAX,
    VALIDATION_BYTES,
    fitted,
)


class PublishedDecision(NamedTuple):
    """The last published decision of an incident: the fields that the group state shows, and what its end repeats.

    `judgement` is a packed `RepeatedJudgement`; empty where an earlier version published the decision, or where nothing
    can need it any more.
    """

    incident_id: str
    revision: int
    primary_responsibility: str
    secondary_teams: tuple[str, ...]
    risk_level: str
    confidence: float
    provider: str
    judgement: bytes = b""


@dataclass(frozen=True, slots=True)
class ArbitrationResult:
    """A validated judgement, its confidence and origin; `suggestions` become shadow-tuning events.

    `resolution` is set where the incident has ended.
    """

    judgement: Judgement
    confidence: Confidence
    provenance: Provenance
    validation: Validation
    decided_at: datetime
    metrics: GoldenSignals | None = None
    trace_url: str | None = None
    suggestions: list[Suggestion] = field(default_factory=list)
    resolution: Resolution | None = None
    owner: IncidentOwner | None = None

    def within_limits(self) -> Self:
        """Return the result with every part within its bytes, as it is published."""
        return replace(
            self,
            judgement=fitted(self.judgement, JUDGEMENT_BYTES),
            provenance=fitted(self.provenance, PROVENANCE_BYTES),
            validation=fitted(self.validation, VALIDATION_BYTES),
            metrics=self.metrics and fitted(self.metrics, SIGNALS_BYTES),
            trace_url=self.trace_url if self.trace_url and len(self.trace_url) <= URL_MAX else None,
        )

    def as_published(self, incident_id: str, revision: int) -> PublishedDecision:
        """Return what to keep of this result as a revision of an incident."""
        published = self.within_limits()
        judgement = published.judgement
        kept = RepeatedJudgement(
            decision=judgement,
            confidence=published.confidence,
            # The calls were made, and paid, for the decision.
            provenance=published.provenance.model_copy(update={"attempts": []}),
            owner=published.owner,
        )
        return PublishedDecision(
            incident_id=incident_id,
            revision=revision,
            primary_responsibility=judgement.primary_responsibility,
            secondary_teams=tuple(judgement.secondary_teams),
            risk_level=judgement.risk_level,
            confidence=judgement.confidence,
            provider=published.provenance.provider,
            judgement=kept.packed(),
        )
