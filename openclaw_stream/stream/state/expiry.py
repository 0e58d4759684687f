"""Expiry: closed groups are dropped, with a tombstone, when no replay can reach their records."""

from collections.abc import Iterator
from itertools import islice

from openclaw_stream.incidents.state import UNKNOWN
from openclaw_stream.stream.state.offset_tracker import OffsetTracker
from openclaw_stream.stream.state.revision import Group
from openclaw_stream.stream.state.schedule import Schedule

_EXPIRED_MAX = 4000
"""Closed groups that one transaction drops: the log loses the records of many at once."""

_RETRY_AFTER = 60_000
"""Milliseconds until a closed group is checked again that could not be dropped yet."""


class Expiry:
    """Drops closed groups whose records are past the retention, settled, and out of the log."""

    def __init__(self, groups: dict[str, Group], schedule: Schedule, offsets: OffsetTracker, retention: int) -> None:
        self._groups = groups
        self._schedule = schedule
        self._offsets = offsets
        self._retention = retention

    def drop_expired(self, now: int, below: int) -> Iterator[tuple[str, None]]:
        """Drop groups whose records all have offsets below `below`; yields their tombstones."""
        for group in islice(self._schedule.expired(now), _EXPIRED_MAX):
            state = group.state
            if state.is_open or self._groups.get(state.group_key) is not group:
                continue
            expires = state.last_alert_at + self._retention
            if expires <= now and self._is_settled(group) and _highest_offset(group) < below:
                del self._groups[state.group_key]
                yield state.group_key, None
            else:
                self._schedule.expire_at(group, expires if expires > now else now + _RETRY_AFTER)

    def _is_settled(self, group: Group) -> bool:
        return not group.revisions and group.is_written and self._offsets.is_settled(group.state.group_key)


def _highest_offset(group: Group) -> int:
    state = group.state
    return max(state.through, state.lineage[-1].opened_offset if state.lineage else UNKNOWN)
