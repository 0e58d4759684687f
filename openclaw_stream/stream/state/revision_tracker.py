"""The revisions of a partition that are not published yet."""

from collections import deque
from itertools import islice

from openclaw_stream.events.arbitration_result import PublishedDecision
from openclaw_stream.incidents.state import State
from openclaw_stream.stream.state.revision import Group, Revision
from openclaw_stream.vocabulary import EventType


class RevisionTracker:
    """Counts the revisions of a partition and passes them on: gathering, cut, ready, decided, published.

    `pending_bytes` is the size of those triggered and not published. `ready` holds those that may be decided now; the
    caller removes what it submits.
    """

    def __init__(self) -> None:
        self.ready: deque[Revision] = deque()
        self.pending_bytes = 0
        self._unpublished: dict[Revision, None] = {}
        self._gathering: dict[Group, None] = {}
        self._decided: dict[Group, None] = {}

    @property
    def pending(self) -> int:
        """Revisions triggered and not published."""
        return len(self._unpublished)

    @property
    def undecided(self) -> int:
        """Revisions that are cut and not published; those that gather do not count."""
        return self.pending - len(self._gathering)

    @property
    def has_decided(self) -> bool:
        """Whether a revision may be published."""
        return bool(self._decided)

    def oldest_gathering(self, most: int) -> list[Group]:
        """Return the groups whose revisions gather longest."""
        return list(islice(self._gathering, most))

    def oldest_due(self) -> int | None:
        """Return the earliest due time of an unpublished revision of no replay, None without one."""
        return min((each.due for each in self._unpublished if not each.is_replayed), default=None)

    def trigger(self, group: Group, state_before: State, due: int) -> None:
        """Start a revision that gathers alerts until `due`, or bring the one that gathers forward."""
        gathering = group.gathering
        if gathering:
            gathering.bring_forward(due)
            return
        self._add(group.add_revision(state_before, due, EventType.DECISION))
        self._gathering[group] = None

    def cut(self, group: Group, due: int, *, rules_only: bool = False) -> None:
        """Cut the revision that gathers: what is decided is the state now."""
        group.state.next_revision(due)
        snapshot = group.revisions[-1].cut(due, rules_only=rules_only)
        self.pending_bytes += snapshot.weight
        self._gathering.pop(group, None)
        self._offer(group)

    def resolve(self, group: Group, state_before: State, due: int) -> None:
        """Add the resolution of an incident that has ended."""
        group.state.next_revision(due)
        revision = group.add_revision(state_before, due, EventType.RESOLUTION)
        revision.cut(due)
        self._add(revision)
        self._offer(group)

    def complete(self, revision: Revision, outcome: object, last_decision: PublishedDecision | None) -> None:
        """Set the result of a revision; the next of its group may then be decided."""
        group = revision.group
        if group.complete(revision, outcome, last_decision):
            self._decided[group] = None
        self._offer(group)

    def take_decided(self, most: int) -> list[Group]:
        """Return groups with a decided revision, to be published with the next transaction."""
        groups = list(islice(self._decided, most))
        for group in groups:
            del self._decided[group]
        return groups

    def has_decided_of(self, group: Group) -> bool:
        """Whether a decided revision of the group was not returned by `take_decided` yet."""
        return group in self._decided

    def take_published(self, group: Group) -> Revision | None:
        """Remove and return the first revision of a group if it is decided."""
        revision = group.take_decided()
        if revision:
            del self._unpublished[revision]
            self.pending_bytes -= revision.weight
        return revision

    def _add(self, revision: Revision) -> None:
        self._unpublished[revision] = None
        self.pending_bytes += revision.weight

    def _offer(self, group: Group) -> None:
        revision = group.take_ready()
        if revision:
            self.ready.append(revision)


def previous_decision(revision: Revision) -> PublishedDecision | None:
    """Return the last decision before this revision of the same incident."""
    latest = revision.group.last_decision
    for earlier in revision.group.revisions:
        if earlier is revision:
            break
        latest = earlier.last_decision or latest
    assert revision.snapshot is not None  # noqa: S101 - only cut revisions are decided
    return latest if latest and latest.incident_id == revision.snapshot.incident_id else None
