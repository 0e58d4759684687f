"""The decision queue: revisions wait for the arbiter, the most severe first, and return with a result.

The queue admits as many as the arbiter can answer within the deadline, which runs from admission; further ones wait in
the backlog, where no deadline runs: a replay of thousands takes long, and is not decided by rules because of that.
What needs no model has a fast lane, in which nothing waits for a model; a revision that is still queued at its
deadline is moved there, too.
"""

import asyncio
import heapq
import time
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count
from typing import NamedTuple

import structlog

from openclaw_stream.arbitration.arbiter import Arbiter
from openclaw_stream.events.arbitration_result import ArbitrationResult
from openclaw_stream.incidents.evidence import case_of
from openclaw_stream.stream.state.revision import Revision

log = structlog.get_logger(__name__)

Decide = Callable[[], Awaitable[ArbitrationResult]]
OnDecided = Callable[[Revision, ArbitrationResult | None], None]
"""Called with the result, None where deciding failed."""
IsWanted = Callable[[], bool]

_ADMITTED_MAX = 16
"""Revisions admitted at most: without a usable model the arbiter sets no limit, and then a model may recover."""


class _QueuedDecision(NamedTuple):
    """A revision that waits; the smallest is the most urgent."""

    urgency: int
    order: int
    revision: Revision
    on_decided: OnDecided
    is_wanted: IsWanted


class DecisionQueue:
    """Decides revisions, several at a time; a revision that is no longer wanted is dropped."""

    def __init__(self, arbiter: Arbiter) -> None:
        self._arbiter = arbiter
        self._order = count()
        self._backlog: list[_QueuedDecision] = []
        self._admitted: asyncio.PriorityQueue[tuple[_QueuedDecision, float]] = asyncio.PriorityQueue()
        self._deadlines: dict[int, asyncio.TimerHandle] = {}  # by the order of those admitted
        self._fast_lane: asyncio.Queue[tuple[Revision, Decide, OnDecided]] = asyncio.Queue()
        self._tasks = [asyncio.create_task(self._serve_fast_lane())]
        self._tasks += [asyncio.create_task(self._serve()) for _ in range(arbiter.concurrency)]

    def submit(self, revision: Revision, on_decided: OnDecided, is_wanted: IsWanted) -> None:
        """Queue a revision for the arbiter; it is decided unless `is_wanted` returns False by then."""
        severity = revision.snapshot.severity if revision.snapshot else 0
        queued = _QueuedDecision(-severity, next(self._order), revision, on_decided, is_wanted)
        heapq.heappush(self._backlog, queued)
        self._admit()

    def submit_fast(self, revision: Revision, decide: Decide, on_decided: OnDecided) -> None:
        """Queue a revision in the fast lane: `decide` returns its result without waiting for a model."""
        self._fast_lane.put_nowait((revision, decide, on_decided))

    @property
    def length(self) -> int:
        """Revisions that wait."""
        return len(self._deadlines) + len(self._backlog) + self._fast_lane.qsize()

    @property
    def full(self) -> bool:
        """Whether one more revision could not be answered within the deadline."""
        return len(self._deadlines) + len(self._backlog) >= self._arbiter.capacity()

    def drop_unwanted(self) -> None:
        """Remove unwanted revisions from the backlog: each counts against the limit and keeps a whole ledger alive."""
        self._backlog = [queued for queued in self._backlog if queued.is_wanted()]
        heapq.heapify(self._backlog)

    async def close(self) -> None:
        """Stop deciding; revisions that wait are dropped, and folded again by the next owner of their partition."""
        for timer in self._deadlines.values():
            timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self) -> None:
        while True:
            queued, deadline = await self._admitted.get()
            timer = self._deadlines.pop(queued.order, None)
            if timer is None:
                continue
            timer.cancel()
            self._admit()
            if queued.is_wanted():
                decide = partial(self._arbitrate, queued.revision, deadline)
                await _decide(queued.revision, decide, queued.on_decided)
                self._admit()

    async def _serve_fast_lane(self) -> None:
        while True:
            await _decide(*await self._fast_lane.get())

    async def _arbitrate(self, revision: Revision, deadline: float) -> ArbitrationResult:
        assert revision.snapshot is not None  # noqa: S101 - only cut revisions are submitted
        case = case_of(revision.snapshot, revision.due, rules_only=revision.rules_only)
        return await self._arbiter.decide(case, deadline)

    def _admit(self) -> None:
        """Admit as many as can be answered in time, one at least where a task is idle."""
        loop, deadline = asyncio.get_running_loop(), time.monotonic() + self._arbiter.deadline
        while self._backlog and len(self._deadlines) < min(self._arbiter.capacity(), _ADMITTED_MAX):
            queued = heapq.heappop(self._backlog)
            self._admitted.put_nowait((queued, deadline))
            self._deadlines[queued.order] = loop.call_at(deadline, self._expire, queued, deadline)

    def _expire(self, queued: _QueuedDecision, deadline: float) -> None:
        """Move a revision to the fast lane that more severe ones have kept waiting until its deadline."""
        del self._deadlines[queued.order]
        if queued.is_wanted():
            decide = partial(self._arbitrate, queued.revision, deadline)
            self.submit_fast(queued.revision, decide, queued.on_decided)
        self._admit()


async def _decide(revision: Revision, decide: Decide, on_decided: OnDecided) -> None:
    result: ArbitrationResult | None = None
    try:
        result = await decide()
    except Exception:
        log.exception("deciding failed", group_key=revision.group.state.group_key)
    on_decided(revision, result)
    # A decision of the fast lane never yields by itself: let the other tasks run.
    await asyncio.sleep(0)
