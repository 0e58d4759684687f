"""Single flight: of calls with equal keys that are wanted at the same time, one is made."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

import structlog

log = structlog.get_logger(__name__)

T = TypeVar("T")

_STORING_SECONDS = 1.0


class SingleFlight(Generic[T]):
    """Calls under way by key; who waits may give up, and the call goes on.

    Args:
        holds: Whether a result is the key's until its call is through; for any other the next call is made at once.
    """

    def __init__(self, holds: Callable[[T], bool]) -> None:
        self._holds = holds
        self._landings: dict[str, asyncio.Future[T]] = {}
        self._tasks: dict[asyncio.Task[None], asyncio.Future[T]] = {}

    def board(
        self, key: str, fly: Callable[[asyncio.Future[T]], Coroutine[Any, Any, None]]
    ) -> tuple[asyncio.Future[T], bool]:
        """Return the future of a key's answer, and whether it was started for this.

        `fly` sets the future's result as soon as there is one, and may have work to finish after that.
        """
        known = self._landings.get(key)
        if known is not None and (not known.done() or self._holds(known.result())):
            return known, False
        landing: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(fly(landing))
        self._landings[key] = landing
        self._tasks[task] = landing
        task.add_done_callback(lambda task: self._landed(key, landing, task))
        return landing, True

    async def close(self) -> None:
        """Give up what is under way; what has its result gets a second to store it."""
        landed = [task for task, landing in self._tasks.items() if landing.done()]
        if landed:
            await asyncio.wait(landed, timeout=_STORING_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _landed(self, key: str, landing: asyncio.Future[T], task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if self._landings.get(key) is landing:
            del self._landings[key]
        error = None if task.cancelled() else task.exception()
        if landing.done():
            if error:
                log.error("a call was not finished", reason=repr(error))
        elif error is None:
            landing.cancel()
        else:
            landing.set_exception(error)
            landing.exception()  # it was looked at, even if nobody waits any more
