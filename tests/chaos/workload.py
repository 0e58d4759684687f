"""The workload: numbered records for several partitions, woven from many stories, with the truth of each.

A program of its own as far as the one under test goes: it imports nothing of it.
"""

import heapq
import random
from collections.abc import Iterator
from itertools import count
from typing import Any, NamedTuple

from tests.chaos import wire
from tests.chaos.stories import EITHER, NATIVE, WEBHOOK, Step, Story, gather_crowd, invent
from tests.chaos.wire import Said

_STORIES_AT_A_TIME = 40
_CROWD_SHARE = 5
_CROWD_MAX = 20_000
_BUNDLE_MAX = 40

_POISON, _PARTIAL, _TOMBSTONE = 0.005, 0.006, 0.002
_BUNDLED, _WRAPPED = 0.15, 0.1


class Record(NamedTuple):
    """One record to produce: `alerts` are those of it that can be read, `dead` whether it is to be a dead letter."""

    number: int
    partition: int
    key: bytes | None
    value: bytes | None
    alerts: tuple[Said, ...]
    dead: bool


class Workload:
    """Records until about `alerts` alerts are said; iterate once.

    Every group stays on one partition. One group on each run gets a fifth of all alerts as members of its own, 20,000
    at most.
    """

    def __init__(self, seed: int, alerts: int, partitions: int) -> None:
        self._r = random.Random(seed)  # noqa: S311 - a workload, not a secret
        self._alerts = alerts
        self._said = 0
        self._numbers = count()
        self._weavers = [_Weaver(self._r, partition) for partition in range(partitions)]
        crowd = min(alerts // _CROWD_SHARE, _CROWD_MAX)
        self._r.choice(self._weavers).add(gather_crowd(self._r, "crowd", crowd))

    def add_partition(self) -> None:
        """Give a further partition groups of its own; may be called from another thread."""
        self._weavers.append(_Weaver(self._r, len(self._weavers)))

    def __iter__(self) -> Iterator[Record]:
        while self._said < self._alerts:
            chance = self._r.random()
            partition = self._r.randrange(len(self._weavers))
            if chance < _POISON:
                yield self._broken(partition, dead=True)
            elif chance < _POISON + _TOMBSTONE:
                yield self._broken(partition, dead=False)
            else:
                record = self._next(self._weavers[partition], partial=chance < _POISON + _TOMBSTONE + _PARTIAL)
                self._said += len(record.alerts)
                yield record

    def _broken(self, partition: int, *, dead: bool) -> Record:
        number = next(self._numbers)
        value = wire.poison(self._r, number) if dead else None
        return Record(number, partition, self._r.choice((None, b"k")), value, (), dead)

    def _next(self, weaver: "_Weaver", *, partial: bool) -> Record:
        number, r = next(self._numbers), self._r
        alerts, payload = weaver.take(bundle=partial or r.random() < _BUNDLED)
        document: dict[str, Any] = wire.webhook(alerts) if payload else wire.native(alerts[0])
        dead = partial and payload
        if dead:
            document["alerts"].insert(r.randrange(len(alerts) + 1), {"labels": {"n": str(number)}})
        if r.random() < _WRAPPED:
            document = wire.cloudevent(document, number)
        own = alerts[0].group.encode()
        [key] = r.choices((own, None, b"elsewhere"), (8, 1, 1))
        return Record(number, weaver.partition, key, wire.encode(document), tuple(alerts), dead)


class _Weaver:
    """The stories of one partition, taken by turns; a pausing one lies aside until its turn has come."""

    def __init__(self, r: random.Random, partition: int) -> None:
        self.partition = partition
        self._r = r
        self._turn = 0
        self._names = count()
        self._order = count()
        self._active: list[_Telling] = []
        self._paused: list[tuple[int, int, _Telling]] = []

    def add(self, story: Story) -> None:
        self._active.append(_Telling(story))

    def take(self, *, bundle: bool) -> tuple[list[Said], bool]:
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

    def _step(self, unfit: str | None) -> tuple[list[Said], str]:
        """Return what the next story says, of another form than `unfit`."""
        while True:
            fit = [telling for telling in self._active if telling.story.form != unfit]
            if len(self._active) < _STORIES_AT_A_TIME or not fit:
                self.add(invent(self._r, f"p{self.partition}-{next(self._names)}"))
                continue
            telling = self._r.choice(fit)
            step = telling.next()
            if isinstance(step, int):
                self._active.remove(telling)
                heapq.heappush(self._paused, (self._turn + step, next(self._order), telling))
            elif step is None:
                self._active.remove(telling)
            else:
                return (step if isinstance(step, list) else [step]), telling.story.form


class _Telling:
    """A story being told; alerts that its form cannot put into one record follow each other."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self._waiting: list[Said] = []

    def next(self) -> Step | None:
        if self._waiting:
            return self._waiting.pop(0)
        step = next(self.story.steps, None)
        if isinstance(step, list) and self.story.form == NATIVE:
            self._waiting = list(step)
            return self._waiting.pop(0)
        return step
