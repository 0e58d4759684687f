"""The ledger of one partition: folds its records, and says what one transaction may publish, write and commit.

Pure: no clock, no I/O. An alert is settled by the transaction that publishes a revision covering it, or that writes
it into the state of its group. Groups settle in any order among themselves, each in its own in offset order; the
committed offset is the lowest that any group has not settled. Until a revision is published, the state written for its
group is the image from before the record that asked for it, so that a crash folds that record again.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.events.arbitration_result import PublishedDecision
from openclaw_stream.events.headers import traceparent_of
from openclaw_stream.incidents.fold import Fold
from openclaw_stream.incidents.state import NEVER, UNKNOWN, Episode, State
from openclaw_stream.stream.state import commit_metadata as metadata
from openclaw_stream.stream.state import state_codec
from openclaw_stream.stream.state.commit_metadata import CommitMetadata
from openclaw_stream.stream.state.offset_tracker import OffsetTracker
from openclaw_stream.stream.state.revision import Group, Headers, ResumePoint, Revision
from openclaw_stream.stream.state.schedule import Schedule
from openclaw_stream.stream.state.state_codec import TopicIdentity
from openclaw_stream.stream.state.transaction_plan import DeadLetter, TransactionPlan
from openclaw_stream.vocabulary import EventType

_TICKED_MAX = 1000
"""Groups a tick looks at; the others are due at the next one."""

_AGED_MAX = 4000
"""Closed groups that one transaction may forget: the log loses the records of many at once."""

_AGAIN = 60_000
"""Milliseconds until a closed group is looked at again that could not be forgotten yet."""


class Ledger:
    """All groups of one partition; made by `restore`, then fed with records in offset order."""

    def __init__(
        self,
        fold: Fold,
        group_id: str,
        at: CommitMetadata,
        position: int,
        log_start: int,
        log: TopicIdentity | None = None,
    ) -> None:
        self.fold = fold
        self.group_id = group_id
        self.generation = at.generation
        self.floor = at.floor
        self.stream_time = at.time
        """Stream time T; UNKNOWN before the first record of a new generation."""
        self.position = position
        """Offset of the next record to fold."""
        self.log_start = log_start
        self.groups: dict[str, Group] = {}
        self.ready: deque[Revision] = deque()
        """Revisions that wait for the arbiter; whoever decides takes them out."""
        self.open_incidents = 0
        self.incidents_opened = 0
        """Incidents opened by this ledger."""
        self.generation_record_due = False
        """Whether the next transaction writes the generation and the log's identity into the incidents topic."""
        self._log = log
        self._committed: int | None = None
        self._left_over = False
        self._tracker = OffsetTracker(self.groups, group_id, at.generation, at.dead_through)
        self._timetable = Schedule()
        self._undated: list[Group] = []
        self._gathering: dict[Group, None] = {}

    def add(self, group: Group) -> None:
        """Take in a restored group."""
        state = group.state
        self.groups[state.group_key] = group
        group.shed()
        self.open_incidents += state.open
        if state.open:
            known = self._known_end(state)
            if known:
                self._timetable.wake_at(group, known.closed_offset or 0)
            elif state.frozen >= self.position:
                self._timetable.wake_at(group, state.frozen + 1)
        if state.last_alert_at == UNKNOWN:
            self._undated.append(group)
        else:
            self._await_end(group)

    def add_foreign(self, group: Group) -> None:
        """Take in the empty state of a group whose incidents belong to another log, and have it written."""
        group.state.version += 1
        self.add(group)
        self._tracker.touch(group)

    # ---- the fold

    def apply(
        self,
        offset: int,
        timestamp: int,
        alerts: Sequence[Alert],
        headers: Headers = (),
        dead: DeadLetter | None = None,
    ) -> None:
        """Fold one record: all that is due at T first, then its alerts, then what that made due."""
        before = self.stream_time
        if timestamp > before:
            self.stream_time = timestamp
        self.position = offset
        self._advance_due(offset)
        if dead is not None:
            self._tracker.dead_letter(dead)
        if len(alerts) == 1:
            self._fold(alerts[0].group_key, alerts, ResumePoint(offset, before), timestamp, headers)
        else:
            for key, own in _by_group(alerts):
                self._fold(key, own, ResumePoint(offset, before), timestamp, headers)
        self.position = offset + 1
        self._advance_due(self.position)

    def skip_to(self, position: int) -> None:
        """Move past offsets that hold no record: transaction markers, compacted or aborted records."""
        if position > self.position:
            self.position = position
            self._advance_due(position)

    def tick(self, now: int) -> None:
        """Publish early what is due at `now`, when all the log is read; membership stays as it is."""
        if self.stream_time == UNKNOWN:
            return
        for group in self._timetable.woken(self.position):
            self._look_at(group, self.stream_time, self.position, tick=False)
        for group in islice(self._timetable.due(now, tick=True), _TICKED_MAX):
            self._look_at(group, now, self.position, tick=True)

    def cut_oldest(self, most: int) -> int:
        """Cut the oldest revisions that gather, due now, where nothing cut is left to wait for; returns how many."""
        if self.undecided:
            return 0
        oldest = list(islice(self._gathering, most))
        for group in oldest:
            self._cut(group, self.stream_time)
            self._schedule(group)
        return len(oldest)

    def _fold(self, key: str, alerts: Sequence[Alert], mark: ResumePoint, timestamp: int, headers: Headers) -> None:
        group = self.groups.get(key)
        if group is None:
            if not any(alert.firing for alert in alerts):
                return
            group = self.groups[key] = Group(State(key))
        state = group.state
        if mark.offset <= state.through:
            return
        if len(alerts) == 1 and self.fold.repeat(state, alerts[0], mark.offset, self.stream_time):
            self._tracker.note(group, mark)
            return
        if self._join(group, alerts, mark, timestamp, headers) or group.unsettled or group.queue:
            self._tracker.note(group, mark)
        self._schedule(group)

    def _join(self, group: Group, alerts: Sequence[Alert], mark: ResumePoint, timestamp: int, headers: Headers) -> bool:
        state, fold, joined, due = group.state, self.fold, False, NEVER
        opened, was_open = state.opened_offset, state.open
        image = state.copy() if any(fold.may_trigger(state, alert) for alert in alerts) else None
        for alert in alerts:
            wanted, joins = fold.join(state, alert, mark.offset, timestamp, self.stream_time)
            due, joined = min(due, wanted), joined or joins
        self.open_incidents += state.open - was_open
        if state.opened_offset != opened:
            self.incidents_opened += 1
            state.traceparent = traceparent_of(headers) or ""
        if due != NEVER and image is not None:
            self._trigger(group, image, due)
        return joined

    def _trigger(self, group: Group, image: State, due: int) -> None:
        work = group.gathering
        if work:
            work.due = min(work.due, due)
            return
        self._tracker.enqueue(Revision(group, image, due, EventType.DECISION))
        self._gathering[group] = None

    # ---- time: what is due, in its order

    def _advance_due(self, offset: int) -> None:
        if self._undated:
            self._date()
        if not self._timetable.anything_due(self.stream_time, offset):
            return
        for group in self._timetable.woken(offset):
            self._look_at(group, self.stream_time, offset, tick=False)
        for group in self._timetable.due(self.stream_time, tick=False):
            self._look_at(group, self.stream_time, offset, tick=False)

    def _date(self) -> None:
        """Give restored groups whose last alert nobody knows the first stream time that is known."""
        if self.stream_time == UNKNOWN:
            return
        for group in self._undated:
            if group.state.last_alert_at == UNKNOWN:
                group.state.last_alert_at = self.stream_time
            self._await_end(group)
        self._undated = []

    def _await_end(self, group: Group) -> None:
        if group.state.open:
            self._schedule(group)
        else:
            self._timetable.forget_at(group, group.state.last_alert_at + self.fold.retention)

    def _look_at(self, group: Group, now: int, offset: int, *, tick: bool) -> None:
        self._advance(group, now, offset, tick=tick)
        self._schedule(group)

    def _schedule(self, group: Group) -> None:
        work = group.gathering
        at = min(work.due if work else NEVER, self._end_of(group.state, self.position))
        if at < NEVER:
            self._timetable.look_at(group, at, early=group.state.early)

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
        self._tracker.pending_bytes += work.snapshot.weight
        self._gathering.pop(group, None)
        self._offer(group)

    def _close(self, group: Group, at: int, offset: int, known: Episode | None, *, tick: bool) -> None:
        if group.gathering:
            group.queue[-1].rules_only = group.state.revision == 0
            self._cut(group, at)
        state, image = group.state, group.state.copy()
        ending = known.status if known else self.fold.ending(state, at)
        told = state.early
        state.version += 1
        if tick and not known:
            state.early, state.status = True, ending
        else:
            self.open_incidents -= 1
            self.fold.close(state, at, offset, known)
            self._timetable.forget_at(group, state.last_alert_at + self.fold.retention)
        if not told:
            state.revision += 1
            state.last_due = at
            work = Revision(group, image, at, EventType.RESOLUTION)
            work.snapshot = state.copy()
            work.snapshot.status = ending
            self._tracker.enqueue(work)
            self._offer(group)
        else:
            self._tracker.touch(group)

    # ---- decisions

    def complete(self, work: Revision, outcome: object, last_decision: PublishedDecision | None) -> None:
        """Take the arbiter's answer for a revision; the next of its group may then be decided."""
        group = work.group
        work.outcome, work.last_decision = outcome, last_decision
        group.in_flight = False
        if group.queue[0].outcome is not None:
            self._tracker.finish(group)
        self._offer(group)

    def previous_decision(self, work: Revision) -> PublishedDecision | None:
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
    def pending(self) -> int:
        """Revisions triggered and not published yet."""
        return self._tracker.pending

    @property
    def pending_bytes(self) -> int:
        """Roughly the bytes of undecided work and of dead letters that are not written yet."""
        return self._tracker.pending_bytes

    @property
    def undecided(self) -> int:
        """Revisions that are cut and not published yet; those that gather do not count."""
        return self.pending - len(self._gathering)

    @property
    def has_more(self) -> bool:
        """Whether the last lazy transaction could not take all that it should."""
        return self._left_over

    @property
    def has_output(self) -> bool:
        """Whether a transaction is worth its cost before the next lazy one."""
        return bool(self._tracker) or self.generation_record_due

    def plan(self, *, lazy: bool) -> TransactionPlan | None:
        """Return the next transaction, and take it as done: if it fails, the ledger is to be thrown away.

        With `lazy` the states of mere repeats are written too, and an offset that moved is worth a commit.
        """
        revisions, states = self._tracker.settle(lazy=lazy)
        self._left_over = lazy and self._tracker.repeats > 0
        dead = self._tracker.drain_dead_letters()
        # Nothing is published without a state: a transaction that Kafka has left open is recognised by that.
        if self.generation_record_due or dead:
            marker = state_codec.generation_record(
                self.group_id, self.generation, self._tracker.dead_through, self._log
            )
            states.append((state_codec.GENERATION_KEY, marker))
            self.generation_record_due = False
        offset, time = self._tracker.lowest_unsettled() or ResumePoint(self.position, self.stream_time)
        if lazy:
            states.extend(self._tombstones(offset))
            self._left_over |= self._timetable.anything_aged(self.stream_time)
        if not states and (not lazy or offset == self._committed):
            return None
        self._committed = offset
        at = CommitMetadata(self.generation, self.floor, time, self._tracker.dead_through)
        return TransactionPlan(revisions, states, dead, offset, metadata.encode(at))

    def _tombstones(self, committed: int) -> Iterator[tuple[str, None]]:
        """Forget closed groups that no replay can reach: their records are past the retention and out of the log."""
        for group in islice(self._timetable.aged(self.stream_time), _AGED_MAX):
            state = group.state
            expires = state.last_alert_at + self.fold.retention
            if state.open or self.groups.get(state.group_key) is not group:
                continue
            settled = not group.queue and not group.unsettled and state.version == group.written
            opened = state.lineage[-1].opened_offset if state.lineage else UNKNOWN
            if settled and expires <= self.stream_time and max(state.through, opened) < min(committed, self.log_start):
                del self.groups[state.group_key]
                yield state.group_key, None
            else:
                self._timetable.forget_at(group, expires if expires > self.stream_time else self.stream_time + _AGAIN)


def _by_group(alerts: Sequence[Alert]) -> list[tuple[str, list[Alert]]]:
    groups: dict[str, list[Alert]] = {}
    for alert in alerts:
        groups.setdefault(alert.group_key, []).append(alert)
    return list(groups.items())
