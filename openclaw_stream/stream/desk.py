"""The desk: revisions queue for the arbiter, urgent ones first, and come back decided."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count

import structlog

from openclaw_stream.arbitration.arbiter import Arbiter
from openclaw_stream.arbitration.verdict import Verdict
from openclaw_stream.incidents.evidence import case_of
from openclaw_stream.stream.work import Work

log = structlog.get_logger(__name__)

Decide = Callable[[Work], Awaitable[Verdict]]
Done = Callable[[Work, Verdict | None], None]
"""Takes the verdict, or None where deciding failed."""


class Desk:
    """Has up to `concurrency` revisions decided at a time; one that nobody waits for any more is dropped on return."""

    def __init__(self, arbiter: Arbiter, concurrency: int) -> None:
        self._arbiter = arbiter
        self._queue: asyncio.PriorityQueue[tuple[int, int, Work, Decide, Done]] = asyncio.PriorityQueue()
        self._order = count()
        self._deciders = [asyncio.create_task(self._decide()) for _ in range(concurrency)]

    def submit(self, work: Work, done: Done, decide: Decide | None = None) -> None:
        """Have a revision decided, by the arbiter unless `decide` is given; `done` is called with the verdict."""
        severity = work.snapshot.severity if work.snapshot else 0
        self._queue.put_nowait((-severity, next(self._order), work, decide or self._arbitrate, done))

    @property
    def length(self) -> int:
        """Revisions that wait."""
        return self._queue.qsize()

    async def close(self) -> None:
        """Stop deciding; what waits is dropped, and folded again by its next owner."""
        for decider in self._deciders:
            decider.cancel()
        await asyncio.gather(*self._deciders, return_exceptions=True)

    async def _decide(self) -> None:
        while True:
            _, _, work, decide, done = await self._queue.get()
            verdict: Verdict | None = None
            try:
                verdict = await decide(work)
            except Exception:
                log.exception("deciding failed", group_key=work.image.group_key)
            done(work, verdict)
            # Rules answer without waiting for anything: let the others run.
            await asyncio.sleep(0)

    async def _arbitrate(self, work: Work) -> Verdict:
        assert work.snapshot is not None  # noqa: S101 - only cut revisions are submitted
        return await self._arbiter.decide(case_of(work.snapshot, work.due, by_rules=work.by_rules))
