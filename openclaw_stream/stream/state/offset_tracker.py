"""Settlement: what of a partition is not settled yet, and what the next transaction writes of it."""

from collections.abc import Iterator, Mapping
from heapq import heapify, heappop, heappush
from itertools import islice

from openclaw_stream.incidents.state import State
from openclaw_stream.stream.state import state_codec
from openclaw_stream.stream.state.revision import Group, ResumePoint, Revision
from openclaw_stream.stream.state.transaction_plan import DeadLetter

Written = list[tuple[str, bytes | None]]


_REVISED_MAX, _REPEATED_MAX = 200, 4000
"""Groups settled in one transaction, with a revision and without: making its messages must not stop the heartbeat."""

_SLACK = 1024


class OffsetTracker:
    """Keeps the groups with something to write, the lowest offset unsettled, and the dead letters.

    `pending` counts the revisions triggered and not published, `pending_bytes` their size and that of dead letters.
    """

    def __init__(self, groups: Mapping[str, Group], group_id: str, generation: int, dead_through: int) -> None:
        self.pending = 0
        self.pending_bytes = 0
        self.dead_through = dead_through
        """Highest offset written to the dead letters."""
        self._groups = groups
        self._group_id = group_id
        self._generation = generation
        self._dead: list[DeadLetter] = []
        self._dirty: list[Group] = []
        self._finished: dict[Group, None] = {}
        self._unsettled: list[tuple[int, str]] = []

    @property
    def repeats(self) -> int:
        """How many groups wait for a lazy transaction."""
        return len(self._dirty)

    def __bool__(self) -> bool:
        """Whether something is to be published."""
        return bool(self._finished or self._dead)

    def note(self, group: Group, mark: ResumePoint) -> None:
        """Put a record on the account of a group: it is settled when the group's state is written."""
        state = group.state
        state.through = mark.offset
        state.version += 1
        if not group.dirty:
            self.touch(group)
        if group.unsettled is None:
            self._set_unsettled(group, mark)
        for work in reversed(group.queue):
            if work.after is not None:
                break
            work.after = mark

    def touch(self, group: Group) -> None:
        """Have the group's state written with the next lazy transaction."""
        if not group.dirty:
            group.dirty = True
            self._dirty.append(group)

    def enqueue(self, work: Revision) -> None:
        """Take in a revision."""
        work.group.queue.append(work)
        self.pending += 1
        self.pending_bytes += work.weight

    def finish(self, group: Group) -> None:
        """Have what is decided of a group published with the next transaction."""
        self._finished[group] = None

    def dead_letter(self, letter: DeadLetter) -> None:
        """Take in a dead letter, unless an earlier transaction has written it."""
        if letter.offset > self.dead_through:
            self._dead.append(letter)
            self.pending_bytes += letter.weight

    def settle(self, *, lazy: bool) -> tuple[list[Revision], Written]:
        """Return the revisions to publish and the states to write, with `lazy` those of mere repeats too."""
        revisions: list[Revision] = []
        written: Written = []
        for group in self._to_settle(lazy=lazy):
            self._settle(group, revisions, written)
        return revisions, written

    def drain_dead_letters(self) -> list[DeadLetter]:
        """Return the dead letters to write."""
        dead, self._dead = self._dead, []
        for letter in dead:
            self.dead_through = letter.offset
            self.pending_bytes -= letter.weight
        return dead

    def lowest_unsettled(self) -> ResumePoint | None:
        """Return the first record that no group may have lost by a crash, None where all are settled."""
        while self._unsettled:
            offset, key = self._unsettled[0]
            group = self._groups.get(key)
            if group and group.unsettled and group.unsettled.offset == offset:
                return group.unsettled
            heappop(self._unsettled)
        return None

    def _to_settle(self, *, lazy: bool) -> Iterator[Group]:
        finished = list(islice(self._finished, _REVISED_MAX))
        for group in finished:
            del self._finished[group]
        yield from finished
        if lazy:
            dirty, self._dirty = self._dirty[:_REPEATED_MAX], self._dirty[_REPEATED_MAX:]
            for group in dirty:
                group.dirty = False
                if group not in self._finished:
                    yield group

    def _settle(self, group: Group, revisions: list[Revision], written: Written) -> None:
        while group.queue and group.queue[0].outcome is not None:
            work = group.queue.pop(0)
            group.last_decision = work.last_decision or group.last_decision
            self.pending -= 1
            self.pending_bytes -= work.weight
            revisions.append(work)
            if work.opens_another and work.image.version > group.written:
                # The last state of the incident before would else be passed over.
                written.append((work.image.group_key, self._encode(group, work.image)))
        image = group.queue[0].image if group.queue else group.state
        if image.version > group.written:
            group.written = image.version
            written.append((image.group_key, self._encode(group, image)))
            group.unsettled = None
            if group.queue and group.queue[0].after:
                self._set_unsettled(group, group.queue[0].after)
        group.shed()

    def _encode(self, group: Group, image: State) -> bytes:
        return state_codec.encode(image, self._group_id, self._generation, group.last_decision)

    def _set_unsettled(self, group: Group, mark: ResumePoint) -> None:
        group.unsettled = mark
        heappush(self._unsettled, (mark.offset, group.state.group_key))
        if len(self._unsettled) > 2 * len(self._groups) + _SLACK:
            # Behind one group that gathers for long, the entries of all others have gone stale.
            self._unsettled = [(g.unsettled.offset, key) for key, g in self._groups.items() if g.unsettled]
            heapify(self._unsettled)
