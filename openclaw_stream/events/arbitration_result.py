"""The result of arbitrating one revision, as it is published."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from openclaw_stream.events.decision import Confidence, GoldenSignals, Judgement, Provenance, Suggestion, Validation


class PublishedDecision(NamedTuple):
    """The last published decision of an incident, with the fields that its resolution repeats."""

    incident_id: str
    revision: int
    primary_responsibility: str
    secondary_teams: tuple[str, ...]
    risk_level: str
    confidence: float
    provider: str


@dataclass(frozen=True, slots=True)
class ArbitrationResult:
    """A validated judgement, its confidence and origin; `suggestions` become shadow-tuning events."""

    judgement: Judgement
    confidence: Confidence
    provenance: Provenance
    validation: Validation
    decided_at: datetime
    metrics: GoldenSignals | None = None
    trace_url: str | None = None
    suggestions: list[Suggestion] = field(default_factory=list)

    def as_published(self, incident_id: str, revision: int) -> PublishedDecision:
        """Return the fields to keep of this result as a revision of an incident."""
        judgement = self.judgement
        return PublishedDecision(
            incident_id=incident_id,
            revision=revision,
            primary_responsibility=judgement.primary_responsibility,
            secondary_teams=tuple(judgement.secondary_teams),
            risk_level=judgement.risk_level,
            confidence=judgement.confidence,
            provider=self.provenance.provider,
        )
