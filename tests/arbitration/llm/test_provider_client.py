"""Who is asked for first, who waits, and how many the chain lets in."""

import asyncio

import pytest

from tests.arbitration.llm.chains import FINE, chained, judged_storm, ollama_responds
from tests.arbitration.llm.model_server import (
    Held,
    in_turn,
    until,
)


async def test_who_is_urgent_is_asked_for_first() -> None:
    held = Held(FINE)
    async with chained(in_turn(held, FINE), slots=1) as asked:
        order: list[int] = []

        async def judge(rank: int) -> None:
            await asked.judge(rank=rank)
            order.append(rank)

        first = asyncio.create_task(judge(9))
        await held.requested.wait()
        others = [asyncio.create_task(judge(rank)) for rank in (0, 1, 3, 2)]
        await until(lambda: asked.clients[0].semaphore.waiting == 4)
        held.release.set()
        await asyncio.gather(first, *others)
        assert order == [9, 3, 2, 1, 0]


async def test_a_busy_provider_is_waited_for_as_long_as_the_next_has_time_left() -> None:
    held = Held(FINE)
    async with chained(held, FINE, slots=1, timeout=10) as asked:
        first = asyncio.create_task(asked.judge(seconds=60))
        await held.requested.wait()
        assert await asked.judge(seconds=10.2) == "b"
        assert asked.reasons == ["a: busy for too long"]
        held.release.set()
        assert await first == "a"


async def test_no_more_are_let_in_than_can_be_answered_in_time() -> None:
    async with chained(FINE, FINE, slots=2, timeout=10, deadline=60) as asked:
        # Forty seconds are left beside a call of each; until calls are known, each is taken to last its timeout.
        assert asked.chain.capacity() == 8
        asked.clients[0].average_seconds = 2
        assert asked.chain.capacity() == 40
        asked.clients[0].average_seconds = 600
        assert asked.chain.capacity() == 2
        await asked.judge()
        assert asked.clients[0].average_seconds < 600


async def test_those_that_wait_already_take_the_place_of_others() -> None:
    held = Held(FINE)
    async with chained(held, slots=1, timeout=10, deadline=60) as asked:
        assert asked.chain.capacity() == 5
        tasks = [asyncio.create_task(asked.judge()) for _ in range(4)]
        await held.requested.wait()
        assert asked.chain.capacity() == 2
        tasks += [asyncio.create_task(asked.judge()) for _ in range(9)]
        await until(lambda: asked.clients[0].semaphore.waiting == 12)
        assert asked.chain.capacity() == 1
        held.release.set()
        assert await asyncio.gather(*tasks) == ["a"] * 13


@pytest.mark.parametrize(("shared", "capacity"), [(True, 10), (False, 20)])
async def test_storms_that_are_condensed_first_take_the_place_of_others(*, shared: bool, capacity: int) -> None:
    summary = ollama_responds('{"summary": "It all hangs together."}')
    async with chained(FINE, slots=1, timeout=10, deadline=60, summary=summary, shared=shared) as asked:
        for _ in range(30):
            await judged_storm(asked)
        assert asked.summarizer is not None
        asked.clients[0].average_seconds = asked.summarizer.average_seconds = 2.5
        assert asked.chain.capacity() == capacity
        for _ in range(30):
            await asked.judge()
        asked.clients[0].average_seconds = 2.5
        assert asked.chain.capacity() == pytest.approx(20, abs=1)
