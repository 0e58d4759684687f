"""A semaphore whose slots go to the most urgent waiter first."""

import asyncio
import heapq
from itertools import count


class PrioritySemaphore:
    """Limits calls that run at the same time; a free slot goes to the highest rank, among equals to the longest wait.

    Args:
        limit: The number of slots.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._free = limit
        self._order = count()
        self._waiters: list[tuple[int, int, asyncio.Future[None]]] = []

    @property
    def waiting(self) -> int:
        """The number of calls that wait for a slot."""
        return sum(not granted.done() for _, _, granted in self._waiters)

    async def acquire(self, rank: int) -> None:
        """Wait for a slot; does not yield to the event loop where one is free."""
        if self._free:
            self._free -= 1
            return
        granted = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiters, (-rank, next(self._order), granted))
        try:
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():
                self.release()  # the slot was granted in the same turn of the loop
            raise

    def release(self) -> None:
        """Pass a slot on to the first waiter, or free it."""
        while self._waiters:
            _, _, granted = heapq.heappop(self._waiters)
            if not granted.done():
                granted.set_result(None)
                return
        self._free += 1
