"""The offsets of a partition that are not settled yet, and what has to be written to settle them."""

from heapq import heapify, heappop, heappush
from itertools import islice

from openclaw_stream.stream.state.revision import Group, ResumePoint
from openclaw_stream.stream.state.transaction_plan import DeadLetter

_SLACK = 1024


class OffsetTracker:
    """Tracks the first unsettled record of every group, the groups to write, and the dead letters.

    `dead_letters_through` is the highest offset written to the dead letters, `pending_bytes` the size of those that
    are not written yet.
    """

    def __init__(self, dead_letters_through: int) -> None:
        self.dead_letters_through = dead_letters_through
        self.pending_bytes = 0
        self._dead_letters: list[DeadLetter] = []
        self._unwritten: dict[Group, None] = {}
        self._first_unsettled: dict[str, ResumePoint] = {}
        self._heap: list[tuple[int, str]] = []

    @property
    def unwritten(self) -> int:
        """Number of groups to write with the next lazy transaction."""
        return len(self._unwritten)

    @property
    def has_dead_letters(self) -> bool:
        """Whether a dead letter is to be written."""
        return bool(self._dead_letters)

    def record(self, group: Group, point: ResumePoint) -> None:
        """Track a record folded into a group: it is settled when the state of the group is written."""
        group.state.settle_through(point.offset)
        self._unwritten[group] = None
        key = group.state.group_key
        if key not in self._first_unsettled:
            self._set_first_unsettled(key, point)
        if group.revisions:
            group.resume_at(point)

    def mark_unwritten(self, group: Group) -> None:
        """Have the state of a group written with the next lazy transaction."""
        self._unwritten[group] = None

    def take_unwritten(self, most: int) -> list[Group]:
        """Return groups whose state is to be written now."""
        groups = list(islice(self._unwritten, most))
        for group in groups:
            del self._unwritten[group]
        return groups

    def is_settled(self, group_key: str) -> bool:
        """Whether all records of a group are settled."""
        return group_key not in self._first_unsettled

    def settle(self, group_key: str, rest: ResumePoint | None) -> None:
        """Note that a group is settled, up to the record at `rest` if one is given."""
        self._first_unsettled.pop(group_key, None)
        if rest:
            self._set_first_unsettled(group_key, rest)

    def lowest_unsettled(self) -> ResumePoint | None:
        """Return the first unsettled record of all groups, None where all are settled."""
        while self._heap:
            offset, key = self._heap[0]
            point = self._first_unsettled.get(key)
            if point and point.offset == offset:
                return point
            heappop(self._heap)
        return None

    def add_dead_letter(self, letter: DeadLetter) -> None:
        """Have a dead letter written, unless an earlier transaction has written it."""
        if letter.offset > self.dead_letters_through:
            self._dead_letters.append(letter)
            self.pending_bytes += letter.weight

    def take_dead_letters(self) -> list[DeadLetter]:
        """Return the dead letters to write now."""
        letters, self._dead_letters = self._dead_letters, []
        for letter in letters:
            self.dead_letters_through = letter.offset
            self.pending_bytes -= letter.weight
        return letters

    def _set_first_unsettled(self, group_key: str, point: ResumePoint) -> None:
        self._first_unsettled[group_key] = point
        heappush(self._heap, (point.offset, group_key))
        if len(self._heap) > 2 * len(self._first_unsettled) + _SLACK:
            # Behind a group that gathers for long, the entries of all others have become stale.
            self._heap = [(p.offset, key) for key, p in self._first_unsettled.items()]
            heapify(self._heap)
