"""What is due at a stream time, at an offset or at a tick: revisions are cut, and incidents end."""

from itertools import islice

from openclaw_stream.incidents.fold import Fold
from openclaw_stream.incidents.state import NEVER, UNKNOWN, LineageRecord, State
from openclaw_stream.stream.state.offset_tracker import OffsetTracker
from openclaw_stream.stream.state.revision import Group
from openclaw_stream.stream.state.revision_tracker import RevisionTracker
from openclaw_stream.stream.state.schedule import Schedule

_TICK_MAX = 1000
"""Groups that one tick processes; the others are due at the next one."""


class DueProcessor:
    """Processes the groups of one partition when they are due; `ended` counts incidents that ended.

    In all methods `now` is in epoch milliseconds of stream time, and `offset` that of the record to fold next.
    """

    def __init__(
        self, fold: Fold, floor: int, schedule: Schedule, revisions: RevisionTracker, offsets: OffsetTracker
    ) -> None:
        self.ended = 0
        self._fold = fold
        self._floor = floor
        self._schedule = schedule
        self._revisions = revisions
        self._offsets = offsets
        self._undated: list[Group] = []

    def add(self, group: Group, offset: int) -> None:
        """Schedule a restored group."""
        state = group.state
        if state.is_open:
            recorded_end = state.recorded_end(self._floor)
            if recorded_end:
                self._schedule.at_offset(group, recorded_end.closed_offset or 0)
            elif state.membership_frozen_at >= offset:
                self._schedule.at_offset(group, state.membership_frozen_at + 1)
        if state.last_alert_at == UNKNOWN:
            self._undated.append(group)
        else:
            self._schedule_end(group, offset)

    def process(self, now: int, offset: int) -> None:
        """Process the groups due at `offset`, then those due at stream time `now`."""
        if self._undated:
            self._date(now, offset)
        if now < self._schedule.next_time and offset < self._schedule.next_offset:
            return
        for group in self._schedule.reached(offset):
            self._process(group, now, offset, tick=False)
        for group in self._schedule.due(now, tick=False):
            self._process(group, now, offset, tick=False)

    def tick(self, stream_time: int, now: int, offset: int) -> None:
        """Publish early what is due at `now`, later than stream time; membership does not change."""
        for group in self._schedule.reached(offset):
            self._process(group, stream_time, offset, tick=False)
        for group in islice(self._schedule.due(now, tick=True), _TICK_MAX):
            self._process(group, now, offset, tick=True)

    def schedule(self, group: Group, offset: int) -> None:
        """Schedule what is due next of a group: its revision, or its end."""
        gathering, at = group.gathering, self._close_time(group.state, offset)
        if gathering and gathering.due < at:
            at = gathering.due
        if at < NEVER:
            self._schedule.at_time(group, at, end_published=group.state.end_published)

    def _date(self, now: int, offset: int) -> None:
        """Start the silence of restored groups without a time of their last alert at the first known stream time."""
        if now == UNKNOWN:
            return
        for group in self._undated:
            if group.state.last_alert_at == UNKNOWN:
                group.state.record_alert_time(now)
            self._schedule_end(group, offset)
        self._undated = []

    def _schedule_end(self, group: Group, offset: int) -> None:
        if group.state.is_open:
            self.schedule(group, offset)
        else:
            self._schedule.expire_at(group, group.state.last_alert_at + self._fold.retention)

    def _process(self, group: Group, now: int, offset: int, *, tick: bool) -> None:
        while True:
            due = group.gathering.due if group.gathering else NEVER
            recorded_end = group.state.recorded_end(self._floor)
            end = self._end(group.state, now, offset, recorded_end, tick=tick)
            if min(due, end) > now:
                break
            if due <= end:
                self._revisions.cut(group, due)
            else:
                self._end_incident(group, end, offset, recorded_end, tick=tick)
        self.schedule(group, offset)

    def _end(self, state: State, now: int, offset: int, recorded_end: LineageRecord | None, *, tick: bool) -> int:
        """Return when the incident ends, NEVER where its end is not to be processed yet."""
        if tick and state.end_published:
            return NEVER
        if recorded_end and offset >= (recorded_end.closed_offset or 0):
            return min(self._fold.close_time(state), now)
        return self._close_time(state, offset)

    def _close_time(self, state: State, offset: int) -> int:
        """Return when timers end the incident; none does before re-reading has passed a frozen membership."""
        if (
            not state.is_open
            or offset <= state.membership_frozen_at
            or state.last_alert_at == UNKNOWN
            or state.recorded_end(self._floor)
        ):
            return NEVER
        return self._fold.close_time(state)

    def _end_incident(
        self, group: Group, at: int, offset: int, recorded_end: LineageRecord | None, *, tick: bool
    ) -> None:
        state = group.state
        if group.gathering:
            self._revisions.cut(group, at, rules_only=state.revision == 0)
        state_before, published = state.copy(), state.end_published
        if tick and not recorded_end:
            state.publish_end(self._fold.end_status(state, at))
        else:
            self._close(group, at, offset, recorded_end)
        if published:
            self._offsets.mark_unwritten(group)
        else:
            self.ended += 1
            self._revisions.resolve(group, state_before, at)

    def _close(self, group: Group, at: int, offset: int, recorded_end: LineageRecord | None) -> None:
        state = group.state
        if recorded_end:
            state.close(recorded_end.status, recorded_end.closed_offset)
        else:
            state.close(self._fold.end_status(state, at), offset)
        self._schedule.expire_at(group, state.last_alert_at + self._fold.retention)
