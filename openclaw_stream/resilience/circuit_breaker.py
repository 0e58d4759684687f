"""A circuit breaker: after repeated failures no call is made for a while, then one call at a time probes the server."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from openclaw_stream.errors import OpenClawError


class CircuitOpenError(OpenClawError):
    """No call may be made now: the last ones failed."""

    def __init__(self) -> None:
        super().__init__("circuit open after repeated failures")


class CircuitBreaker:
    """Counts failures in a row and decides whether a call may be made.

        closed ──`threshold` failures in a row──► open ──`cooldown` seconds──► half-open
          ▲                                        ▲                               │
          │                                        └───────────failure─────────────┤
          └──────────────────────────────success───────────────────────────────────┘

    Half-open permits one call per cooldown. A permit needs no release: where its call ends without an outcome
    (cancelled), the next call is permitted one cooldown after it. A call that was permitted earlier and succeeds late
    closes the circuit too, because it shows that the server works.

    Args:
        threshold: Failures in a row that open the circuit.
        cooldown: Seconds from the last failure, or the last probe, until the next probe.
        clock: Seconds of a monotonic clock.
    """

    def __init__(self, threshold: int, cooldown: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._threshold = threshold
        self._cooldown = cooldown
        self._clock = clock
        self._failures = 0
        self._next_probe = 0.0

    @property
    def is_open(self) -> bool:
        """Whether a call would be refused now; takes no permit."""
        return self._failures >= self._threshold and self._clock() < self._next_probe

    def open_for(self, seconds: float) -> None:
        """Open the circuit at once; the first probe is permitted after `seconds`."""
        self._failures = max(self._failures, self._threshold)
        self._next_probe = max(self._next_probe, self._clock() + seconds)

    @contextmanager
    def attempt(self, is_failure: Callable[[Exception], bool | None]) -> Iterator[None]:
        """Take the permit for one call, which is the block, and record its outcome.

        Args:
            is_failure: Classifies an exception of the call: True for a failure of the server, False where the server
                answered, None where the exception shows neither.

        Raises:
            CircuitOpenError: The call is refused; the block does not run.
        """
        self._take_permit()
        try:
            yield
        except Exception as error:
            failure = is_failure(error)
            if failure is not None:
                self._record(failure=failure)
            raise
        self._record(failure=False)

    def _take_permit(self) -> None:
        if self.is_open:
            raise CircuitOpenError
        if self._failures >= self._threshold:
            self._next_probe = self._clock() + self._cooldown

    def _record(self, *, failure: bool) -> None:
        if not failure:
            self._failures = 0
            return
        self._failures += 1
        if self._failures >= self._threshold:
            self._next_probe = max(self._next_probe, self._clock() + self._cooldown)
