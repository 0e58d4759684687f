"""What language models may cost in an hour, for the whole fleet where its workers share a store."""

import time
from collections.abc import Callable

from openclaw_stream.arbitration.llm.key_value_store import Store

_HOUR = 3600
_KEPT = 2 * _HOUR
_FRESH = 5.0


class Budget:
    """US dollars spent in the present hour of the clock, against a limit.

    The sum is read at most every few seconds and costs are added once they are known, so that the calls under way
    when the limit is reached are still paid for. It never falls within an hour: where the store has lost its sum, that
    of this process holds.

    Args:
        limit: US dollars an hour; None for no limit.
        store: Where the fleet adds up.
        clock: Unix time, which the fleet agrees on.
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
        """US dollars spent in this hour, as far as is known."""
        self._turn()
        return max(self._own, self._fleet + self._unreported)

    @property
    def exhausted(self) -> bool:
        """Whether nothing more may be spent in this hour."""
        return self.limit is not None and self.spent >= self.limit

    def spend(self, cost: float) -> None:
        """Take note of a cost, US dollars."""
        self._turn()
        self._own += cost
        self._unreported += cost

    async def refresh(self) -> None:
        """Read the fleet's sum, if that was not done just now; waits no longer than the store lets a decision wait."""
        self._turn()
        now = self._clock()
        if self.limit is None or 0 <= now - self._read_at < _FRESH:
            return
        self._read_at = now
        hour = self._hour
        value = await self._store.get(self._key(hour))
        if value is not None and hour == self._hour:
            self._fleet = max(self._fleet, _amount(value))

    async def report(self) -> None:
        """Add to the fleet's sum what is not in it yet."""
        self._turn()
        hour, amount = self._hour, self._unreported
        if self.limit is None or amount == 0:
            return
        self._unreported -= amount
        self._fleet += amount
        if not await self._store.add(self._key(hour), amount, _KEPT) and hour == self._hour:
            self._unreported += amount
            self._fleet -= amount

    def _turn(self) -> None:
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
