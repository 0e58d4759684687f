"""The session of a partition: a restored ledger and what works on it, until the next failure or the close."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from openclaw_stream.errors import RetryableError
from openclaw_stream.stream.backpressure import Backpressure
from openclaw_stream.stream.commit_loop import CommitLoop, OnCommit
from openclaw_stream.stream.context import WorkerContext
from openclaw_stream.stream.decision_dispatcher import DecisionDispatcher
from openclaw_stream.stream.partition_metrics import PartitionMetrics
from openclaw_stream.stream.publisher import Publisher
from openclaw_stream.stream.record_processor import FoldError, RecordProcessor
from openclaw_stream.stream.recovery import RestoredPartition

log = structlog.get_logger(__name__)


class PartitionSession:
    """Connects one restored ledger with record processor, decision queue and commit loop.

    `poison_offsets` outlive the session: records on which the fold has failed. `on_failure` restarts the partition, for
    a reason.
    """

    def __init__(
        self,
        context: WorkerContext,
        restored: RestoredPartition,
        publisher: Publisher,
        metrics: PartitionMetrics,
        poison_offsets: dict[int, str],
        *,
        on_commit: OnCommit,
        on_failure: Callable[[str], None],
    ) -> None:
        ledger, worker = restored.ledger, context.settings.worker
        self.ledger = ledger
        self.epoch = restored.epoch
        self.backpressure = Backpressure(
            ledger, context.decision_queue, context.pending_bytes_limit, worker.max_pending_decisions
        )
        self.processor = RecordProcessor(ledger, context.reader, metrics, self.backpressure.is_full, poison_offsets)
        self.commit_loop = CommitLoop(ledger, publisher.commit, on_commit, worker.commit_interval)
        self.dispatcher = DecisionDispatcher(context, ledger, self.guard, on_failure, self.commit_loop.wake)
        self._poison_offsets = poison_offsets
        self._on_failure = on_failure
        self._log = log.bind(partition=restored.partition)

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Limit a defect of this program to the partition: it is restored, and skips the record that failed."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - logged with its traceback
            self._log.exception("processing failed")
            if isinstance(error, FoldError):
                self._poison_offsets[error.offset] = f"internal error, please report: {error}"
            self._on_failure(str(error))

    @property
    def discarded(self) -> bool:
        """Whether the ledger is discarded."""
        return self.dispatcher.discarded

    def discard(self) -> None:
        """Drop queued revisions, and ignore results that arrive later."""
        self.dispatcher.discard()

    def fail(self, reason: str) -> None:
        """Discard the ledger, and end the commit loop with an error."""
        self.discard()
        self.commit_loop.fail(RetryableError(reason))
