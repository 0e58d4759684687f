"""Restore: the ledger of a partition from its committed offset and the group states, after a crash or a reset.

Pure. A committed offset without our metadata was set by another program: a replay, and a new generation. States then
count only where they lie wholly before the offset R that was reset to; of a group that lies beyond, the lineage tells
which incident was open at R, so that a replay finds the same incidents again.

States may be about another log: the topic was deleted and created again, or the log was truncated. Their offsets would
mark new alerts as replayed, or skip them as settled, so only the keys of such states are kept. They are recognised by
the topic's id, which the marker keeps, and by offsets beyond the end of the log. Where the brokers give topics no id
(before 2.8), or the marker was written by a version that kept none, a state below the end cannot be told apart.
"""

from collections.abc import Mapping
from typing import NamedTuple

from openclaw_stream.errors import FatalError
from openclaw_stream.incidents.fold import Fold
from openclaw_stream.incidents.state import NEVER, UNKNOWN, Episode, State
from openclaw_stream.stream.state import commit_metadata as metadata
from openclaw_stream.stream.state.commit_metadata import CommitMetadata
from openclaw_stream.stream.state.ledger import Ledger
from openclaw_stream.stream.state.revision import Group
from openclaw_stream.stream.state.state_codec import GENERATION_KEY, DecodedState, TopicIdentity
from openclaw_stream.vocabulary import IncidentStatus


class OutOfRangeError(FatalError):
    """The committed offset lies beyond the end of the log: this partition stops, the others go on."""


class LogFacts(NamedTuple):
    """The input partition's log: its first offset, the offset after its last, and the id of its topic if it has one."""

    start: int
    end: int = NEVER
    topic_id: str | None = None


class RestoreOutcome(NamedTuple):
    """A restored ledger, and what an operator should know.

    `foreign_states` counts the states that are about another log. `offset_shift` is the number of records between the
    highest settled offset and an offset set by another program, negative where it was set back; None where the
    committed offset is ours.
    """

    ledger: Ledger
    foreign_states: int
    offset_shift: int | None


def restore(
    fold: Fold, group_id: str, states: Mapping[str, bytes], committed: tuple[int, str | None], log: LogFacts
) -> RestoreOutcome:
    """Return the ledger that reads on at the committed offset, or at the start of the log where that is later.

    Args:
        fold: The rules of this partition.
        group_id: The consumer group.
        states: The live values of the incidents topic's partition by key.
        committed: The group's offset, or where a first start begins, and the metadata committed with it.
        log: The log of the input partition.

    Raises:
        OutOfRangeError: the committed offset lies beyond the log.
        FatalError: another consumer group writes to this incidents topic, or a state cannot be read.
    """
    restored = {key: _own(DecodedState(value), group_id) for key, value in states.items()}
    marker = restored.pop(GENERATION_KEY, None)
    generations = [r.generation for r in restored.values()] + ([marker.generation] if marker else [])
    highest = max(generations, default=0)
    since = _since(marker, log, highest)
    offset, own = committed[0], metadata.decode(committed[1])
    if own and own.generation < since:
        # Committed while the topic was being replaced: an offset of the log before.
        offset, own = log.start, None
    if offset > log.end:
        raise OutOfRangeError(
            f"the group's offset {offset} of {fold.topic} partition {fold.partition} lies beyond the end of the log "
            f"({log.end}): was the topic created again? Stop the group and reset its offsets to replay"
        )
    start = max(offset, log.start)
    at = own or CommitMetadata(1 + highest, start, UNKNOWN, start - 1)
    if own and offset < log.start:
        at = at._replace(floor=max(at.floor, log.start))
    if marker and marker.generation == at.generation:
        at = at._replace(dead_through=max(at.dead_through, marker.state.through))
    identity = TopicIdentity(log.topic_id, since) if log.topic_id else None
    ledger = Ledger(fold, group_id, at, start, log.start, identity)
    ledger.generation_record_due = marker is None or (marker.generation, marker.log) != (at.generation, identity)
    settled = [marker.state.through] if marker and marker.generation >= since else []
    foreign = [r for r in restored.values() if r.generation < since or r.state.through >= log.end]
    for each in foreign:
        del restored[each.state.group_key]
        ledger.add_foreign(Group(_fresh(each.state.group_key, at.floor)))
    for each in restored.values():
        settled.append(each.state.through)
        ledger.add(_group(each, at))
    return RestoreOutcome(
        ledger, len(foreign), None if own or not settled else start - 1 - max(*settled, log.start - 1)
    )


def _since(marker: DecodedState | None, log: LogFacts, highest: int) -> int:
    """Return the first generation whose states are about this log; `highest` is the highest that wrote any."""
    known = marker.log if marker else None
    if known and log.topic_id and known.topic_id != log.topic_id:
        return highest + 1
    return known.since if known else 1


def _group(restored: DecodedState, at: CommitMetadata) -> Group:
    state = restored.state
    if restored.generation != at.generation:
        state.replayed_through = max(state.replayed_through, state.through)
    if _counts(restored, at):
        return Group(state, restored.last_decision)
    return Group(_after_reset(state, at.floor))


def _fresh(group_key: str, floor: int) -> State:
    """Return the state of a group that is known by its key only."""
    state = State(group_key)
    state.through = floor - 1
    return state


def _own(restored: DecodedState, group_id: str) -> DecodedState:
    if restored.group_id != group_id:
        raise FatalError(
            f"the incidents topic holds states of the consumer group {restored.group_id!r}, and this is {group_id!r}: "
            "set OPENCLAW_TOPIC_INCIDENTS to a topic of this group's own, or KAFKA_GROUP_ID to that group"
        )
    return restored


def _counts(restored: DecodedState, at: CommitMetadata) -> bool:
    """Tell whether a state holds at the floor as it is: it does not know too much, nor less than its own lineage.

    A replay given up half-way leaves one that is behind: an incident opened later, and the floor is beyond that.
    """
    state = restored.state
    if state.through >= at.floor:
        return restored.generation == at.generation
    return not any(state.opened_offset < episode.opened_offset < at.floor for episode in state.lineage)


def _after_reset(old: State, floor: int) -> State:
    """Return the state of a group just before the offset `floor`, as the lineage of `old` tells it."""
    state = _fresh(old.group_key, floor)
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
