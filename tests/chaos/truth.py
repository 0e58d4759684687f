"""The expected incidents of a log: a small model, written from the README alone.

Its input is the log as the brokers have it (offsets and timestamps) with the alerts that each record contains. Its
result is the incidents, the alerts of each, the alerts of none, and how each incident ends.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.chaos.wire import SentAlert

MEMBERS_MAX = 1024
"""With more members, not all are kept, and the incident does not end when they resolve."""


class Logged(NamedTuple):
    """A record of the alerts topic, with the alerts that its producer put into it."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    alerts: tuple[SentAlert, ...]
    dead: bool


class Counted(NamedTuple):
    """An alert that belongs to an incident."""

    offset: int
    name: str
    severity: int
    firing: bool


@dataclass(slots=True)
class Incident:
    """An expected incident."""

    group: str
    partition: int
    opened_offset: int
    opened_at: int
    alerts: list[Counted] = field(default_factory=list)
    ended: bool = False
    """All members have resolved at its last alert: its last event must be a resolution."""


@dataclass(slots=True)
class Truth:
    """The expected result of a log."""

    incidents: list[Incident] = field(default_factory=list)
    dead: list[Logged] = field(default_factory=list)
    alerts: int = 0
    no_ops: int = 0


class _Group:
    """One group of one partition: its firing members, and until when an end may be cancelled."""

    def __init__(self) -> None:
        self.incident: Incident | None = None
        self.firing: dict[str, int] = {}
        self.resolved: dict[str, int] = {}
        self.hold_end: int | None = None
        self.crowded = False

    def pass_time(self, now: int) -> None:
        """Close the incident if its hold is over."""
        if self.incident and self.hold_end is not None and self.hold_end <= now:
            self.incident.ended = True
            self.incident = None

    def open(self, incident: Incident) -> None:
        self.incident = incident
        self.firing, self.resolved, self.hold_end, self.crowded = {}, {}, None, False

    def fire(self, sent: SentAlert) -> None:
        known = self.firing.get(sent.identity, self.resolved.get(sent.identity))
        if known == sent.starts:
            return
        self.hold_end = None
        self.resolved.pop(sent.identity, None)
        self.firing[sent.identity] = sent.starts
        self.crowded = self.crowded or len(self.firing) + len(self.resolved) > MEMBERS_MAX

    def resolve(self, sent: SentAlert, now: int, hold: int) -> None:
        starts = self.firing.get(sent.identity)
        if starts is None or sent.starts < starts:
            return
        self.resolved[sent.identity] = self.firing.pop(sent.identity)
        if not self.firing and not self.crowded:
            self.hold_end = now + hold


def compute_truth(log: Iterable[Logged], hold: int) -> Truth:
    """Return the expected result of a log in offset order by partition; `hold` is the resolve hold in milliseconds."""
    truth = Truth()
    times: dict[int, int] = {}
    groups: dict[tuple[int, str], _Group] = {}
    for record in log:
        now = times[record.partition] = max(times.get(record.partition, 0), record.timestamp)
        if record.dead:
            truth.dead.append(record)
        for sent in record.alerts:
            group = groups.setdefault((record.partition, sent.group), _Group())
            group.pass_time(now)
            truth.alerts += 1
            truth.no_ops += not _count(truth, group, record, sent, now, hold)
    for group in groups.values():
        if group.incident:
            group.incident.ended = group.hold_end is not None
    return truth


def _count(truth: Truth, group: _Group, record: Logged, sent: SentAlert, now: int, hold: int) -> bool:
    """Add one alert to its incident, or open one; returns False for a no-op."""
    if group.incident is None:
        if not sent.firing:
            return False
        group.open(Incident(sent.group, record.partition, record.offset, record.timestamp))
        assert group.incident is not None
        truth.incidents.append(group.incident)
    if sent.firing:
        group.fire(sent)
    else:
        group.resolve(sent, now, hold)
    group.incident.alerts.append(Counted(record.offset, sent.name, sent.severity, sent.firing))
    return True
