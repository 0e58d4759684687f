"""How much a consumer asks for in one fetch: much where the link is fast, and what a slow one carries in time.

A short request timeout finds a frozen broker soon, but a fetch that is cut off by it is asked for again in full. So a
fetch that times out is followed by smaller ones, and they grow again while all arrive.
"""

MAX_FETCH_BYTES, MAX_PARTITION_FETCH_BYTES = 16 * 1024 * 1024, 4 * 1024 * 1024
"""The most that one fetch, and one partition of it, may bring; with no slow link in the way always this."""
_SHARE_MIN = 1 / 64
_SHRINK, _GROW = 4, 2
_GROW_AFTER = 50
"""Fetches that must arrive before larger ones are tried."""


class FetchSize:
    """The share of the largest fetch that is asked for now."""

    def __init__(self) -> None:
        self._share = 1.0
        self._arrived = 0

    @property
    def total(self) -> int:
        """Bytes that one fetch may bring; a first batch that is larger comes all the same."""
        return int(MAX_FETCH_BYTES * self._share)

    @property
    def partition(self) -> int:
        """Bytes that one partition may bring in it."""
        return int(MAX_PARTITION_FETCH_BYTES * self._share)

    def arrive(self) -> None:
        """A fetch was answered."""
        self._arrived += 1
        if self._share < 1 and self._arrived >= _GROW_AFTER:
            self._share, self._arrived = min(self._share * _GROW, 1.0), 0

    def time_out(self) -> None:
        """A fetch was not answered in time."""
        self._share, self._arrived = max(self._share / _SHRINK, _SHARE_MIN), 0
