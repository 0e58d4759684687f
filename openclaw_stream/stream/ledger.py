"""The ledger of one partition: folds its records, and says what one transaction may publish, write and commit.

Pure: no clock, no I/O. An alert is settled by the transaction that publishes a revision covering it, or that writes
it into the state of its group. Groups settle in any order among themselves, each in its own in offset order; the
committed offset is the lowest that any group has not settled. Until a revision is published, the state written for its
group is the image from before the record that asked for it, so that a crash folds that record again.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from itertools import count, islice

from openclaw_stream.events.headers import traceparent_of
from openclaw_stream.events.vocabulary import EventType
from openclaw_stream.incidents.alert import Alert
from openclaw_stream.incidents.fold import Fold
from openclaw_stream.incidents.state import NEVER, UNKNOWN, Episode, State
from openclaw_stream.stream import position as metadata
from openclaw_stream.stream import statecodec
from openclaw_stream.stream.position import Position
from openclaw_stream.stream.work import DeadLetter, Group, Headers, LastDecision, Mark, Plan, Work

_Timer = tuple[int, int, Group]


class Ledger:
    """All groups of one partition; made by `restore`, then fed with records in offset order."""

    def __init__(self, fold: Fold, group_id: str, at: Position, position: int, log_start: int) -> None:
        self.fold = fold
        self.group_id = group_id
        self.generation = at.generation
        self.floor = at.floor
        self.now = at.time
        """Stream time T; UNKNOWN before the first record of a new generation."""
        self.position = position
        """Offset of the next record to fold."""
        self.log_start = log_start
        self.groups: dict[str, Group] = {}
        self.ready: deque[Work] = deque()
        """Revisions that wait for the arbiter; whoever decides takes them out."""
        self.pending = 0
        """Revisions triggered and not yet published."""
        self.pending_bytes = 0
        self.marker_due = False
        """The incidents topic does not yet tell this generation."""
        self._dead_through = at.dead_through
        self._dead: list[DeadLetter] = []
        self._committed: int | None = None
        self._ids = count()
        self._live: list[_Timer] = []
        self._early: list[_Timer] = []
        self._awaited: list[_Timer] = []
        self._aged: list[_Timer] = []
        self._undated: list[Group] = []
        self._unsettled: list[_Timer] = []
        self._gathering: dict[Group, None] = {}
        self._dirty: list[Group] = []
        self._finished: dict[Group, None] = {}

    def add(self, group: Group) -> None:
        """Take in a restored group."""
        state = group.state
        self.groups[state.group_key] = group
        if state.open:
            known = self._known_end(state)
            if known:
                self._push(self._awaited, known.closed_offset or 0, group)
            elif state.frozen >= self.position:
                self._push(self._awaited, state.frozen + 1, group)
        if state.open and state.last_alert_at == UNKNOWN:
            self._undated.append(group)
        else:
            self._schedule(group)
        if not state.open and state.last_alert_at != UNKNOWN:
            self._push(self._aged, state.last_alert_at + self.fold.retention, group)

    # ---- the fold

    def read(
        self, offset: int, timestamp: int, alerts: Sequence[Alert], headers: Headers = (), dead: DeadLetter | None = None
    ) -> None:
        """Fold one record: all that is due at T first, then its alerts, then what that made due."""
        before = self.now
        if timestamp > before:
            self.now = timestamp
        self.position = offset
        self._advance_due(offset)
        if dead is not None and offset > self._dead_through:
            self._dead.append(dead)
            self.pending_bytes += len(dead.value or b"")
        if len(alerts) == 1:
            self._fold(alerts[0].group_key, alerts, Mark(offset, before), timestamp, headers)
        else:
            for key, own in _by_group(alerts):
                self._fold(key, own, Mark(offset, before), timestamp, headers)
        self.position = offset + 1
        self._advance_due(self.position)

    def skip_to(self, position: int) -> None:
        """Move past offsets that hold no record: transaction markers, compacted or aborted records."""
        if position > self.position:
            self.position = position
            self._advance_due(position)

    def tick(self, now: int) -> None:
        """Publish early what is due at `now`, when all the log is read; membership stays as it is."""
        if self.now == UNKNOWN:
            return
        self._wake_awaited(self.position)
        self._pop_due(self._live, now, self.position, tick=True)

    def relieve(self, most: int) -> int:
        """Cut the oldest revisions that gather, due now, where nothing cut is left to wait for; returns how many."""
        if self.undecided:
            return 0
        oldest = list(islice(self._gathering, most))
        for group in oldest:
            self._cut(group, self.now)
            self._schedule(group)
        return len(oldest)

    def _fold(self, key: str, alerts: Sequence[Alert], mark: Mark, timestamp: int, headers: Headers) -> None:
        group = self.groups.get(key)
        if group is None:
            if not any(alert.firing for alert in alerts):
                return
            group = self.groups[key] = Group(State(key))
        state = group.state
        if mark.offset <= state.through:
            return
        if len(alerts) == 1 and self.fold.repeat(state, alerts[0], mark.offset, self.now):
            self._note(group, mark)
            return
        if self._join(group, alerts, mark, timestamp, headers) or group.unsettled or group.queue:
            self._note(group, mark)
        self._schedule(group)

    def _join(self, group: Group, alerts: Sequence[Alert], mark: Mark, timestamp: int, headers: Headers) -> bool:
        state, fold, joined, due, opened = group.state, self.fold, False, NEVER, group.state.opened_offset
        image = state.copy() if any(fold.may_trigger(state, alert) for alert in alerts) else None
        for alert in alerts:
            wanted, joins = fold.join(state, alert, mark.offset, timestamp, self.now)
            due, joined = min(due, wanted), joined or joins
        if state.opened_offset != opened:
            state.traceparent = traceparent_of(headers) or ""
        if due != NEVER and image is not None:
            self._trigger(group, image, due)
        return joined

    def _note(self, group: Group, mark: Mark) -> None:
        """The record belongs to the group's account: settled when its state is written."""
        state = group.state
        state.through = mark.offset
        state.version += 1
        if not group.dirty:
            group.dirty = True
            self._dirty.append(group)
        if group.unsettled is None:
            self._set_unsettled(group, mark)
        for work in reversed(group.queue):
            if work.after is not None:
                break
            work.after = mark

    def _trigger(self, group: Group, image: State, due: int) -> None:
        work = group.gathering
        if work:
            work.due = min(work.due, due)
            return
        self._enqueue(Work(group, image, due, EventType.DECISION))
        self._gathering[group] = None

    def _enqueue(self, work: Work) -> None:
        work.group.queue.append(work)
        self.pending += 1
        self.pending_bytes += work.weight

    # ---- time: what is due, in its order

    def _advance_due(self, offset: int) -> None:
        if self._undated:
            self._date()
        if self._awaited and self._awaited[0][0] <= offset:
            self._wake_awaited(offset)
        if self._live and self._live[0][0] <= self.now:
            self._pop_due(self._live, self.now, offset)
        if self._early and self._early[0][0] <= self.now:
            self._pop_due(self._early, self.now, offset)

    def _date(self) -> None:
        if self.now == UNKNOWN:
            return
        for group in self._undated:
            if group.state.last_alert_at == UNKNOWN:
                group.state.last_alert_at = self.now
            self._schedule(group)
        self._undated = []

    def _wake_awaited(self, offset: int) -> None:
        while self._awaited and self._awaited[0][0] <= offset:
            group = heappop(self._awaited)[2]
            self._advance(group, self.now, offset, tick=False)
            self._schedule(group)

    def _pop_due(self, heap: list[_Timer], now: int, offset: int, *, tick: bool = False) -> None:
        while heap and heap[0][0] <= now:
            at, _, group = heappop(heap)
            if heap is self._live:
                if group.live_at != at:
                    continue
                group.live_at = NEVER
            else:
                if group.early_at != at:
                    continue
                group.early_at = NEVER
            self._advance(group, now, offset, tick=tick)
            self._schedule(group)

    def _schedule(self, group: Group) -> None:
        """Have the group looked at when it is next due; a later time needs no new entry, the old one moves it on."""
        work = group.gathering
        at = min(work.due if work else NEVER, self._end_of(group.state, self.position))
        if at == NEVER:
            return
        if group.state.early:
            if at < group.early_at:
                group.early_at = at
                self._push(self._early, at, group)
        elif at < group.live_at:
            group.live_at = at
            self._push(self._live, at, group)

    def _advance(self, group: Group, now: int, offset: int, *, tick: bool) -> None:
        while True:
            work, state = group.gathering, group.state
            known = self._known_end(state)
            due = work.due if work else NEVER
            if tick and state.early:
                end = NEVER
            elif known and offset >= (known.closed_offset or 0):
                end = min(self.fold.end_of(state), now)
            else:
                end = self._end_of(state, offset)
            if min(due, end) > now:
                return
            if due <= end:
                self._cut(group, due)
            else:
                self._close(group, end, offset, known, tick=tick)

    def _end_of(self, state: State, offset: int) -> int:
        if not state.open or offset <= state.frozen or state.last_alert_at == UNKNOWN or self._known_end(state):
            return NEVER
        return self.fold.end_of(state)

    def _known_end(self, state: State) -> Episode | None:
        """Where an incident that was open at a reset is known to have closed."""
        if not state.open or state.opened_offset >= self.floor:
            return None
        episode = state.episode(state.opened_offset)
        return episode if episode and episode.closed_offset is not None else None

    def _cut(self, group: Group, due: int) -> None:
        state, work = group.state, group.queue[-1]
        state.revision += 1
        state.last_due = due
        state.version += 1
        work.due = due
        work.snapshot = state.copy()
        self.pending_bytes += work.snapshot.weight
        self._gathering.pop(group, None)
        self._offer(group)

    def _close(self, group: Group, at: int, offset: int, known: Episode | None, *, tick: bool) -> None:
        if group.gathering:
            group.queue[-1].by_rules = group.state.revision == 0
            self._cut(group, at)
        state, image = group.state, group.state.copy()
        ending = known.status if known else self.fold.ending(state, at)
        told = state.early
        state.version += 1
        if tick and not known:
            state.early = True
        else:
            self.fold.close(state, at, offset, known)
            self._push(self._aged, state.last_alert_at + self.fold.retention, group)
        if not told:
            state.revision += 1
            state.last_due = at
            work = Work(group, image, at, EventType.RESOLUTION)
            work.snapshot = state.copy()
            work.snapshot.status = ending
            self._enqueue(work)
            self._offer(group)
        elif not group.dirty:
            group.dirty = True
            self._dirty.append(group)

    # ---- decisions

    def complete(self, work: Work, outcome: object, last_decision: LastDecision | None) -> None:
        """Take the arbiter's answer for a revision; the next of its group may then be decided."""
        group = work.group
        work.outcome, work.last_decision = outcome, last_decision
        group.in_flight = False
        if group.queue[0].outcome is not None:
            self._finished[group] = None
        self._offer(group)

    def previous_decision(self, work: Work) -> LastDecision | None:
        """Return the last decision before this revision of the same incident."""
        latest = work.group.last_decision
        for earlier in work.group.queue:
            if earlier is work:
                break
            latest = earlier.last_decision or latest
        assert work.snapshot is not None  # noqa: S101 - only cut revisions are decided
        return latest if latest and latest.incident_id == work.snapshot.incident_id else None

    def _offer(self, group: Group) -> None:
        if group.in_flight:
            return
        for work in group.queue:
            if work.outcome is None:
                if work.snapshot is not None:
                    group.in_flight = True
                    self.ready.append(work)
                return

    # ---- one transaction

    @property
    def undecided(self) -> int:
        """Revisions that are cut and not published yet; those that gather do not count."""
        return self.pending - len(self._gathering)

    @property
    def anything_to_publish(self) -> bool:
        """Whether a transaction is worth its cost before the next lazy one."""
        return bool(self._finished or self._dead or self.marker_due)

    def plan(self, *, lazy: bool) -> Plan | None:
        """Return the next transaction, and take it as done: if it fails, the ledger is to be thrown away.

        With `lazy` the states of mere repeats are written too, and an offset that moved is worth a commit.
        """
        revisions: list[Work] = []
        states: list[tuple[str, bytes | None]] = []
        if self.marker_due:
            states.append((statecodec.MARKER_KEY, statecodec.marker(self.group_id, self.generation)))
            self.marker_due = False
        for group in self._to_settle(lazy=lazy):
            self._settle(group, revisions, states)
        offset, time = self._lowest_unsettled()
        if lazy:
            states.extend(self._tombstones(offset))
        if not states and not self._dead and (not lazy or offset == self._committed):
            return None
        dead = self._take_dead()
        at = Position(self.generation, self.floor, time, self._dead_through)
        self._committed = offset
        return Plan(revisions, states, dead, offset, metadata.encode(at))

    def _to_settle(self, *, lazy: bool) -> Iterator[Group]:
        finished, self._finished = self._finished, {}
        yield from finished
        if lazy:
            dirty, self._dirty = self._dirty, []
            for group in dirty:
                group.dirty = False
                if group not in finished:
                    yield group

    def _settle(self, group: Group, revisions: list[Work], states: list[tuple[str, bytes | None]]) -> None:
        told = False
        while group.queue and group.queue[0].outcome is not None:
            work = group.queue.popleft()
            group.last_decision = work.last_decision or group.last_decision
            self.pending -= 1
            self.pending_bytes -= work.weight
            revisions.append(work)
            told = True
            if work.opens_another and work.image.version > group.written:
                # The last state of the incident before would else be passed over.
                states.append((work.image.group_key, self._encode(group, work.image)))
        image = group.queue[0].image if group.queue else group.state
        if told or image.version > group.written:
            group.written = image.version
            states.append((image.group_key, self._encode(group, image)))
            group.unsettled = None
            if group.queue and group.queue[0].after:
                self._set_unsettled(group, group.queue[0].after)

    def _encode(self, group: Group, image: State) -> bytes:
        return statecodec.encode(image, self.group_id, self.generation, group.last_decision)

    def _set_unsettled(self, group: Group, mark: Mark) -> None:
        group.unsettled = mark
        self._push(self._unsettled, mark.offset, group)

    def _lowest_unsettled(self) -> Mark:
        while self._unsettled:
            offset, _, group = self._unsettled[0]
            if group.unsettled and group.unsettled.offset == offset:
                return group.unsettled
            heappop(self._unsettled)
        return Mark(self.position, self.now)

    def _take_dead(self) -> list[DeadLetter]:
        dead, self._dead = self._dead, []
        for letter in dead:
            self._dead_through = letter.offset
            self.pending_bytes -= len(letter.value or b"")
        return dead

    def _tombstones(self, committed: int) -> Iterator[tuple[str, None]]:
        """Forget closed groups that no replay can reach: all their records are past the retention and out of the log."""
        kept: list[Group] = []
        while self._aged and self._aged[0][0] <= self.now:
            group = heappop(self._aged)[2]
            state = group.state
            if state.open or self.groups.get(state.group_key) is not group:
                continue
            if state.last_alert_at + self.fold.retention > self.now or group.queue or group.unsettled:
                kept.append(group)
            elif state.through < min(committed, self.log_start) and state.version == group.written:
                del self.groups[state.group_key]
                yield state.group_key, None
            else:
                kept.append(group)
        for group in kept:
            self._push(self._aged, max(self.now + 60_000, group.state.last_alert_at + self.fold.retention), group)

    def _push(self, heap: list[_Timer], at: int, group: Group) -> None:
        heappush(heap, (at, next(self._ids), group))


def _by_group(alerts: Sequence[Alert]) -> list[tuple[str, list[Alert]]]:
    groups: dict[str, list[Alert]] = {}
    for alert in alerts:
        groups.setdefault(alert.group_key, []).append(alert)
    return list(groups.items())
