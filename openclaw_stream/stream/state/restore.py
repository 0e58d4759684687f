"""Restore: the ledger of a partition from its committed offset and the group states, after a crash or a reset.

Pure. A committed offset without our metadata was set by another program: a replay, and a new generation. States then
count only where they lie wholly before the offset R that was reset to. Of a group that lies beyond R, the lineage names
the incident that was open at R, so that a replay finds the same incidents again.

States may be about another log: the topic was deleted and created again, or the log was truncated. Their offsets would
mark new alerts as replayed, or skip them as settled, so only the keys of such states are kept. They are recognised by
the topic's id, which the generation record keeps, and by offsets beyond the end of the log. Where the brokers give
topics no id (before 2.8), or the generation record was written by a version that kept none, a state below the end
cannot be distinguished.
"""

from collections.abc import Mapping
from typing import NamedTuple

from openclaw_stream.errors import FatalError
from openclaw_stream.incidents.fold import Fold
from openclaw_stream.incidents.state import NEVER, UNKNOWN, State
from openclaw_stream.stream.state import commit_metadata
from openclaw_stream.stream.state.commit_metadata import CommitMetadata
from openclaw_stream.stream.state.ledger import Ledger
from openclaw_stream.stream.state.revision import Group
from openclaw_stream.stream.state.state_codec import GENERATION_KEY, DecodedState, TopicIdentity


class OutOfRangeError(FatalError):
    """The committed offset lies beyond the end of the log: this partition stops, the others continue."""


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


class _Stored(NamedTuple):
    """The decoded states of groups by key, and the generation record; `since` is the first generation of this log."""

    states: dict[str, DecodedState]
    generation_record: DecodedState | None
    highest_generation: int
    since: int


def restore(
    fold: Fold, group_id: str, states: Mapping[str, bytes], committed: tuple[int, str | None], log: LogFacts
) -> RestoreOutcome:
    """Return the ledger that continues at the committed offset, or at the start of the log where that is later.

    Args:
        fold: The rules of this partition.
        group_id: The consumer group.
        states: The live values of the incidents topic's partition by key.
        committed: The group's offset, or where a first start begins, and the metadata committed with it.
        log: The log of the input partition.

    Raises:
        OutOfRangeError: the committed offset lies beyond the log.
        FatalError: another consumer group writes to this incidents topic, or a state cannot be decoded.
    """
    stored = _decode(states, group_id, log)
    offset, own = committed[0], commit_metadata.decode(committed[1])
    if own and own.generation < stored.since:
        # Committed while the topic was being replaced: an offset of the log before.
        offset, own = log.start, None
    if offset > log.end:
        raise OutOfRangeError(
            f"the group's offset {offset} of {fold.topic} partition {fold.partition} lies beyond the end of the log "
            f"({log.end}): was the topic created again? Stop the group and reset its offsets to replay"
        )
    start = max(offset, log.start)
    at = _metadata(own, start, moved=offset < log.start, stored=stored)
    identity = TopicIdentity(log.topic_id, stored.since) if log.topic_id else None
    ledger = Ledger(fold, group_id, at, start, log.start, identity)
    record = stored.generation_record
    if record is None or (record.generation, record.log) != (at.generation, identity):
        ledger.require_generation_record()
    foreign_states = _add_groups(ledger, stored, at, log)
    return RestoreOutcome(ledger, foreign_states, None if own else _offset_shift(stored, start, log))


def _decode(states: Mapping[str, bytes], group_id: str, log: LogFacts) -> _Stored:
    decoded = {key: _own(DecodedState(value), group_id) for key, value in states.items()}
    highest = max((state.generation for state in decoded.values()), default=0)
    record = decoded.pop(GENERATION_KEY, None)
    return _Stored(decoded, record, highest, _since(record, log, highest))


def _own(decoded: DecodedState, group_id: str) -> DecodedState:
    if decoded.group_id != group_id:
        raise FatalError(
            f"the incidents topic holds states of the consumer group {decoded.group_id!r}, and this is {group_id!r}: "
            "set OPENCLAW_TOPIC_INCIDENTS to a topic of this group's own, or KAFKA_GROUP_ID to that group"
        )
    return decoded


def _since(record: DecodedState | None, log: LogFacts, highest: int) -> int:
    """Return the first generation whose states are about this log; `highest` is the highest that wrote any."""
    known = record.log if record else None
    if known and log.topic_id and known.topic_id != log.topic_id:
        return highest + 1
    return known.since if known else 1


def _metadata(own: CommitMetadata | None, start: int, *, moved: bool, stored: _Stored) -> CommitMetadata:
    """Return the metadata to continue with at offset `start`, `moved` where the log begins only there."""
    at = own or CommitMetadata(1 + stored.highest_generation, start, UNKNOWN, start - 1)
    if own and moved:
        at = at._replace(floor=max(at.floor, start))
    record = stored.generation_record
    if record and record.generation == at.generation:
        at = at._replace(dead_letters_through=max(at.dead_letters_through, record.state.through))
    return at


def _add_groups(ledger: Ledger, stored: _Stored, at: CommitMetadata, log: LogFacts) -> int:
    """Add all groups; returns how many states are about another log."""
    foreign = [each for each in stored.states.values() if not _is_about(each, stored, log)]
    for each in foreign:
        ledger.add_foreign(Group(State(each.state.group_key, through=at.floor - 1)))
    for each in stored.states.values():
        if _is_about(each, stored, log):
            ledger.add(_group(each, at))
    return len(foreign)


def _is_about(decoded: DecodedState, stored: _Stored, log: LogFacts) -> bool:
    """Whether a state is about this log, not one that was replaced or truncated."""
    return decoded.generation >= stored.since and decoded.state.through < log.end


def _offset_shift(stored: _Stored, start: int, log: LogFacts) -> int | None:
    settled = [each.state.through for each in stored.states.values() if _is_about(each, stored, log)]
    record = stored.generation_record
    if record and record.generation >= stored.since:
        settled.append(record.state.through)
    return start - 1 - max(*settled, log.start - 1) if settled else None


def _group(decoded: DecodedState, at: CommitMetadata) -> Group:
    state = decoded.state
    if decoded.generation != at.generation:
        state.mark_replayed()
    if _counts(decoded, at):
        return Group(state, decoded.last_decision)
    # An incident that was open at the floor may end before it is decided again: it then repeats the last decision.
    return Group(state.before_reset(at.floor), decoded.last_decision)


def _counts(decoded: DecodedState, at: CommitMetadata) -> bool:
    """Whether a state holds at the floor as it is: it is not ahead of the floor, nor behind its own lineage.

    An unfinished replay leaves a state that is behind: an incident opened later, and the floor is beyond that.
    """
    state = decoded.state
    if state.through >= at.floor:
        return decoded.generation == at.generation
    return not any(state.opened_offset < entry.opened_offset < at.floor for entry in state.lineage)
