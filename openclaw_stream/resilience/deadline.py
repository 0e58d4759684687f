"""Deadlines that hold where a cancellation can get lost."""

import asyncio
from collections.abc import Collection, Coroutine
from typing import Any, TypeVar

_CANCELLATIONS, _CANCELLATION_SECONDS = 5, 0.2

T = TypeVar("T")


async def within(seconds: float, doing: Coroutine[Any, Any, T]) -> T:
    """Await a coroutine for so many seconds at most.

    A cancellation that comes together with an answer can get lost in it (before Python 3.12 in `asyncio.wait_for`), and
    what was cancelled never ends. So there is more than one, and no wait for them to work.

    Raises:
        TimeoutError: It took longer, or was cancelled by itself.
    """
    task = asyncio.create_task(doing)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        await cancel({task})
    if not task.done() or task.cancelled():
        raise TimeoutError(f"not done within {seconds:g} s")
    return task.result()


async def cancel(tasks: Collection["asyncio.Task[Any]"]) -> None:
    """Cancel tasks until they end, up to a limit."""
    for _ in range(_CANCELLATIONS):
        left = [task for task in tasks if not task.done()]
        if not left:
            return
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=_CANCELLATION_SECONDS)
