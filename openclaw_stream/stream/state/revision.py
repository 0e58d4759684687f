"""What a partition owes: revisions on their way, dead letters, and the plan of one transaction."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from openclaw_stream.events.arbitration_result import PublishedDecision
from openclaw_stream.incidents.state import NEVER, State
from openclaw_stream.vocabulary import EventType

Headers = Sequence[tuple[str, bytes]]


class ResumePoint(NamedTuple):
    """An offset, and the stream time before its record."""

    offset: int
    time: int


class Revision:
    """One revision on its way.

    `image` is the state written until the revision is published: that before the *record* that asked for it.
    `snapshot` is what the revision saw, None while it gathers. `after` marks the first record folded since the image
    was taken: re-reading starts there. `outcome` is what the arbiter said.
    """

    __slots__ = ("after", "due", "event_type", "group", "image", "last_decision", "outcome", "rules_only", "snapshot")

    def __init__(self, group: "Group", image: State, due: int, event_type: EventType) -> None:
        self.group = group
        self.image = image
        self.due = due
        self.event_type = event_type
        self.after: ResumePoint | None = None
        self.snapshot: State | None = None
        self.rules_only = False
        self.outcome: Any = None
        self.last_decision: PublishedDecision | None = None

    @property
    def weight(self) -> int:
        """Roughly the bytes it holds until it is published."""
        return self.image.weight + (self.snapshot.weight if self.snapshot else 0)

    @property
    def opens_another(self) -> bool:
        """Whether it is the first of its incident, and the image the last of one before."""
        opened = self.image.incident_id
        return bool(opened and self.snapshot and self.snapshot.incident_id != opened)


class Group:
    """A group's state, its queue of revisions in order, and what of it is not settled yet."""

    __slots__ = (
        "aged_at",
        "dirty",
        "early_at",
        "in_flight",
        "last_decision",
        "live_at",
        "queue",
        "state",
        "unsettled",
        "written",
    )

    def __init__(self, state: State, last_decision: PublishedDecision | None = None) -> None:
        self.state = state
        self.queue: list[Revision] = []  # hardly ever longer than two; an empty deque is large
        self.unsettled: ResumePoint | None = None
        self.written = state.version
        self.dirty = False
        self.in_flight = False
        self.live_at = NEVER
        self.early_at = NEVER
        self.aged_at = NEVER
        self.last_decision = last_decision

    @property
    def gathering(self) -> Revision | None:
        """The revision that is not cut yet, if any; always the last of the queue."""
        return self.queue[-1] if self.queue and self.queue[-1].snapshot is None else None

    def shed(self) -> None:
        """Keep little of an incident that is over and written; closed groups stay for as long as the log has them."""
        if self.state.over and self.state.version == self.written:
            self.state.shed()
