"""A circuit breaker: what is dead is left alone for a while, and then tried by one call at a time."""

import time
from collections.abc import Callable


class CircuitBreaker:
    """Opens after `threshold` failures in a row; `cooldown` seconds later it is half-open and lets one call through.

    That call's success closes it, its failure opens it anew. A call that ends without a word, cancelled perhaps, holds
    the place of the next for one cooldown. Whoever is let through tells `succeeded` or `failed`, whatever else happened
    in between: a late success still shows that the other side lives.
    """

    def __init__(self, threshold: int, cooldown: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._threshold = threshold
        self._cooldown = cooldown
        self._clock = clock
        self._failures = 0
        self._next_try = 0.0

    @property
    def is_open(self) -> bool:
        """Whether no call may be made now."""
        return self._failures >= self._threshold and self._clock() < self._next_try

    def allows(self) -> bool:
        """Return whether a call may be made now; when half-open, True takes the place of the one call."""
        if self.is_open:
            return False
        if self._failures >= self._threshold:
            self._next_try = self._clock() + self._cooldown
        return True

    def succeeded(self) -> None:
        """Close: the other side answered."""
        self._failures = 0

    def failed(self) -> None:
        """Count a failure that speaks against the other side's health."""
        self._failures += 1
        if self._failures >= self._threshold:
            self._next_try = self._clock() + self._cooldown
