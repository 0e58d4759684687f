"""Settlement: what the next transaction publishes and writes of the groups of a partition."""

from collections.abc import Iterator

from openclaw_stream.incidents.state import State
from openclaw_stream.stream.state import state_codec
from openclaw_stream.stream.state.offset_tracker import OffsetTracker
from openclaw_stream.stream.state.revision import Group, Revision
from openclaw_stream.stream.state.revision_tracker import RevisionTracker
from openclaw_stream.stream.state.transaction_plan import StateRecord

_REVISED_MAX, _REPEATED_MAX = 200, 4000
"""Groups settled in one transaction, with a revision and without: its messages must not delay the heartbeat."""


class Settlement:
    """Settles groups: decided revisions are published, and the states that cover them are written."""

    def __init__(self, revisions: RevisionTracker, offsets: OffsetTracker, group_id: str, generation: int) -> None:
        self._revisions = revisions
        self._offsets = offsets
        self._group_id = group_id
        self._generation = generation

    def settle(self, *, lazy: bool) -> tuple[list[Revision], list[StateRecord]]:
        """Return the revisions to publish and the states to write, with `lazy` those of mere repeats too."""
        published: list[Revision] = []
        written: list[StateRecord] = []
        for group in self._groups(lazy=lazy):
            self._settle(group, published, written)
        return published, written

    def _groups(self, *, lazy: bool) -> Iterator[Group]:
        yield from self._revisions.take_decided(_REVISED_MAX)
        if lazy:
            for group in self._offsets.take_unwritten(_REPEATED_MAX):
                if not self._revisions.has_decided_of(group):
                    yield group

    def _settle(self, group: Group, published: list[Revision], written: list[StateRecord]) -> None:
        while revision := self._revisions.take_published(group):
            published.append(revision)
            before = revision.state_before
            if revision.opens_next_incident and before.version > group.written_version:
                # The last state of the incident before is not in any later state.
                written.append(self._record(group, before))
        following = group.revisions[0] if group.revisions else None
        state = following.state_before if following else group.state
        if state.version > group.written_version:
            group.mark_written(state.version)
            written.append(self._record(group, state))
            self._offsets.settle(state.group_key, following.resume_point if following else None)
        group.drop_evidence()

    def _record(self, group: Group, state: State) -> StateRecord:
        value = state_codec.encode(state, self._group_id, self._generation, group.last_decision)
        return state.group_key, value
