"""The lag of the event loop, as it is exported."""

import asyncio
import time

from openclaw_stream.telemetry.event_loop import observe_event_loop
from openclaw_stream.telemetry.metrics import Metrics


async def test_a_blocked_loop_is_measured() -> None:
    metrics = Metrics()

    def value(name: str) -> float:
        return metrics.registry.get_sample_value(f"openclaw_event_loop_lag_seconds_{name}") or 0

    async with observe_event_loop(metrics.event_loop_lag):
        await asyncio.sleep(0.1)
        time.sleep(0.9)  # noqa: ASYNC251 - blocks the loop on purpose
        while not value("count"):  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.01)
    assert value("sum") >= 0.4
