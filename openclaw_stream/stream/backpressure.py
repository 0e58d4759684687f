"""Backpressure of one partition: when it takes no more records, and when it may go on.

A paused partition always drains: a full decision queue empties by itself, and where nothing is queued the oldest
incidents that still gather alerts are decided now.
"""

import time
from collections.abc import Callable

from openclaw_stream.stream.decision_queue import DecisionQueue
from openclaw_stream.stream.state.ledger import Ledger

_CUT_MAX = 100
"""Gathering revisions that are cut at a time."""
_BLOCKED_SECONDS = 10.0
"""How long a partition whose log is damaged waits before it tries to read on."""


class Backpressure:
    """Compares the undecided work of one ledger with its limits.

    `bytes_limit` returns the limit in bytes, `decisions_limit` is that of the decision queue.
    """

    def __init__(
        self, ledger: Ledger, queue: DecisionQueue, bytes_limit: Callable[[], int], decisions_limit: int
    ) -> None:
        self._ledger = ledger
        self._queue = queue
        self._bytes_limit = bytes_limit
        self._decisions_limit = decisions_limit
        self._blocked_until = 0.0

    def is_full(self) -> bool:
        """Return whether undecided work has reached a limit: in bytes, or in the decision queue."""
        return self._exceeds_bytes() or self._queue.full or self._queue.length >= self._decisions_limit

    def block(self) -> None:
        """Take no records for some seconds, because the log cannot be read at the next offset."""
        self._blocked_until = time.monotonic() + _BLOCKED_SECONDS

    def relieve(self) -> bool:
        """Return whether a paused or blocked partition may resume; where it may not, let undecided work drain."""
        if time.monotonic() < self._blocked_until:
            # Stream time does not advance while the log cannot be read: what is gathering would never be due.
            self._ledger.cut_oldest(_CUT_MAX)
            return False
        if not self.is_full():
            return True
        if self._exceeds_bytes():
            self._ledger.cut_oldest(_CUT_MAX)
        return False

    def _exceeds_bytes(self) -> bool:
        return self._ledger.pending_bytes > self._bytes_limit()
