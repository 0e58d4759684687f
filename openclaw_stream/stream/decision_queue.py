"""The decision_queue: revisions queue for the arbiter, urgent ones first, and come back decided.

The queue takes as many as the arbiter can answer within the deadline, which runs from there; further ones wait before
it, where time costs them nothing: a replay of thousands is slow, and not decided by rules because it was. What needs
no arbiter has a queue of its own, in which no model is waited for; there goes, too, who has queued until the deadline.
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
Done = Callable[[Revision, ArbitrationResult | None], None]
"""Takes the verdict, or None where deciding failed."""
Wanted = Callable[[], bool]

_AHEAD = 16
"""Revisions the queue takes at most: while no model may be asked there is no other limit, and then one comes back."""


class _QueuedDecision(NamedTuple):
    """A revision that waits; the first in order is the most urgent."""

    urgency: int
    order: int
    work: Revision
    done: Done
    wanted: Wanted


class DecisionQueue:
    """Has revisions decided, several at a time; one that nobody waits for any more is dropped."""

    def __init__(self, arbiter: Arbiter) -> None:
        self._arbiter = arbiter
        self._order = count()
        self._outside: list[_QueuedDecision] = []
        self._queue: asyncio.PriorityQueue[tuple[_QueuedDecision, float]] = asyncio.PriorityQueue()
        self._deadlines: dict[int, asyncio.TimerHandle] = {}  # of those in the queue
        self._plain: asyncio.Queue[tuple[Revision, Decide, Done]] = asyncio.Queue()
        self._tasks = [asyncio.create_task(self._serve_plain())]
        self._tasks += [asyncio.create_task(self._serve()) for _ in range(arbiter.concurrency)]

    def submit(self, work: Revision, done: Done, wanted: Wanted) -> None:
        """Have a revision decided by the arbiter, if it is still wanted when its turn comes."""
        severity = work.snapshot.severity if work.snapshot else 0
        heapq.heappush(self._outside, _QueuedDecision(-severity, next(self._order), work, done, wanted))
        self._admit()

    def submit_plain(self, work: Revision, decide: Decide, done: Done) -> None:
        """Have a revision decided by `decide`, which waits for nothing."""
        self._plain.put_nowait((work, decide, done))

    @property
    def length(self) -> int:
        """Revisions that wait."""
        return len(self._deadlines) + len(self._outside) + self._plain.qsize()

    @property
    def full(self) -> bool:
        """Whether one more would have to wait for longer than a decision may take."""
        return len(self._deadlines) + len(self._outside) >= self._arbiter.capacity()

    def clear(self) -> None:
        """Drop what waits outside and is not wanted any more: it takes up room, and holds on to a whole ledger."""
        self._outside = [matter for matter in self._outside if matter.wanted()]
        heapq.heapify(self._outside)

    async def close(self) -> None:
        """Stop deciding; what waits is dropped, and folded again by its next owner."""
        for timer in self._deadlines.values():
            timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self) -> None:
        while True:
            matter, deadline = await self._queue.get()
            timer = self._deadlines.pop(matter.order, None)
            if timer is None:
                continue
            timer.cancel()
            self._admit()
            if matter.wanted():
                await _decide(matter.work, partial(self._arbitrate, matter.work, deadline), matter.done)
                self._admit()

    async def _serve_plain(self) -> None:
        while True:
            await _decide(*await self._plain.get())

    async def _arbitrate(self, work: Revision, deadline: float) -> ArbitrationResult:
        assert work.snapshot is not None  # noqa: S101 - only cut revisions are submitted
        return await self._arbiter.decide(case_of(work.snapshot, work.due, rules_only=work.rules_only), deadline)

    def _admit(self) -> None:
        """Let in as many as can be answered in time; an idle decider always finds one."""
        loop, deadline = asyncio.get_running_loop(), time.monotonic() + self._arbiter.deadline
        while self._outside and len(self._deadlines) < min(self._arbiter.capacity(), _AHEAD):
            matter = heapq.heappop(self._outside)
            self._queue.put_nowait((matter, deadline))
            self._deadlines[matter.order] = loop.call_at(deadline, self._expire, matter, deadline)

    def _expire(self, matter: _QueuedDecision, deadline: float) -> None:
        """Have a revision decided that more urgent ones have kept in the queue until its deadline."""
        del self._deadlines[matter.order]
        if matter.wanted():
            self.submit_plain(matter.work, partial(self._arbitrate, matter.work, deadline), matter.done)
        self._admit()


async def _decide(work: Revision, decide: Decide, done: Done) -> None:
    verdict: ArbitrationResult | None = None
    try:
        verdict = await decide()
    except Exception:
        log.exception("deciding failed", group_key=work.group.state.group_key)
    done(work, verdict)
    # What waits for nothing answers at once: let the others run.
    await asyncio.sleep(0)
