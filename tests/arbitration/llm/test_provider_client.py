"""The wait for a slot of a provider: ranks, and the time reserved for the next provider."""

import asyncio
import threading
import time

from openclaw_stream.arbitration.llm.provider_client import AnswerFormat, DecisionContext
from openclaw_stream.arbitration.llm.providers import Prompt
from openclaw_stream.arbitration.llm.tracing import NoRecorder
from tests.arbitration.llm.chains import GOOD, chained
from tests.arbitration.llm.model_server import (
    ANSWER,
    Held,
    in_turn,
    until,
)
from tests.arbitration.llm.providers.loopback import responds


async def test_the_most_urgent_decision_gets_the_next_slot() -> None:
    held = Held(GOOD)
    async with chained(in_turn(held, GOOD), slots=1) as running:
        order: list[int] = []

        async def judge(rank: int) -> None:
            await running.judge(rank=rank)
            order.append(rank)

        first = asyncio.create_task(judge(9))
        await held.requested.wait()
        others = [asyncio.create_task(judge(rank)) for rank in (0, 1, 3, 2)]
        await until(lambda: running.clients[0].semaphore.waiting == 4)
        held.release.set()
        await asyncio.gather(first, *others)
        assert order == [9, 3, 2, 1, 0]


async def test_the_wait_for_a_busy_provider_leaves_time_for_the_next() -> None:
    held = Held(GOOD)
    async with chained(held, GOOD, slots=1, timeout=10) as running:
        first = asyncio.create_task(running.judge(seconds=60))
        await held.requested.wait()
        assert await running.judge(seconds=10.2) == "b"
        assert running.reasons == ["a: busy for too long"]
        held.release.set()
        assert await first == "a"


async def test_reading_an_answer_does_not_block_the_event_loop() -> None:
    reading, go = threading.Event(), threading.Event()

    def read(text: str) -> str:
        reading.set()
        return text if go.wait(10) else ""

    async with chained(GOOD) as running:
        context = DecisionContext(time.monotonic() + 60, 0, NoRecorder())
        prompt = Prompt("system", "user", "1")
        task = asyncio.create_task(running.clients[0].ask(prompt, AnswerFormat({}, read), context, reserve=0))
        await until(reading.is_set)
        go.set()
        assert await task == ANSWER


async def test_fast_failures_do_not_lower_the_average_duration() -> None:
    async with chained(responds(400), timeout=10) as running:
        for _ in range(20):
            await running.judge()
        assert running.clients[0].average_seconds == 10


async def test_a_free_provider_is_affordable_with_a_spent_budget() -> None:
    async with chained(GOOD, limit=0, summary=responds(200, {})) as running:
        assert running.summarizer is not None
        assert running.summarizer.affordable
        assert not running.clients[0].affordable
