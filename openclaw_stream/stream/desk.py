"""The desk: revisions queue for the arbiter, urgent ones first, and come back decided.

The queue takes as many as the arbiter can answer within the deadline, which runs from there; further ones wait before
it, where time costs them nothing: a replay of thousands is slow, and not decided by rules because it was.
"""

import asyncio
import heapq
import time
from collections.abc import Callable
from itertools import count

from openclaw_stream.arbitration.arbiter import Arbiter
from openclaw_stream.arbitration.verdict import Verdict
from openclaw_stream.incidents.evidence import case_of
from openclaw_stream.stream.work import Work

Done = Callable[[Work, Verdict], None]
Wanted = Callable[[], bool]


class Desk:
    """Has revisions decided, several at a time; one that nobody waits for any more is dropped on return."""

    def __init__(self, arbiter: Arbiter) -> None:
        self._arbiter = arbiter
        self._outside: list[tuple[int, int, Work, Done, Wanted]] = []
        self._queue: asyncio.PriorityQueue[tuple[int, int, float, Work, Done, Wanted]] = asyncio.PriorityQueue()
        self._order = count()
        self._deciders = [asyncio.create_task(self._decide()) for _ in range(arbiter.concurrency)]

    def submit(self, work: Work, done: Done, wanted: Wanted) -> None:
        """Have a revision decided, if it is still wanted then; `done` is called on the event loop with the verdict."""
        severity = work.snapshot.severity if work.snapshot else 0
        heapq.heappush(self._outside, (-severity, next(self._order), work, done, wanted))
        self._admit()

    @property
    def length(self) -> int:
        """Revisions that wait."""
        return self._queue.qsize() + len(self._outside)

    @property
    def full(self) -> bool:
        """Whether one more would have to wait for longer than a decision may take."""
        return self.length >= self._arbiter.capacity()

    async def close(self) -> None:
        """Stop deciding; what waits is dropped, and folded again by its next owner."""
        for decider in self._deciders:
            decider.cancel()
        await asyncio.gather(*self._deciders, return_exceptions=True)

    async def _decide(self) -> None:
        while True:
            _, _, deadline, work, done, wanted = await self._queue.get()
            self._admit()
            if not wanted():
                continue
            snapshot = work.snapshot
            assert snapshot is not None  # noqa: S101 - only cut revisions are submitted
            case = case_of(snapshot, work.due, by_rules=work.by_rules)
            done(work, await self._arbiter.decide(case, deadline))
            self._admit()
            # Rules answer without waiting for anything: let the others run.
            await asyncio.sleep(0)

    def _admit(self) -> None:
        """Let in as many as can be answered in time; an idle decider always finds one."""
        deadline = time.monotonic() + self._arbiter.deadline
        while self._outside and self._queue.qsize() < self._arbiter.capacity():
            severity, order, work, done, wanted = heapq.heappop(self._outside)
            self._queue.put_nowait((severity, order, deadline, work, done, wanted))
