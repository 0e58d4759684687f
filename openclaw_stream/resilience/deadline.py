"""Time limits for a coroutine, where `asyncio.timeout` does not suffice.

`within` also ends a call that loses its cancellation; `within_server_time` does not count the time in which this
process blocked its own event loop.
"""

import asyncio
from collections.abc import Awaitable, Collection, Coroutine
from typing import Any, TypeVar

_CANCELLATIONS, _CANCELLATION_SECONDS = 5, 0.2
_SLICES = 10

T = TypeVar("T")


async def within(seconds: float, call: Coroutine[Any, Any, T]) -> T:
    """Await a coroutine for at most `seconds`.

    A cancellation that arrives together with a result can get lost (before Python 3.12 in `asyncio.wait_for`), and the
    cancelled task would run on. So it is cancelled repeatedly, and not awaited for longer than that takes.

    Raises:
        TimeoutError: It took longer, or it was cancelled from inside.
    """
    task = asyncio.create_task(call)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        await cancel({task})
    if not task.done() or task.cancelled():
        raise TimeoutError(f"not done within {seconds:g} s")
    return task.result()


async def within_server_time(seconds: float, call: Awaitable[T]) -> T:
    """Await a server's answer for at most `seconds` of the server's time.

    With a single timer, an event loop that was blocked for `seconds` would time out before it reads the answer that is
    already in its socket, and report its own delay as the server's failure. Here the limit is cut into slices: a
    blocked loop uses up one slice, and reads the socket before the next.

    Raises:
        TimeoutError: There was no answer.
    """
    task = asyncio.ensure_future(call)
    try:
        for _ in range(_SLICES):
            await asyncio.wait({task}, timeout=seconds / _SLICES)
            if task.done():
                return await task
        raise TimeoutError(f"no answer within {seconds:g} s")
    finally:
        task.cancel()


async def cancel(tasks: Collection["asyncio.Task[Any]"]) -> None:
    """Cancel tasks until they end; a task that survives the last of several attempts keeps running."""
    for _ in range(_CANCELLATIONS):
        running = [task for task in tasks if not task.done()]
        if not running:
            return
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=_CANCELLATION_SECONDS)
