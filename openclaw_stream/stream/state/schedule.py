"""The schedule of a partition: which groups to process at a stream time or at an offset.

A time that moves to later leaves its entry, which is processed for nothing and scheduled again. So a repeat, which only
delays an end, costs nothing here.
"""

from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import count

from openclaw_stream.incidents.state import NEVER
from openclaw_stream.stream.state.revision import Group


class _TimeQueue:
    """Groups by stream time in milliseconds, each once: at its earliest time.

    `next_at` is the time of the first entry, NEVER without one; `due` yields nothing before it.
    """

    def __init__(self) -> None:
        self.next_at = NEVER
        self._order = count()
        self._heap: list[tuple[int, int, Group]] = []
        self._earliest: dict[Group, int] = {}

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, group: Group, at: int) -> None:
        """Schedule a group; a later time than it has already changes nothing."""
        if at < self._earliest.get(group, NEVER):
            self._earliest[group] = at
            heappush(self._heap, (at, next(self._order), group))
            self.next_at = self._heap[0][0]

    def due(self, now: int) -> Iterator[Group]:
        """Remove and yield the groups due by `now`, also those that are added meanwhile."""
        while self.next_at <= now:
            at, _, group = heappop(self._heap)
            self.next_at = self._heap[0][0] if self._heap else NEVER
            if self._earliest.get(group) == at:
                del self._earliest[group]
                yield group


class Schedule:
    """Groups to process at a stream time or an offset, and closed groups to expire.

    `due` yields nothing before `next_time` (which may be too early), `reached` nothing before `next_offset`; comparing
    these two is all that most records cost here.
    """

    def __init__(self) -> None:
        self.next_time = NEVER
        self.next_offset = NEVER
        self._order = count()
        self._open = _TimeQueue()
        self._end_published = _TimeQueue()
        self._expiring = _TimeQueue()
        self._offsets: list[tuple[int, int, Group]] = []

    def at_time(self, group: Group, at: int, *, end_published: bool) -> None:
        """Have a group processed at a stream time; ticks skip it where its end is published already."""
        (self._end_published if end_published else self._open).add(group, at)
        self.next_time = min(self.next_time, at)

    def due(self, now: int, *, tick: bool) -> Iterator[Group]:
        """Remove and yield the groups due by `now`; a tick skips those whose end is published."""
        yield from self._open.due(now)
        if not tick:
            yield from self._end_published.due(now)
        self.next_time = min(self._open.next_at, self._end_published.next_at)

    def at_offset(self, group: Group, offset: int) -> None:
        """Have a group processed when the fold reaches an offset."""
        heappush(self._offsets, (offset, next(self._order), group))
        self.next_offset = self._offsets[0][0]

    def reached(self, offset: int) -> Iterator[Group]:
        """Remove and yield the groups to process at `offset` or before."""
        while self.next_offset <= offset:
            _, _, group = heappop(self._offsets)
            self.next_offset = self._offsets[0][0] if self._offsets else NEVER
            yield group

    def expire_at(self, group: Group, at: int) -> None:
        """Have a closed group expire when all its records are past the retention."""
        self._expiring.add(group, at)

    @property
    def expiring(self) -> int:
        """Number of entries of closed groups."""
        return len(self._expiring)

    def anything_expired(self, now: int) -> bool:
        """Whether `expired` might yield a group."""
        return self._expiring.next_at <= now

    def expired(self, now: int) -> Iterator[Group]:
        """Remove and yield the closed groups whose records are past the retention."""
        yield from self._expiring.due(now)
