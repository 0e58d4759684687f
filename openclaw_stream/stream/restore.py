"""Restore: the ledger of a partition from its committed offset and the group states, after a crash or a reset.

Pure. A committed offset without our metadata was set by some tool: a replay, and a new generation. States then count
only where they lie wholly before the offset R that was reset to; of a group that lies beyond, the lineage tells which
incident was open at R, so that a replay finds the same incidents again.
"""

from collections.abc import Mapping

from openclaw_stream.errors import FatalError
from openclaw_stream.events.vocabulary import IncidentStatus
from openclaw_stream.incidents.fold import Fold
from openclaw_stream.incidents.state import UNKNOWN, Episode, State
from openclaw_stream.stream import position as metadata
from openclaw_stream.stream.ledger import Ledger
from openclaw_stream.stream.position import Position
from openclaw_stream.stream.statecodec import MARKER_KEY, Restored
from openclaw_stream.stream.work import Group


def restore(
    fold: Fold, group_id: str, states: Mapping[str, bytes], committed: tuple[int, str | None], log_start: int
) -> Ledger:
    """Return the ledger that reads on at the committed offset, or at the start of the log where that is later.

    `states` are the live values of the incidents topic's partition by key; `committed` is the group's offset, or where
    a first start begins, and the metadata committed with it.

    Raises:
        FatalError: another consumer group writes to this incidents topic, or a state cannot be read.
    """
    restored = {key: _own(Restored(value), group_id) for key, value in states.items()}
    marker = restored.pop(MARKER_KEY, None)
    generations = [r.generation for r in restored.values()] + ([marker.generation] if marker else [])
    offset, own_metadata = committed
    start = max(offset, log_start)
    at = metadata.decode(own_metadata)
    if at is None:
        at = Position(1 + max(generations, default=0), start, UNKNOWN, start - 1)
    elif offset < log_start:
        at = at._replace(floor=max(at.floor, log_start))
    if marker and marker.generation == at.generation:
        at = at._replace(dead_through=max(at.dead_through, marker.state.through))
    ledger = Ledger(fold, group_id, at, start, log_start)
    ledger.marker_due = marker is None or marker.generation != at.generation
    for each in restored.values():
        state = each.state
        if each.generation != at.generation:
            state.replayed_through = max(state.replayed_through, state.through)
        counts = _counts(each, at)
        ledger.add(Group(state, each.last_decision) if counts else Group(_after_reset(state, at.floor)))
    return ledger


def _own(restored: Restored, group_id: str) -> Restored:
    if restored.group_id != group_id:
        raise FatalError(
            f"the incidents topic holds states of the consumer group {restored.group_id!r}, and this is {group_id!r}: "
            "set OPENCLAW_TOPIC_INCIDENTS to a topic of this group's own, or KAFKA_GROUP_ID to that group"
        )
    return restored


def _counts(restored: Restored, at: Position) -> bool:
    """Tell whether a state holds at the floor as it is: it does not know too much, nor less than its own lineage.

    A replay given up half-way leaves one that is behind: an incident opened later, and the floor is beyond that.
    """
    state = restored.state
    if state.through >= at.floor:
        return restored.generation == at.generation
    return not any(state.opened_offset < episode.opened_offset < at.floor for episode in state.lineage)


def _after_reset(old: State, floor: int) -> State:
    """Return the state of a group just before the offset `floor`, as the lineage of `old` tells it."""
    state = State(old.group_key)
    state.through = floor - 1
    state.replayed_through = old.replayed_through
    state.lineage = old.lineage
    before = [episode for episode in old.lineage if episode.opened_offset < floor]
    if before:
        _restore_episode(state, before[-1], old, floor)
    return state


def _restore_episode(state: State, last: Episode, old: State, floor: int) -> None:
    state.begin(last.incident_id, last.opened_offset, last.opened_at, "")
    state.open = last.closed_offset is None or floor <= last.closed_offset
    state.status = IncidentStatus.FIRING if state.open else last.status
    earlier = [e.incident_id for e in old.lineage if e.opened_offset < last.opened_offset]
    state.previous_id = earlier[-1] if earlier else ""
    if last.opened_offset == old.opened_offset:
        state.firing, state.resolved = old.firing.copy(), old.resolved.copy()
        state.distinct = len(state.firing) + len(state.resolved)
        state.hold_end, state.last_alert_at, state.overflow = old.hold_end, old.last_alert_at, old.overflow
        state.frozen = max(old.frozen, old.through)
        state.namespace, state.service = old.namespace, old.service
