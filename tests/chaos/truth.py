"""What must be true of a log: a small model of incidents, written from the README alone.

It reads the log as the brokers hold it (offsets and timestamps) and the alerts as their producer meant them, and tells
which incidents there are, which alerts belong to each and which to none, and how each ends.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.chaos.wire import Said

MEMBERS_MAX = 1024
"""Above this many members a group is too large to know all; it does not end by their ends."""


class Logged(NamedTuple):
    """A record of the alerts topic as it lies there, with what its producer meant by it."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    alerts: tuple[Said, ...]
    dead: bool


class Counted(NamedTuple):
    """An alert that belongs to an incident."""

    offset: int
    name: str
    severity: int
    firing: bool


@dataclass(slots=True)
class Incident:
    """An incident that must be."""

    group: str
    partition: int
    opened_offset: int
    opened_at: int
    alerts: list[Counted] = field(default_factory=list)
    ended: bool = False
    """All members have resolved at its last alert: its last word must be a resolution."""


@dataclass(slots=True)
class Truth:
    """What must have come of a log."""

    incidents: list[Incident] = field(default_factory=list)
    dead: list[Logged] = field(default_factory=list)
    alerts: int = 0
    no_ops: int = 0


class _Group:
    """One group of one partition, from the outside: who fires, and until when an end may be taken back."""

    def __init__(self) -> None:
        self.incident: Incident | None = None
        self.firing: dict[str, int] = {}
        self.resolved: dict[str, int] = {}
        self.hold_end: int | None = None
        self.crowded = False

    def pass_time(self, now: int) -> None:
        """Close the incident where its hold is over."""
        if self.incident and self.hold_end is not None and self.hold_end <= now:
            self.incident.ended = True
            self.incident = None

    def open(self, incident: Incident) -> None:
        self.incident = incident
        self.firing, self.resolved, self.hold_end, self.crowded = {}, {}, None, False

    def fire(self, said: Said) -> None:
        known = self.firing.get(said.identity, self.resolved.get(said.identity))
        if known == said.starts:
            return
        self.hold_end = None
        self.resolved.pop(said.identity, None)
        self.firing[said.identity] = said.starts
        self.crowded = self.crowded or len(self.firing) + len(self.resolved) > MEMBERS_MAX

    def resolve(self, said: Said, now: int, hold: int) -> None:
        starts = self.firing.get(said.identity)
        if starts is None or said.starts < starts:
            return
        self.resolved[said.identity] = self.firing.pop(said.identity)
        if not self.firing and not self.crowded:
            self.hold_end = now + hold


def tell(log: Iterable[Logged], hold: int) -> Truth:
    """Return the truth of a log given in offset order by partition; `hold` is the resolve hold in milliseconds."""
    truth = Truth()
    times: dict[int, int] = {}
    groups: dict[tuple[int, str], _Group] = {}
    for record in log:
        now = times[record.partition] = max(times.get(record.partition, 0), record.timestamp)
        if record.dead:
            truth.dead.append(record)
        for said in record.alerts:
            group = groups.setdefault((record.partition, said.group), _Group())
            group.pass_time(now)
            truth.alerts += 1
            truth.no_ops += not _count(truth, group, record, said, now, hold)
    for group in groups.values():
        if group.incident:
            group.incident.ended = group.hold_end is not None
    return truth


def _count(truth: Truth, group: _Group, record: Logged, said: Said, now: int, hold: int) -> bool:
    """Let one alert join its incident, or open one; False where there is none for it."""
    if group.incident is None:
        if not said.firing:
            return False
        group.open(Incident(said.group, record.partition, record.offset, record.timestamp))
        assert group.incident is not None
        truth.incidents.append(group.incident)
    if said.firing:
        group.fire(said)
    else:
        group.resolve(said, now, hold)
    group.incident.alerts.append(Counted(record.offset, said.name, said.severity, said.firing))
    return True
