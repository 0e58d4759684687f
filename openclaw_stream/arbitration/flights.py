"""Single flight: of calls with equal keys that are wanted at the same time, one is made."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

import structlog

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Flights(Generic[T]):
    """Calls under way by key; who waits may give up, and the call goes on."""

    def __init__(self) -> None:
        self._landings: dict[str, asyncio.Future[T]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def board(
        self, key: str, fly: Callable[[asyncio.Future[T]], Coroutine[Any, Any, None]]
    ) -> tuple[asyncio.Future[T], bool]:
        """Return the future of a key's answer, and whether it was started for this.

        `fly` sets the future's result as soon as there is one, and may have work to finish after that; until it is
        through, its answer is the key's.
        """
        if key in self._landings:
            return self._landings[key], False
        landing: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(fly(landing))
        self._landings[key] = landing
        self._tasks.add(task)
        task.add_done_callback(lambda task: self._landed(key, task))
        return landing, True

    async def close(self) -> None:
        """Give up what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _landed(self, key: str, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        landing = self._landings.pop(key)
        error = None if task.cancelled() else task.exception()
        if landing.done():
            if error:
                log.error("a call was not finished", reason=repr(error))
        elif error is None:
            landing.cancel()
        else:
            landing.set_exception(error)
            landing.exception()  # it was looked at, even if nobody waits any more
