import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from openclaw_stream.resilience.ttl_cache import TtlCache


class Oracle:
    """Answers the numbers of its questions, once its gate is open."""

    def __init__(self, *, size: int = 2) -> None:
        self.asked: list[str] = []
        self.begun = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.now = 0.0
        self.recent: TtlCache[str, str] = TtlCache(size, 60, lambda answer: answer != "?", lambda: self.now)

    async def get(self, question: str, answer: str = "!") -> str:
        return await self.recent.get(question, self._asking(question, answer))

    def _asking(self, question: str, answer: str) -> Callable[[], Coroutine[Any, Any, str]]:
        async def ask() -> str:
            self.asked.append(question)
            self.begun.set()
            await self.gate.wait()
            return answer

        return ask


async def test_an_answer_is_kept_for_its_time() -> None:
    oracle = Oracle()
    assert await oracle.get("a", "1") == "1"
    oracle.now = 59.9
    assert await oracle.get("a", "2") == "1"
    oracle.now = 60
    assert await oracle.get("a", "2") == "2"
    assert oracle.asked == ["a", "a"]


async def test_what_is_not_worth_keeping_is_shared_and_forgotten() -> None:
    oracle = Oracle()
    answers = await asyncio.gather(oracle.get("a", "?"), oracle.get("a", "1"))
    assert set(answers) == {"?"}
    assert await oracle.get("a", "1") == "1"


async def test_the_one_used_longest_ago_makes_room() -> None:
    oracle = Oracle()
    for question in ("a", "b", "a", "c", "a", "b"):
        await oracle.get(question)
    assert oracle.asked == ["a", "b", "c", "b"]


async def test_who_gives_up_leaves_the_others_waiting() -> None:
    oracle = Oracle()
    oracle.gate.clear()
    first, second = (asyncio.create_task(oracle.get("a")) for _ in range(2))
    await oracle.begun.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    oracle.gate.set()
    assert await second == "!"
    assert oracle.asked == ["a"]


@pytest.mark.parametrize("turns", [1, 2])
async def test_closing_gives_up_what_is_on_its_way_or_about_to_start(turns: int) -> None:
    oracle = Oracle()
    oracle.gate.clear()
    waiting = asyncio.create_task(oracle.get("a"))
    for _ in range(turns):
        await asyncio.sleep(0)
    assert oracle.begun.is_set() == (turns > 1)
    await oracle.recent.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
