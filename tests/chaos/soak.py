"""Soak: steady load on a fixed set of groups, a fault every few seconds, and one worker whose vitals must stay flat."""

import heapq
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tests.chaos import wire
from tests.chaos.campaign import Act, Conductor, Outcome, verify
from tests.chaos.faults import SOAK
from tests.chaos.feeder import Feeder
from tests.chaos.stage import Servers, Stage
from tests.chaos.stories import Cast
from tests.chaos.vitals import Course, Vitals, courses, look
from tests.chaos.workload import Record

_GROUPS = 400
_LOOK_SECONDS = 2.0
_SETTLE_SECONDS = 240
_FAULT_SECONDS = 6


@dataclass(slots=True)
class Soaked:
    """How a soak went."""

    outcome: Outcome
    courses: list[Course] = field(default_factory=list)
    looks: int = 0

    @property
    def clean(self) -> bool:
        """Whether nothing was wrong, and all was flat."""
        return self.outcome.clean and all(course.flat for course in self.courses)

    def lines(self) -> Iterator[str]:
        """Yield what is to be told of it."""
        yield from self.outcome.lines()
        yield f"  the watched worker, {self.looks} looks:"
        yield from (f"    {course}" for course in self.courses)


def play(servers: Servers, folder: Path, seed: int, minutes: float, rate: float) -> Soaked:
    """Load one worker that lives, beside others that come and go, for so long at `rate` alerts a second."""
    folder.mkdir(parents=True)
    started = time.monotonic()
    seconds = minutes * 60
    module = ("tests.chaos.watched", "run")
    stage = Stage(servers, folder, seed, module=module, settings={"CHAOS_FOLDER": str(folder)})
    stage.create()
    stage.run.save(folder)
    stage.fleet.wanted = 2
    stage.fleet.spares_first = True
    conductor = Conductor(stage, Act(SOAK), seed, int(seconds / _FAULT_SECONDS), started + seconds)
    feeder = Feeder(stage, steady(seed, stage.run.partitions), lambda: rate * (time.monotonic() - started))
    watch = _Watch(stage)
    try:
        stage.fleet.start()
        feeder.start()
        watch.start()
        conductor.conduct(gap=(_FAULT_SECONDS / 2, _FAULT_SECONDS * 1.2))
        time.sleep(max(started + seconds - time.monotonic(), 0))
        feeder.ended.set()
        feeder.join()
        watch.ended.set()
        watch.join()
        settled = stage.settle(_SETTLE_SECONDS)
        stage.fleet.stop()
    finally:
        stage.fleet.kill()
    outcome = Outcome(SOAK, feeder.said, conductor.struck)
    outcome.complaints += [*stage.fleet.complaints, *conductor.errors, *feeder.failed[:5], *watch.complaints]
    outcome.complaints += [] if settled else [f"not settled within {_SETTLE_SECONDS} s"]
    outcome.verified, outcome.report = verify(folder)
    outcome.seconds = time.monotonic() - started
    return Soaked(outcome, courses(watch.seen) if watch.seen else [], len(watch.seen))


class _Watch(threading.Thread):
    """Looks at the first worker, which no fault may end."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(daemon=True)
        self.seen: list[Vitals] = []
        self.complaints: list[str] = []
        self.ended = threading.Event()
        self._stage = stage

    def run(self) -> None:
        """Look every few seconds, and keep what is seen."""
        workers = self._stage.fleet.workers
        while not workers and not self.ended.wait(0.2):
            workers = self._stage.fleet.workers
        with (self._stage.folder / "vitals.csv").open("w") as lines:
            lines.write("seconds," + ",".join(Vitals._fields) + "\n")
            while not self.ended.wait(_LOOK_SECONDS):
                vitals = look(workers[0], self._stage.folder)
                if vitals:
                    self.seen.append(vitals)
                    lines.write(f"{time.time():.0f}," + ",".join(f"{value:.1f}" for value in vitals) + "\n")
                    lines.flush()
        if not workers or not workers[0].alive:
            self.complaints.append("the watched worker did not live to the end")


def steady(seed: int, partitions: int) -> Iterator[Record]:
    """Yield records without end: each group fires, repeats itself, resolves, rests, and fires again."""
    r = random.Random(seed)  # noqa: S311 - a workload, not a secret
    numbers = count()
    lives = [_Life(r, n, n % partitions) for n in range(_GROUPS)]
    due = [(r.random() * _GROUPS, n) for n in range(_GROUPS)]
    heapq.heapify(due)
    while True:
        turn, index = heapq.heappop(due)
        number, life = next(numbers), lives[index]
        if r.random() < 0.005:
            yield Record(number, life.partition, None, wire.poison(r, number), (), dead=True)
        else:
            said = life.next()
            yield Record(
                number, life.partition, said.group.encode(), wire.encode(wire.native(said)), (said,), dead=False
            )
        heapq.heappush(due, (turn + r.uniform(0.2, 2) * _GROUPS, index))


class _Life:
    """A group that comes and goes for ever, with two alert names."""

    def __init__(self, r: random.Random, number: int, partition: int) -> None:
        self.partition = partition
        self._r = r
        self._cast = Cast(r, f"soak-{number}", explicit=True)
        self._steps = self._live()

    def next(self) -> wire.Said:
        return next(self._steps)

    def _live(self) -> Iterator[wire.Said]:
        for cycle in count():
            for _ in range(self._r.randrange(1, 6)):
                yield self._cast.fires(0, cycle)
            if self._r.random() < 0.3:
                yield self._cast.fires(1, cycle, name=1, severity=3)
                yield self._cast.resolves(1, cycle, name=1)
            yield self._cast.resolves(0, cycle)
