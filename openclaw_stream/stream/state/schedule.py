"""The agenda of a partition: which groups to look at when time or the log has moved on.

Every group has at most one live entry per heap; a time that moves away leaves its entry, which is put off when it comes
up. So a repeat, which only moves an end away, costs nothing here.
"""

from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import count

from openclaw_stream.incidents.state import NEVER
from openclaw_stream.stream.state.revision import Group

_Entry = tuple[int, int, Group]


class Schedule:
    """Heaps of groups by stream time in milliseconds, and by offset."""

    def __init__(self) -> None:
        self._order = count()
        self._live: list[_Entry] = []
        self._early: list[_Entry] = []
        self._awaited: list[_Entry] = []
        self._aged: list[_Entry] = []

    def anything_due(self, now: int, offset: int) -> bool:
        """Tell, at next to no cost, whether `due` or `woken` would yield a group."""
        live, early, awaited = self._live, self._early, self._awaited
        return bool(
            (live and live[0][0] <= now) or (early and early[0][0] <= now) or (awaited and awaited[0][0] <= offset)
        )

    def look_at(self, group: Group, at: int, *, early: bool) -> None:
        """Have a group come up at a stream time; with `early` not at a tick, its end being told already."""
        if early:
            if at < group.early_at:
                group.early_at = at
                heappush(self._early, (at, next(self._order), group))
        elif at < group.live_at:
            group.live_at = at
            heappush(self._live, (at, next(self._order), group))

    def due(self, now: int, *, tick: bool) -> Iterator[Group]:
        """Take out the groups that come up by `now`; a tick leaves those whose end is told."""
        while self._live and self._live[0][0] <= now:
            at, _, group = heappop(self._live)
            if group.live_at == at:
                group.live_at = NEVER
                yield group
        while not tick and self._early and self._early[0][0] <= now:
            at, _, group = heappop(self._early)
            if group.early_at == at:
                group.early_at = NEVER
                yield group

    def wake_at(self, group: Group, offset: int) -> None:
        """Have a group come up when the fold reaches an offset."""
        heappush(self._awaited, (offset, next(self._order), group))

    def woken(self, offset: int) -> Iterator[Group]:
        """Take out the groups that come up at `offset`."""
        while self._awaited and self._awaited[0][0] <= offset:
            yield heappop(self._awaited)[2]

    def forget_at(self, group: Group, at: int) -> None:
        """Have a closed group come up when all its records are past the retention."""
        if at < group.aged_at:
            group.aged_at = at
            heappush(self._aged, (at, next(self._order), group))

    def anything_aged(self, now: int) -> bool:
        """Tell whether `aged` would yield a group."""
        return bool(self._aged) and self._aged[0][0] <= now

    def aged(self, now: int) -> Iterator[Group]:
        """Take out the groups whose records are past the retention."""
        while self.anything_aged(now):
            at, _, group = heappop(self._aged)
            if group.aged_at == at:
                group.aged_at = NEVER
                yield group
