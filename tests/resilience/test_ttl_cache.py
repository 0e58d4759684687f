import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from openclaw_stream.resilience.ttl_cache import TtlCache


class Loader:
    """A cache over loads that are recorded, and finish while `open` is set."""

    def __init__(self, *, size: int = 2) -> None:
        self.loaded: list[str] = []
        self.started = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        self.now = 0.0
        self.cache: TtlCache[str, str] = TtlCache(size, 60, lambda value: value != "?", lambda: self.now)

    async def get(self, key: str, value: str = "!") -> str:
        return await self.cache.get(key, self._load(key, value))

    def _load(self, key: str, value: str) -> Callable[[], Coroutine[Any, Any, str]]:
        async def load() -> str:
            self.loaded.append(key)
            self.started.set()
            await self.open.wait()
            return value

        return load


async def test_a_value_is_kept_until_it_expires() -> None:
    loader = Loader()
    assert await loader.get("a", "1") == "1"
    loader.now = 59.9
    assert await loader.get("a", "2") == "1"
    loader.now = 60
    assert await loader.get("a", "2") == "2"
    assert loader.loaded == ["a", "a"]


async def test_a_value_that_is_not_kept_is_shared_by_concurrent_callers_only() -> None:
    loader = Loader()
    values = await asyncio.gather(loader.get("a", "?"), loader.get("a", "1"))
    assert set(values) == {"?"}
    assert await loader.get("a", "1") == "1"


async def test_the_least_recently_used_entry_is_evicted() -> None:
    loader = Loader()
    for key in ("a", "b", "a", "c", "a", "b"):
        await loader.get(key)
    assert loader.loaded == ["a", "b", "c", "b"]


async def test_a_cancelled_caller_does_not_cancel_the_load() -> None:
    loader = Loader()
    loader.open.clear()
    first, second = (asyncio.create_task(loader.get("a")) for _ in range(2))
    await loader.started.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    loader.open.set()
    assert await second == "!"
    assert loader.loaded == ["a"]


@pytest.mark.parametrize("turns", [1, 2])
async def test_close_cancels_loads_that_run_or_are_about_to_start(turns: int) -> None:
    loader = Loader()
    loader.open.clear()
    waiting = asyncio.create_task(loader.get("a"))
    for _ in range(turns):
        await asyncio.sleep(0)
    assert loader.started.is_set() == (turns > 1)
    await loader.cache.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
