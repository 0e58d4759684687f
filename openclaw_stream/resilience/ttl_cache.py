"""A short memory of what was asked: of equal questions that come close together, one is asked."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class TtlCache(Generic[K, V]):
    """Answers by question, for `ttl` seconds; the one used longest ago makes room for the `size` + 1st.

    `keeps` tells which answers are worth keeping; the others are shared by those who wait for them, and forgotten.
    """

    def __init__(
        self, size: int, ttl: float, keeps: Callable[[V], bool], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._size = size
        self._ttl = ttl
        self._keeps = keeps
        self._clock = clock
        self._answers: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._flights: dict[K, asyncio.Task[V]] = {}

    async def get(self, question: K, ask: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """Return the answer that is known or on its way, else what `ask` returns; who gives up leaves it going."""
        expires, answer = self._answers.get(question, (0.0, None))
        if answer is not None and self._clock() < expires:
            self._answers.move_to_end(question)
            return answer
        flight = self._flights.get(question)
        if flight is None:
            flight = self._flights[question] = asyncio.create_task(self._fly(question, ask))
            flight.add_done_callback(lambda _: self._flights.pop(question))
        return await asyncio.shield(flight)

    async def close(self) -> None:
        """Give up what is on its way."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    async def _fly(self, question: K, ask: Callable[[], Coroutine[Any, Any, V]]) -> V:
        answer = await ask()
        if self._keeps(answer):
            self._answers[question] = (self._clock() + self._ttl, answer)
            self._answers.move_to_end(question)
            if len(self._answers) > self._size:
                self._answers.popitem(last=False)
        return answer
