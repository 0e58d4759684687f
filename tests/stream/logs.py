"""Short logs of a partition, for the schedules of the simulation."""

import random
from typing import NamedTuple

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.vocabulary import Severity


class Record(NamedTuple):
    """A record of the log; `gap` says how many offsets without a record (markers) come before it."""

    offset: int
    timestamp: int
    alerts: tuple[Alert, ...]
    bad: bool


def make_log(r: random.Random, *, create_time: bool) -> list[Record]:
    """Return a short log of a few groups with repeats, resolves, refires, poison and gaps in the offsets."""
    log: list[Record] = []
    now, offset = 100, -1
    starts: dict[tuple[int, int], int] = {}
    groups = r.randrange(1, 5)
    for _ in range(r.randrange(4, 32)):
        now += r.choice((0, 0, 1, 1, 2, 3, 6, 30))
        offset += r.choice((1, 1, 1, 1, 1, 2, 3))
        alerts = [_make_alert(r, groups, starts, now) for _ in range(r.choice((1, 1, 1, 2, 3)))]
        bad = r.random() < 0.1
        if bad and r.random() < 0.6:
            alerts = []
        timestamp = now + r.randrange(-8, 4) if create_time else now
        log.append(Record(offset, timestamp, tuple(alerts), bad))
    return log


def _make_alert(r: random.Random, groups: int, starts: dict[tuple[int, int], int], now: int) -> Alert:
    group, member = r.randrange(groups), r.randrange(r.choice((2, 2, 5)))
    firing = r.random() < 0.55
    if firing and ((group, member) not in starts or r.random() < 0.4):
        starts[group, member] = now if r.random() < 0.9 else 0
    severity = Severity.CRITICAL if r.random() < 0.1 else r.choice((Severity.WARNING, Severity.WARNING, Severity.HIGH))
    name = r.choice("aab") + str(r.choice((0, 0, 0, member)))
    return Alert(
        name=name,
        severity=severity,
        firing=firing,
        starts_at=starts.get((group, member), 0),
        ends_at=0 if firing else now,
        fingerprint=f"{group}:{member}",
        member=member,
        group_key=f"g{group}",
        service=r.choice(("", "s", "s", "t")),
    )
