"""The ledger of one partition: folds its records, and plans what one transaction publishes, writes and commits.

Pure: no clock, no I/O. An alert is settled by the transaction that publishes a revision covering it, or that writes
it into the state of its group. Groups settle independently of each other, each in offset order; the committed offset
is the lowest that any group has not settled. Until a revision is published, the state written for its group is the
one before the record that triggered it, so that a crash folds that record again.

The ledger itself folds; its parts own the rest: `RevisionTracker` the revisions, `OffsetTracker` the unsettled
offsets, `DueProcessor` and `Schedule` what stream time does, `Settlement` and `Expiry` what is written.
"""

from collections import deque
from collections.abc import Sequence

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.events.arbitration_result import PublishedDecision
from openclaw_stream.events.headers import traceparent_of
from openclaw_stream.incidents.fold import Fold
from openclaw_stream.incidents.lifecycle import Lifecycle
from openclaw_stream.incidents.state import NEVER, UNKNOWN, State
from openclaw_stream.stream.state import commit_metadata, state_codec
from openclaw_stream.stream.state.commit_metadata import CommitMetadata
from openclaw_stream.stream.state.due_processor import DueProcessor
from openclaw_stream.stream.state.expiry import Expiry
from openclaw_stream.stream.state.offset_tracker import OffsetTracker
from openclaw_stream.stream.state.revision import Group, Headers, ResumePoint, Revision
from openclaw_stream.stream.state.revision_tracker import RevisionTracker, previous_decision
from openclaw_stream.stream.state.schedule import Schedule
from openclaw_stream.stream.state.settlement import Settlement
from openclaw_stream.stream.state.state_codec import TopicIdentity
from openclaw_stream.stream.state.transaction_plan import DeadLetter, StateRecord, TransactionPlan

_OPEN = Lifecycle.OPEN


class Ledger:
    """All groups of one partition; created by `restore`, then given the records in offset order."""

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
        """Offset of the last reset, or of the start of the log that retention has moved past the committed offset."""
        self.stream_time = at.stream_time
        """T, the highest record timestamp; UNKNOWN before the first record of a new generation."""
        self.position = position
        """Offset of the next record to fold."""
        self.log_start = log_start
        self.groups: dict[str, Group] = {}
        self.incidents_opened = 0
        """Incidents opened by this ledger."""
        self.generation_record_due = False
        """Whether the next transaction writes the generation and the log's identity into the incidents topic."""
        self._log = log
        self._committed: int | None = None
        self._has_more = False
        self._opens = 0  # incidents opened, continued after their end, or restored open
        self._schedule = Schedule()
        self._revisions = RevisionTracker()
        self._offsets = OffsetTracker(at.dead_letters_through)
        self._due = DueProcessor(fold, at.floor, self._schedule, self._revisions, self._offsets)
        self._settlement = Settlement(self._revisions, self._offsets, group_id, at.generation)
        self._expiry = Expiry(self.groups, self._schedule, self._offsets, fold.retention)

    def add(self, group: Group) -> None:
        """Add a restored group."""
        self.groups[group.state.group_key] = group
        group.drop_evidence()
        self._opens += group.state.lifecycle is _OPEN
        self._due.add(group, self.position)

    def add_foreign(self, group: Group) -> None:
        """Add the empty state of a group whose incidents belong to another log, and have it written."""
        group.state.mark_changed()
        self.add(group)
        self._offsets.mark_unwritten(group)

    def record_log_start(self, offset: int) -> None:
        """Note the first offset of the log: closed groups whose records are all below it may be dropped."""
        self.log_start = offset

    def require_generation_record(self) -> None:
        """Have the next transaction write the generation and the log's identity into the incidents topic."""
        self.generation_record_due = True

    # ---- the fold

    def apply(
        self,
        offset: int,
        timestamp: int,
        alerts: Sequence[Alert],
        headers: Headers = (),
        dead_letter: DeadLetter | None = None,
    ) -> None:
        """Fold one record: first what is due at its stream time, then its alerts, then what is due after them.

        Args:
            offset: Its offset, not below `position`.
            timestamp: Its timestamp in epoch milliseconds.
            alerts: What it holds, in order.
            headers: Its headers, of which an opened incident keeps the trace context.
            dead_letter: The dead letter of a record that could not be decoded, or not all of it.
        """
        before = self.stream_time
        if timestamp > before:
            self.stream_time = timestamp
        point = ResumePoint(offset, before)
        self.position = offset
        self._due.process(self.stream_time, offset)
        if dead_letter is not None:
            self._offsets.add_dead_letter(dead_letter)
        if len(alerts) == 1:
            self._apply_group(alerts[0].group_key, alerts, point, timestamp, headers)
        else:
            for key, own in _by_group(alerts):
                self._apply_group(key, own, point, timestamp, headers)
        self.position = offset + 1
        self._due.process(self.stream_time, self.position)

    def skip_to(self, position: int) -> None:
        """Move past offsets that hold no record: transaction markers, compacted or aborted records."""
        if position > self.position:
            self.position = position
            self._due.process(self.stream_time, position)

    def tick(self, now: int) -> None:
        """Publish early what is due at `now`, when the whole log is read; membership does not change.

        Args:
            now: The wall clock less a margin, or stream time plus the idle time; in epoch milliseconds.
        """
        if self.stream_time != UNKNOWN:
            self._due.tick(self.stream_time, now, self.position)

    def cut_oldest(self, most: int) -> int:
        """Cut the revisions that gather longest, due now, unless others are undecided; returns how many."""
        if self.undecided:
            return 0
        oldest = self._revisions.oldest_gathering(most)
        for group in oldest:
            self._revisions.cut(group, self.stream_time)
            self._due.schedule(group, self.position)
        return len(oldest)

    def _apply_group(
        self, key: str, alerts: Sequence[Alert], point: ResumePoint, timestamp: int, headers: Headers
    ) -> None:
        """Fold the alerts of one record for one group; one function, since most CPU time is spent here."""
        group = self.groups.get(key) or self._new_group(key, alerts)
        if group is None or point.offset <= group.state.through:
            return
        state, fold, now = group.state, self.fold, self.stream_time
        if len(alerts) == 1 and fold.repeat(state, alerts[0], point.offset, now):
            self._offsets.record(group, point)
            return
        before, opened_offset = state.lifecycle, state.opened_offset
        state_before = state.copy() if any(fold.may_trigger(state, alert) for alert in alerts) else None
        due, joined = NEVER, False
        for alert in alerts:
            alert_due, alert_joined = fold.join(state, alert, point.offset, timestamp, now)
            due, joined = min(due, alert_due), joined or alert_joined
        if state.lifecycle is not before:
            self._opens += 1
            if state.opened_offset != opened_offset:
                self.incidents_opened += 1
                state.set_traceparent(traceparent_of(headers) or "")
        if due != NEVER and state_before is not None:
            self._revisions.trigger(group, state_before, due)
        if joined or group.revisions or not self._offsets.is_settled(key):
            self._offsets.record(group, point)
        self._due.schedule(group, point.offset)

    def _new_group(self, key: str, alerts: Sequence[Alert]) -> Group | None:
        if not any(alert.firing for alert in alerts):
            return None
        group = self.groups[key] = Group(State(key))
        return group

    # ---- decisions

    @property
    def ready(self) -> deque[Revision]:
        """Revisions to decide; the caller removes those that it submits."""
        return self._revisions.ready

    def complete(self, revision: Revision, outcome: object, last_decision: PublishedDecision | None) -> None:
        """Set the result of a revision; the next of its group may then be decided.

        Args:
            revision: One that was in `ready`.
            outcome: The result: the `outcome` of the revision in the plan that publishes it.
            last_decision: What the state of the group keeps of a decision, None for a resolution.
        """
        self._revisions.complete(revision, outcome, last_decision)

    def previous_decision(self, revision: Revision) -> PublishedDecision | None:
        """Return the last decision before this revision of the same incident."""
        return previous_decision(revision)

    @property
    def open_incidents(self) -> int:
        """Incidents that have not ended: neither has stream time closed them, nor a tick published their end."""
        return self._opens - self._due.ended

    @property
    def pending(self) -> int:
        """Revisions triggered and not published yet."""
        return self._revisions.pending

    @property
    def pending_bytes(self) -> int:
        """Approximate bytes of unpublished revisions and unwritten dead letters."""
        return self._revisions.pending_bytes + self._offsets.pending_bytes

    @property
    def oldest_due(self) -> int | None:
        """The earliest due time of an unpublished revision in epoch milliseconds, None without one.

        Revisions of a replay do not count: they were due long ago. Looks at every unpublished revision.
        """
        return self._revisions.oldest_due()

    @property
    def undecided(self) -> int:
        """Revisions that are cut and not published yet; those that gather do not count."""
        return self._revisions.undecided

    # ---- one transaction

    @property
    def has_more(self) -> bool:
        """Whether the last lazy transaction could not take all that is to be written."""
        return self._has_more

    @property
    def has_output(self) -> bool:
        """Whether a transaction is worth its cost before the next lazy one."""
        return self._revisions.has_decided or self._offsets.has_dead_letters or self.generation_record_due

    def plan(self, *, lazy: bool) -> TransactionPlan | None:
        """Return the next transaction, taken as committed: if it fails, the ledger must be discarded.

        With `lazy` the states of mere repeats are written too, and an offset that moved is worth a commit.
        """
        revisions, states = self._settlement.settle(lazy=lazy)
        self._has_more = lazy and self._offsets.unwritten > 0
        dead_letters = self._offsets.take_dead_letters()
        # Nothing is published without a state: that is how restore finds a transaction that Kafka has left open.
        if self.generation_record_due or dead_letters:
            states.append(self._generation_record())
        offset, stream_time = self._offsets.lowest_unsettled() or ResumePoint(self.position, self.stream_time)
        if lazy:
            states.extend(self._expiry.drop_expired(self.stream_time, min(offset, self.log_start)))
            self._has_more |= self._schedule.anything_expired(self.stream_time)
        if not states and (not lazy or offset == self._committed):
            return None
        self._committed = offset
        at = CommitMetadata(self.generation, self.floor, stream_time, self._offsets.dead_letters_through)
        return TransactionPlan(revisions, states, dead_letters, offset, commit_metadata.encode(at))

    def _generation_record(self) -> StateRecord:
        self.generation_record_due = False
        value = state_codec.generation_record(
            self.group_id, self.generation, self._offsets.dead_letters_through, self._log
        )
        return state_codec.GENERATION_KEY, value


def _by_group(alerts: Sequence[Alert]) -> list[tuple[str, list[Alert]]]:
    groups: dict[str, list[Alert]] = {}
    for alert in alerts:
        groups.setdefault(alert.group_key, []).append(alert)
    return list(groups.items())
