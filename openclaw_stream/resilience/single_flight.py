"""Single flight: concurrent requests for the same key share one call."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

import structlog

log = structlog.get_logger(__name__)

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

_FINISH_SECONDS = 1.0


class SingleFlight(Generic[K, T]):
    """The calls in flight by key. Each runs in a task of its own: a caller that stops waiting does not cancel it.

    Args:
        shares: Whether a result is still shared with callers that join after it was set, while its call finishes its
            remaining work. For any other result they start the next call at once.
    """

    def __init__(self, shares: Callable[[T], bool] = lambda _: True) -> None:
        self._shares = shares
        self._results: dict[K, asyncio.Future[T]] = {}
        self._tasks: dict[asyncio.Task[None], asyncio.Future[T]] = {}

    def join(
        self, key: K, call: Callable[[asyncio.Future[T]], Coroutine[Any, Any, None]]
    ) -> tuple[asyncio.Future[T], bool]:
        """Join the call in flight for a key, or start it.

        Args:
            key: Equal keys share a call.
            call: Sets the result of its future as soon as there is one; it may have work to finish after that.

        Returns:
            The future, which all callers of the key share: await it shielded. And whether this caller started the call.
        """
        current = self._results.get(key)
        if current is not None and (not current.done() or self._shares(current.result())):
            return current, False
        result: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(call(result))
        self._results[key] = result
        self._tasks[task] = result
        task.add_done_callback(lambda task: self._finished(key, result, task))
        return result, True

    async def close(self) -> None:
        """Cancel the calls in flight; those that have set their result get a second to finish."""
        finishing = [task for task, result in self._tasks.items() if result.done()]
        if finishing:
            await asyncio.wait(finishing, timeout=_FINISH_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _finished(self, key: K, result: asyncio.Future[T], task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if self._results.get(key) is result:
            del self._results[key]
        error = None if task.cancelled() else task.exception()
        if result.done():
            if error:
                log.error("single-flight call failed after its result was set", reason=repr(error))
        elif error is None:
            result.cancel()
        else:
            result.set_exception(error)
            result.exception()  # marked as retrieved: there may be no caller left to await it
