"""Adaptive fetch size: large on a fast link, and small enough to arrive before the request timeout on a slow one.

A short request timeout detects a frozen broker early, but a fetch that exceeds it is repeated in full. So a timeout
shrinks the following fetches, and they grow again while all of them are answered.
"""

MAX_FETCH_BYTES, MAX_PARTITION_FETCH_BYTES = 16 * 1024 * 1024, 4 * 1024 * 1024
"""Upper bounds of one fetch, and of one partition in it; used as they are until a fetch times out."""
_SHARE_MIN = 1 / 64
_SHRINK, _GROW = 4, 2
_GROW_AFTER = 50
"""Fetches in a row that must be answered before the size grows."""


class FetchSize:
    """The current fetch size, as a share of the upper bounds."""

    def __init__(self) -> None:
        self._share = 1.0
        self._responses = 0

    @property
    def total(self) -> int:
        """Bytes of one fetch (`fetch.max.bytes`); the broker sends a larger first batch all the same."""
        return int(MAX_FETCH_BYTES * self._share)

    @property
    def partition(self) -> int:
        """Bytes of one partition in it (`max.partition.fetch.bytes`)."""
        return int(MAX_PARTITION_FETCH_BYTES * self._share)

    def record_response(self) -> None:
        """A fetch was answered."""
        self._responses += 1
        if self._share < 1 and self._responses >= _GROW_AFTER:
            self._share, self._responses = min(self._share * _GROW, 1.0), 0

    def record_timeout(self) -> None:
        """A fetch was not answered in time."""
        self._share, self._responses = max(self._share / _SHRINK, _SHARE_MIN), 0
