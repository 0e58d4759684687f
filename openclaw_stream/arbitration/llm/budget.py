"""The budget: a limit on the cost of language models per hour, for the whole fleet where it shares a store."""

import time
from collections.abc import Callable

from openclaw_stream.arbitration.llm.key_value_store import Store

_HOUR = 3600
_TTL = 2 * _HOUR
_REFRESH_SECONDS = 5.0


class Budget:
    """US dollars spent in the current hour of the clock, against a limit.

    The fleet's sum is read at most every few seconds, and a cost is added once it is known: calls in flight when the
    limit is reached are still paid for. The sum never decreases within an hour: where the store has lost it, the sum
    of this process counts.

    Args:
        limit: US dollars an hour; None for no limit.
        store: Holds the fleet's sum.
        clock: Unix time, the same for the fleet.
    """

    def __init__(self, limit: float | None, store: Store, clock: Callable[[], float] = time.time) -> None:
        self.limit = limit
        self._store = store
        self._clock = clock
        self._hour = 0
        self._own = self._fleet = self._unreported = 0.0
        self._read_at = 0.0

    @property
    def spent(self) -> float:
        """US dollars spent in this hour, as far as known."""
        self._start_hour()
        return max(self._own, self._fleet + self._unreported)

    @property
    def exhausted(self) -> bool:
        """Whether the budget of this hour is spent."""
        return self.limit is not None and self.spent >= self.limit

    def spend(self, cost: float) -> None:
        """Add a cost in US dollars."""
        self._start_hour()
        self._own += cost
        self._unreported += cost

    async def refresh(self) -> None:
        """Read the fleet's sum, unless it was read in the last seconds."""
        self._start_hour()
        now = self._clock()
        if self.limit is None or 0 <= now - self._read_at < _REFRESH_SECONDS:
            return
        self._read_at = now
        hour = self._hour
        value = await self._store.get(self._key(hour))
        if value is not None and hour == self._hour:
            self._fleet = max(self._fleet, _amount(value))

    async def report(self) -> None:
        """Add the unreported cost to the fleet's sum."""
        self._start_hour()
        hour, amount = self._hour, self._unreported
        if self.limit is None or amount == 0:
            return
        self._unreported -= amount
        self._fleet += amount
        if not await self._store.add(self._key(hour), amount, _TTL) and hour == self._hour:
            self._unreported += amount
            self._fleet -= amount

    def _start_hour(self) -> None:
        hour = int(self._clock() // _HOUR)
        if hour != self._hour:
            self._hour = hour
            self._own = self._fleet = self._unreported = self._read_at = 0.0

    def _key(self, hour: int) -> str:
        return f"openclaw:spent:{hour}"


def _amount(value: bytes) -> float:
    try:
        amount = float(value)
    except ValueError:
        return 0.0
    return amount if 0 <= amount < float("inf") else 0.0
