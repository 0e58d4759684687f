"""Log lines about what a transaction has published: one for each opened incident, decision, end and dead letter.

They are written after the commit: a crash in between loses lines, and none is written twice. Repeats of alerts are not
logged, and of a flood of dead letters only the first in each period.
"""

import time
from collections.abc import Callable, Sequence

import structlog

from openclaw_stream.events.arbitration_result import ArbitrationResult
from openclaw_stream.incidents.state import State
from openclaw_stream.stream.state.revision import Revision
from openclaw_stream.stream.state.transaction_plan import DeadLetter, TransactionPlan
from openclaw_stream.text.safe import Hidden, safe_text
from openclaw_stream.vocabulary import EventType, Severity

log = structlog.get_logger(__name__)

_KEY_MAX = 300
_EVIDENCE_MAX = 300
_REASON_MAX = 500
_DEAD_LETTERS_MAX, _DEAD_LETTERS_SECONDS = 50, 10.0
"""Dead letters of a partition that get a line each in so many seconds; further ones of a transaction share one line."""


class PublicationLog:
    """Logs the committed transactions of one partition."""

    def __init__(self, partition: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log.bind(partition=partition)
        self._clock = clock
        self._period_end = 0.0
        self._dead_letters_left = 0

    def record(self, plan: TransactionPlan, generation: int) -> None:
        """Log what a committed transaction has published; `generation` is that of its events."""
        for revision in plan.revisions:
            if revision.snapshot and isinstance(revision.outcome, ArbitrationResult):
                self._record_revision(revision, revision.snapshot, revision.outcome, generation)
        if plan.dead_letters:
            self._record_dead_letters(plan.dead_letters)

    def _record_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        now = self._clock()
        if now >= self._period_end:
            self._period_end, self._dead_letters_left = now + _DEAD_LETTERS_SECONDS, _DEAD_LETTERS_MAX
        with_line, further = letters[: self._dead_letters_left], letters[self._dead_letters_left :]
        self._dead_letters_left -= len(with_line)
        for letter in with_line:
            self._record_dead_letter(letter)
        if further:
            self._log.info(
                "further dead letters published",
                count=len(further),
                first_offset=further[0].offset,
                last_offset=further[-1].offset,
            )

    def _record_revision(self, revision: Revision, snapshot: State, result: ArbitrationResult, generation: int) -> None:
        bound = self._log.bind(
            incident_id=snapshot.incident_id,
            group_key=_quoted(snapshot.group_key, _KEY_MAX),
            generation=generation,
            replayed=snapshot.is_replayed,
        )
        if revision.event_type is EventType.RESOLUTION:
            bound.info(
                "resolution published",
                offset=max(snapshot.last_offset, snapshot.opened_offset),
                revision=snapshot.revision,
                status=snapshot.status,
                alerts=snapshot.alert_count,
                team=result.judgement.primary_responsibility,
            )
            return
        # With its first revision and not when it opens: until that is committed, the committed state is the one from
        # before the opening, so a restart would open it, and log it, again.
        if snapshot.revision == 1:
            bound.info("incident opened", offset=snapshot.opened_offset, severity=_severity(snapshot.severity))
        bound.info(
            "decision published",
            offset=max(snapshot.last_offset, snapshot.opened_offset),
            revision=snapshot.revision,
            team=result.judgement.primary_responsibility,
            confidence=result.confidence.final,
            provider=result.provenance.provider,
            gate=result.confidence.gate,
            evidence=_evidence(result),
        )

    def _record_dead_letter(self, letter: DeadLetter) -> None:
        reason = _quoted(letter.reason, _REASON_MAX)
        self._log.info(
            "dead letter published", offset=letter.offset, reason=reason, bad_alerts=list(letter.bad_indexes)
        )


def _evidence(result: ArbitrationResult) -> str:
    """Return why this team: of the rules, the alert names and terms that decided; of a model, its own reason."""
    judgement = result.judgement
    return _quoted(judgement.responsibility_reasoning or judgement.reasoning, _EVIDENCE_MAX)


def _severity(rank: int) -> str:
    return next((severity for severity in Severity if severity.rank == rank), "")


def _quoted(text: str, limit: int) -> str:
    return safe_text(text, limit, hidden=Hidden.ESCAPE)
