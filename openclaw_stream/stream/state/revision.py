"""A group of one partition, and its revisions from trigger to publication."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from openclaw_stream.events.arbitration_result import PublishedDecision
from openclaw_stream.incidents.state import State
from openclaw_stream.vocabulary import EventType

Headers = Sequence[tuple[str, bytes]]


class ResumePoint(NamedTuple):
    """Where re-reading starts: the offset of a record, and the stream time before it."""

    offset: int
    stream_time: int


class Revision:
    """One revision of an incident, from its trigger to its publication.

    ::

        gathering ──cut──► ready ──► in flight ──complete──► decided ──► published

    `state_before` is the state before the *record* that triggered it; it is what is written of the group until the
    revision is published, so that a crash folds that record again. `resume_point` is the first record folded since
    then. `snapshot` is the state that is decided, None while alerts still gather; `outcome` is the result, None until
    then. `rules_only`: the rules decide, since the incident ended before its first revision was due.
    """

    __slots__ = (
        "due",
        "event_type",
        "group",
        "last_decision",
        "outcome",
        "resume_point",
        "rules_only",
        "snapshot",
        "state_before",
    )

    def __init__(self, group: "Group", state_before: State, due: int, event_type: EventType) -> None:
        self.group = group
        self.state_before = state_before
        self.due = due
        self.event_type = event_type
        self.resume_point: ResumePoint | None = None
        self.snapshot: State | None = None
        self.rules_only = False
        self.outcome: Any = None
        self.last_decision: PublishedDecision | None = None

    @property
    def weight(self) -> int:
        """Approximate size in bytes until it is published."""
        return self.state_before.weight + (self.snapshot.weight if self.snapshot else 0)

    @property
    def opens_next_incident(self) -> bool:
        """Whether it is the first of its incident, and `state_before` the last state of another one."""
        before = self.state_before.incident_id
        return bool(before and self.snapshot and self.snapshot.incident_id != before)

    @property
    def is_replayed(self) -> bool:
        """Whether an earlier generation has settled all that it covers so far."""
        return (self.snapshot or self.group.state).is_replayed

    def bring_forward(self, due: int) -> None:
        """Make it due at `due`, unless it is due earlier."""
        self.due = min(self.due, due)

    def cut(self, due: int, *, rules_only: bool = False) -> State:
        """Fix what is decided as the state of the group now; returns that snapshot."""
        self.due, self.rules_only = due, rules_only
        self.snapshot = self.group.state.copy()
        return self.snapshot

    def complete(self, outcome: object, last_decision: PublishedDecision | None) -> None:
        """Set the result."""
        self.outcome, self.last_decision = outcome, last_decision

    def resume_at(self, point: ResumePoint) -> bool:
        """Set the resume point; False where an earlier record has set it."""
        if self.resume_point is not None:
            return False
        self.resume_point = point
        return True


class Group:
    """The state of a group, and its revisions in order.

    `in_flight` is set while one of them is decided: at most one of a group at a time. `written_version` is the version
    of the state that was written last.
    """

    __slots__ = ("in_flight", "last_decision", "revisions", "state", "written_version")

    def __init__(self, state: State, last_decision: PublishedDecision | None = None) -> None:
        self.state = state
        self.revisions: list[Revision] = []  # rarely longer than two; an empty deque is large
        self.written_version = state.version
        self.in_flight = False
        self.last_decision = last_decision

    @property
    def gathering(self) -> Revision | None:
        """The revision that is not cut yet, if any; always the last one."""
        return self.revisions[-1] if self.revisions and self.revisions[-1].snapshot is None else None

    def add_revision(self, state_before: State, due: int, event_type: EventType) -> Revision:
        """Append a revision."""
        revision = Revision(self, state_before, due, event_type)
        self.revisions.append(revision)
        return revision

    def resume_at(self, point: ResumePoint) -> None:
        """Set the resume point of the revisions that no earlier record has set one for."""
        for revision in reversed(self.revisions):
            if not revision.resume_at(point):
                break

    def take_ready(self) -> Revision | None:
        """Return the revision to decide next, which is then in flight; None where another is, or none is cut."""
        if not self.in_flight:
            for revision in self.revisions:
                if revision.outcome is None:
                    self.in_flight = revision.snapshot is not None
                    return revision if self.in_flight else None
        return None

    def complete(self, revision: Revision, outcome: object, last_decision: PublishedDecision | None) -> bool:
        """Set the result of the revision in flight; returns whether the first one is decided: it may be published."""
        revision.complete(outcome, last_decision)
        self.in_flight = False
        return self.revisions[0].outcome is not None

    def take_decided(self) -> Revision | None:
        """Remove and return the first revision if it is decided."""
        if not self.revisions or self.revisions[0].outcome is None:
            return None
        revision = self.revisions.pop(0)
        self.last_decision = revision.last_decision or self.last_decision
        return revision

    @property
    def is_written(self) -> bool:
        """Whether the current state is written."""
        return self.state.version == self.written_version

    def mark_written(self, version: int) -> None:
        """Note which version of the state is written."""
        self.written_version = version

    def drop_evidence(self) -> None:
        """Keep little of a final incident that is written; closed groups stay while the log has their records."""
        if self.state.is_final and self.is_written:
            self.state.drop_evidence()
            if self.last_decision:
                self.last_decision = self.last_decision._replace(judgement=b"")
