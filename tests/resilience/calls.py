"""Calls that are hard to end."""

import asyncio


class CancellationResistant:
    """A call that ignores the first `lost` cancellations, as if each arrived together with a result."""

    def __init__(self, lost: float) -> None:
        self.lost = lost
        self.cancelled = 0
        self.started = asyncio.Event()

    async def work(self) -> None:
        self.started.set()
        while self.cancelled <= self.lost:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.cancelled += 1
        raise asyncio.CancelledError
