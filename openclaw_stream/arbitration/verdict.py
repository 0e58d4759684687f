"""What the arbiter answers for one revision, ready to be published."""

from dataclasses import dataclass, field
from datetime import datetime

from openclaw_stream.events.decision import Confidence, GoldenSignals, Judgement, Provenance, Suggestion, Validation


@dataclass(frozen=True, slots=True)
class Verdict:
    """A validated judgement with what it rests on; `suggestions` become shadow-tuning events."""

    judgement: Judgement
    confidence: Confidence
    provenance: Provenance
    validation: Validation
    decided_at: datetime
    metrics: GoldenSignals | None = None
    trace_url: str | None = None
    suggestions: list[Suggestion] = field(default_factory=list)
