"""A cache whose entries expire, and whose concurrent misses of one key share a single load."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from functools import partial
from typing import Any, Generic, TypeVar

from openclaw_stream.resilience.single_flight import SingleFlight

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class TtlCache(Generic[K, V]):
    """Values by key, loaded on a miss.

    Args:
        size: The number of entries; one more evicts the least recently used.
        ttl: Seconds an entry is kept.
        keeps: Whether a loaded value is kept; another is returned to those that wait for it, and not stored.
        clock: Seconds of a monotonic clock.
    """

    def __init__(
        self, size: int, ttl: float, keeps: Callable[[V], bool], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._size = size
        self._ttl = ttl
        self._keeps = keeps
        self._clock = clock
        self._entries: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._loads: SingleFlight[K, V] = SingleFlight()

    async def get(self, key: K, load: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """Return the value of a key, from the cache or from `load`; cancelling the caller does not cancel the load."""
        expires, value = self._entries.get(key, (0.0, None))
        if value is not None and self._clock() < expires:
            self._entries.move_to_end(key)
            return value
        loaded, _ = self._loads.join(key, partial(self._load, key, load))
        return await asyncio.shield(loaded)

    async def close(self) -> None:
        """Cancel the loads in flight."""
        await self._loads.close()

    async def _load(self, key: K, load: Callable[[], Coroutine[Any, Any, V]], result: asyncio.Future[V]) -> None:
        value = await load()
        if self._keeps(value):
            self._entries[key] = (self._clock() + self._ttl, value)
            self._entries.move_to_end(key)
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)
        result.set_result(value)
