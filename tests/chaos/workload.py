"""The workload: numbered records for several partitions, interleaved from many stories, with the alerts of each.

It imports nothing of the program under test.
"""

import heapq
import random
from collections.abc import Iterator
from itertools import count
from typing import Any, NamedTuple

from tests.chaos import wire
from tests.chaos.stories import EITHER, NATIVE, WEBHOOK, Step, Story, gather_crowd, invent
from tests.chaos.wire import SentAlert

_STORIES_AT_A_TIME = 40
_CROWD_SHARE = 5
_CROWD_MAX = 20_000
_BUNDLE_MAX = 40

_POISON, _PARTIAL, _TOMBSTONE = 0.005, 0.006, 0.002
_BUNDLED, _WRAPPED = 0.15, 0.1


class Record(NamedTuple):
    """One record to produce: `alerts` are its readable alerts, `dead` whether it must become a dead letter."""

    number: int
    partition: int
    key: bytes | None
    value: bytes | None
    alerts: tuple[SentAlert, ...]
    dead: bool


class Workload:
    """Records with about `alerts` alerts together; iterate once.

    Every group stays on one partition. One group of each run has a fifth of all alerts as its members, 20,000
    at most.
    """

    def __init__(self, seed: int, alerts: int, partitions: int) -> None:
        self._r = random.Random(seed)  # noqa: S311 - a workload, not a secret
        self._alerts = alerts
        self._produced = 0
        self._numbers = count()
        self._interleavers = [_Interleaver(self._r, partition) for partition in range(partitions)]
        crowd = min(alerts // _CROWD_SHARE, _CROWD_MAX)
        self._r.choice(self._interleavers).add(gather_crowd(self._r, "crowd", crowd))

    def add_partition(self) -> None:
        """Add a partition with its own groups; may be called from another thread."""
        self._interleavers.append(_Interleaver(self._r, len(self._interleavers)))

    def __iter__(self) -> Iterator[Record]:
        while self._produced < self._alerts:
            chance = self._r.random()
            partition = self._r.randrange(len(self._interleavers))
            if chance < _POISON:
                yield self._broken(partition, dead=True)
            elif chance < _POISON + _TOMBSTONE:
                yield self._broken(partition, dead=False)
            else:
                record = self._next(self._interleavers[partition], partial=chance < _POISON + _TOMBSTONE + _PARTIAL)
                self._produced += len(record.alerts)
                yield record

    def _broken(self, partition: int, *, dead: bool) -> Record:
        number = next(self._numbers)
        value = wire.poison(self._r, number) if dead else None
        return Record(number, partition, self._r.choice((None, b"k")), value, (), dead)

    def _next(self, interleaver: "_Interleaver", *, partial: bool) -> Record:
        number, r = next(self._numbers), self._r
        alerts, payload = interleaver.take(bundle=partial or r.random() < _BUNDLED)
        document: dict[str, Any] = wire.webhook(alerts) if payload else wire.native(alerts[0])
        dead = partial and payload
        if dead:
            document["alerts"].insert(r.randrange(len(alerts) + 1), {"annotations": {"n": str(number)}})
        if r.random() < _WRAPPED:
            document = wire.cloudevent(document, number)
        own = alerts[0].group.encode()
        [key] = r.choices((own, None, b"elsewhere"), (8, 1, 1))
        return Record(number, interleaver.partition, key, wire.encode(document), tuple(alerts), dead)


class _Interleaver:
    """The stories of one partition, in random alternation; a paused one is left out until its pause is over."""

    def __init__(self, r: random.Random, partition: int) -> None:
        self.partition = partition
        self._r = r
        self._turn = 0
        self._names = count()
        self._order = count()
        self._active: list[_RunningStory] = []
        self._paused: list[tuple[int, int, _RunningStory]] = []

    def add(self, story: Story) -> None:
        self._active.append(_RunningStory(story))

    def take(self, *, bundle: bool) -> tuple[list[SentAlert], bool]:
        """Return the alerts of the next record, and whether they go into a payload."""
        self._turn += 1
        while self._paused and self._paused[0][0] <= self._turn:
            self._active.append(heapq.heappop(self._paused)[2])
        first, form = self._step(None)
        if len(first) == 1 and form != WEBHOOK and not bundle:
            return first, form == EITHER and self._r.random() < 0.3
        if form == NATIVE:
            return first, False
        alerts = first
        if bundle:
            for _ in range(self._r.randrange(1, 12)):
                more, _ = self._step(NATIVE)
                alerts = [*alerts, *more]
                if len(alerts) > _BUNDLE_MAX:
                    break
        return alerts, True

    def _step(self, excluded: str | None) -> tuple[list[SentAlert], str]:
        """Return the alerts of the next story's step; its form is not `excluded`."""
        while True:
            candidates = [running for running in self._active if running.story.form != excluded]
            if len(self._active) < _STORIES_AT_A_TIME or not candidates:
                self.add(invent(self._r, f"p{self.partition}-{next(self._names)}"))
                continue
            running = self._r.choice(candidates)
            step = running.next()
            if isinstance(step, int):
                self._active.remove(running)
                heapq.heappush(self._paused, (self._turn + step, next(self._order), running))
            elif step is None:
                self._active.remove(running)
            else:
                return (step if isinstance(step, list) else [step]), running.story.form


class _RunningStory:
    """A story in progress; alerts that its form cannot put into one record follow each other."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self._waiting: list[SentAlert] = []

    def next(self) -> Step | None:
        if self._waiting:
            return self._waiting.pop(0)
        step = next(self.story.steps, None)
        if isinstance(step, list) and self.story.form == NATIVE:
            self._waiting = list(step)
            return self._waiting.pop(0)
        return step
