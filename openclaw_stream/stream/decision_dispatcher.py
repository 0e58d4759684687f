"""From a ledger to the decision queue and back: revisions that are due are submitted, their results are recorded."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from openclaw_stream.arbitration.resolution import resolve
from openclaw_stream.events.arbitration_result import ArbitrationResult
from openclaw_stream.incidents.evidence import case_of
from openclaw_stream.stream.context import WorkerContext
from openclaw_stream.stream.state.ledger import Ledger
from openclaw_stream.stream.state.revision import Revision
from openclaw_stream.vocabulary import EventType


class DecisionDispatcher:
    """Submits the revisions of one restored ledger to the decision queue.

    `guard` handles the errors of a block that changes the ledger; `on_failure` restarts the partition, for a reason.
    `on_output` is called when there is something to publish.
    """

    def __init__(
        self,
        context: WorkerContext,
        ledger: Ledger,
        guard: Callable[[], AbstractContextManager[None]],
        on_failure: Callable[[str], None],
        on_output: Callable[[], None],
    ) -> None:
        self._context = context
        self._ledger = ledger
        self._guard = guard
        self._on_failure = on_failure
        self._on_output = on_output
        self.discarded = False
        """Whether the ledger is discarded."""

    def discard(self) -> None:
        """Drop queued revisions, and ignore results that arrive later."""
        self.discarded = True

    def dispatch(self) -> None:
        """Submit every revision that is due."""
        ledger, queue = self._ledger, self._context.decision_queue
        while ledger.ready:
            revision = ledger.ready.popleft()
            if revision.event_type is EventType.RESOLUTION:
                queue.submit_fast(revision, partial(self._resolve, revision), self._record)
            else:
                queue.submit(revision, self._record, self._is_wanted)
        if ledger.has_output:
            self._on_output()

    def _is_wanted(self) -> bool:
        return not self.discarded

    async def _resolve(self, revision: Revision) -> ArbitrationResult:
        snapshot = revision.snapshot
        assert snapshot is not None  # noqa: S101 - a resolution is cut when the incident ends
        last = self._ledger.previous_decision(revision)
        return resolve(case_of(snapshot, revision.due), snapshot.status, last, self._context.settings.arbiter.language)

    def _record(self, revision: Revision, result: ArbitrationResult | None) -> None:
        if self.discarded:
            return
        if result is None:
            self._on_failure("a revision could not be decided")
            return
        with self._guard():
            snapshot, is_decision = revision.snapshot, revision.event_type is EventType.DECISION
            last = result.as_published(snapshot.incident_id, snapshot.revision) if snapshot and is_decision else None
            self._ledger.complete(revision, result, last)
            self.dispatch()
