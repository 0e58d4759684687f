"""How late timers of the event loop fire: something that computes or blocks for long delays everything else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import Histogram

_SECONDS = 0.5


@asynccontextmanager
async def observe_event_loop(lag: Histogram) -> AsyncIterator[None]:
    """Measure the lag of the running loop, in seconds, for as long as the block runs."""
    task = asyncio.create_task(_observe(lag))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _observe(lag: Histogram) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _SECONDS
        await asyncio.sleep(_SECONDS)
        lag.observe(max(loop.time() - due, 0))
