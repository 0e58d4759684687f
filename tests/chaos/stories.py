"""Life cycles of groups: each story is a sequence of alerts and pauses for one group, generated from a seed.

A pause is counted in records of the workload, not in seconds, so that a seed gives the same workload on any machine.
Whether a pause is longer than the resolve hold follows from the timestamps in the log, not from the story.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tests.chaos.wire import SentAlert

Pause = int
Step = SentAlert | Pause | list[SentAlert]
"""An alert, a pause, or alerts that go into one record."""

_NAMES = (
    "HighErrorRate",
    "HighLatencyP99",
    "KubePodCrashLooping",
    "PostgreSQLTooManyConnections",
    "NodeDiskFull",
    "KafkaConsumerLag",
    "WebVitalsPoor",
    "CertificateExpiry",
)
_BEGINNING = 1_767_225_600
"""2026-01-01: before any record, so that every start is before its record after any clock step."""

NATIVE, WEBHOOK, EITHER = "native", "webhook", "either"


@dataclass(frozen=True, slots=True)
class Story:
    """A group's steps, and the format of its alerts; a derived fingerprint differs between formats."""

    form: str
    steps: Iterator[Step]


class Cast:
    """The members of one group, and when each began to fire."""

    def __init__(self, r: random.Random, service: str, *, explicit: bool) -> None:
        self.r = r
        self.service = service
        self.explicit = explicit
        self.names = r.sample(_NAMES, 4)
        self._starts = _BEGINNING + r.randrange(1_000_000)

    def alert(self, index: int, *, firing: bool, starts: int, name: int = 0, severity: int = 1) -> SentAlert:
        """Return an alert of the member `index`; `starts` numbers the episodes of a member."""
        member = f"{self.service}-m{index}"
        return SentAlert(
            self.service, self.names[name], severity, firing, self._starts + 3600 * starts, member, self.explicit
        )

    def fires(self, index: int, starts: int = 0, name: int = 0, severity: int = 1) -> SentAlert:
        """Return a firing alert."""
        return self.alert(index, firing=True, starts=starts, name=name, severity=severity)

    def resolves(self, index: int, starts: int = 0, name: int = 0) -> SentAlert:
        """Return the end of a member's episode."""
        return self.alert(index, firing=False, starts=starts, name=name)


def steady(cast: Cast) -> Iterator[Step]:
    """Some members fire and repeat; none resolves."""
    members = cast.r.randrange(1, 4)
    for _ in range(cast.r.randrange(3, 40)):
        yield cast.fires(cast.r.randrange(members))
        yield cast.r.randrange(200)


def storm(cast: Cast) -> Iterator[Step]:
    """One alert, repeated many times."""
    for _ in range(cast.r.randrange(100, 600)):
        yield cast.fires(0)


def escalating(cast: Cast) -> Iterator[Step]:
    """New alert names join, and the severity rises."""
    for name in range(cast.r.randrange(1, 4)):
        for _ in range(cast.r.randrange(1, 6)):
            yield cast.fires(name, name=name, severity=min(name + 1, 3))
            yield cast.r.randrange(300)
    yield cast.fires(9, name=3, severity=3)
    yield cast.fires(9, name=3, severity=3)


def resolving(cast: Cast) -> Iterator[Step]:
    """Members fire and resolve; some ends are repeated, and some repeats are late."""
    members = cast.r.randrange(1, 5)
    for index in range(members):
        yield cast.fires(index)
    for _ in range(cast.r.randrange(6)):
        yield cast.fires(cast.r.randrange(members))
    yield cast.r.randrange(500)
    ends = [cast.resolves(index) for index in range(members)]
    yield ends
    if cast.r.random() < 0.5:
        yield cast.r.choice(ends)
    if cast.r.random() < 0.2:
        yield cast.fires(0)
    if cast.r.random() < 0.5:
        yield cast.r.randrange(2500)
        yield cast.r.choice(ends)


def flapping(cast: Cast) -> Iterator[Step]:
    """A member fires and resolves again: within the hold this is a flap, after it another incident."""
    for cycle in range(cast.r.randrange(2, 4)):
        for _ in range(cast.r.randrange(1, 4)):
            yield cast.fires(0, cycle)
        yield cast.r.randrange(400)
        yield cast.resolves(0, cycle)
        yield cast.r.choice((cast.r.randrange(100), cast.r.randrange(3000)))


def orphaned(cast: Cast) -> Iterator[Step]:
    """Only resolved alerts of members that never fired: no-ops."""
    for index in range(cast.r.randrange(1, 4)):
        yield cast.resolves(index)
        yield cast.r.randrange(200)


def crowd(cast: Cast, members: int, batch: int) -> Iterator[Step]:
    """A group of very many members, of which some resolve: it stays open, as not all members can be kept."""
    for start in range(0, members, batch):
        yield [cast.fires(index) for index in range(start, min(start + batch, members))]
        yield cast.r.randrange(20)
    yield [cast.resolves(index) for index in range(0, members, max(members // 500, 1))]


Maker = Callable[[Cast], Iterator[Step]]
MAKERS: Sequence[tuple[Maker, float]] = (
    (steady, 6),
    (storm, 0.2),
    (escalating, 2),
    (resolving, 5),
    (flapping, 4),
    (orphaned, 1),
)


def invent(r: random.Random, service: str) -> Story:
    """Return a story of a random kind."""
    makers, weights = zip(*MAKERS, strict=True)
    [maker] = r.choices(makers, weights)
    explicit = r.random() < 0.6
    form = EITHER if explicit else r.choice((NATIVE, WEBHOOK))
    return Story(form, maker(Cast(r, service, explicit=explicit)))


def gather_crowd(r: random.Random, service: str, members: int) -> Story:
    """Return the story of a group of `members` members, in payloads of hundreds of alerts."""
    return Story(WEBHOOK, crowd(Cast(r, service, explicit=True), members, r.randrange(100, 400)))
