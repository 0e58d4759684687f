"""Slots for calls that run at the same time; who is urgent waits least."""

import asyncio
import heapq
from itertools import count


class PrioritySemaphore:
    """A semaphore that goes to the highest rank that waits, and among equals to the first that came."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._free = number
        self._order = count()
        self._queue: list[tuple[int, int, asyncio.Future[None]]] = []

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(not granted.done() for _, _, granted in self._queue)

    async def acquire(self, rank: int) -> None:
        """Wait for a slot; does not yield where one is free."""
        if self._free:
            self._free -= 1
            return
        granted = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (-rank, next(self._order), granted))
        try:
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():
                self.release()
            raise

    def release(self) -> None:
        """Give a slot back, to the next that waits."""
        while self._queue:
            _, _, granted = heapq.heappop(self._queue)
            if not granted.done():
                granted.set_result(None)
                return
        self._free += 1
