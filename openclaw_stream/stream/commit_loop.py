"""The commit loop of one partition: it plans a transaction, commits it, and plans the next.

Decisions and dead letters are committed at once, states of mere repeats and offsets once per commit interval.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from openclaw_stream.errors import RetryableError
from openclaw_stream.stream.state.ledger import Ledger
from openclaw_stream.stream.state.transaction_plan import TransactionPlan

_PAUSE_SECONDS = 0.1
"""Time between two transactions of a partition, at least: each costs milliseconds of CPU."""

Commit = Callable[[TransactionPlan, Ledger], Awaitable[None]]
"""Publishes a plan of a ledger in one transaction."""
OnCommit = Callable[[TransactionPlan, float], None]
"""Called after a transaction has committed, with its plan and its duration in seconds."""


class CommitLoop:
    """Commits what one restored ledger plans, until it is closed or fails."""

    def __init__(self, ledger: Ledger, commit: Commit, on_commit: OnCommit, interval: float) -> None:
        self._ledger = ledger
        self._commit_plan = commit
        self._interval = interval
        self._on_commit = on_commit
        self._wake = asyncio.Event()
        # A new generation is committed at once: with `latest` a crash would otherwise skip what came since.
        self._wake.set()
        self._failure: RetryableError | None = None
        self._close_at: float | None = None

    def wake(self) -> None:
        """Check now whether there is something to commit."""
        self._wake.set()

    def fail(self, error: RetryableError) -> None:
        """Make `run` raise an error before its next transaction."""
        self._failure = error
        self._wake.set()

    def close(self, deadline: float) -> None:
        """Make `run` return when everything decided is committed, or at `deadline` of the monotonic clock."""
        self._close_at = deadline
        self._wake.set()

    async def run(self) -> bool:
        """Commit until closed; returns whether no decision was pending at the end.

        Raises:
            RetryableError: a transaction failed, or `fail` was called: the ledger must be discarded.
        """
        ledger = self._ledger
        last_lazy = time.monotonic()
        while True:
            await self._wait()
            closing = self._is_ready_to_close()
            lazy = closing or ledger.has_more or time.monotonic() - last_lazy >= self._interval
            if lazy or ledger.has_output:
                await self._commit(lazy=lazy)
                last_lazy = time.monotonic() if lazy else last_lazy
            if ledger.has_output or ledger.has_more:
                self._wake.set()
            elif closing:
                return not ledger.undecided
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._interval):
                await self._wake.wait()
        self._wake.clear()
        if self._failure:
            raise self._failure

    def _is_ready_to_close(self) -> bool:
        if self._close_at is None:
            return False
        self._wake.set()
        return not self._ledger.undecided or time.monotonic() >= self._close_at

    async def _commit(self, *, lazy: bool) -> None:
        plan = self._ledger.plan(lazy=lazy)
        if plan is None:
            return
        started = time.monotonic()
        await self._commit_plan(plan, self._ledger)
        self._on_commit(plan, time.monotonic() - started)
