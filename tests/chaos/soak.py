"""Soak: steady load on a fixed set of groups, a fault every few seconds, and a worker whose resources must not grow."""

import heapq
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tests.chaos import wire
from tests.chaos.campaign import FaultInjector, Outcome, Scenario, verify
from tests.chaos.faults import SOAK
from tests.chaos.feeder import Feeder
from tests.chaos.stories import Cast
from tests.chaos.testbed import Servers, Testbed
from tests.chaos.vitals import Trend, Vitals, sample, trends
from tests.chaos.workload import Record

_GROUPS = 400
_SAMPLE_SECONDS = 2.0
_SETTLE_SECONDS = 240
_FAULT_SECONDS = 6


@dataclass(slots=True)
class SoakResult:
    """The result of a soak."""

    outcome: Outcome
    trends: list[Trend] = field(default_factory=list)
    samples: int = 0

    @property
    def clean(self) -> bool:
        """Whether nothing was wrong, and no resource grew."""
        return self.outcome.clean and all(trend.flat for trend in self.trends)

    def lines(self) -> Iterator[str]:
        """Yield the report."""
        yield from self.outcome.lines()
        yield f"  the watched worker, {self.samples} samples:"
        yield from (f"    {trend}" for trend in self.trends)


def run_soak(servers: Servers, folder: Path, seed: int, minutes: float, rate: float) -> SoakResult:
    """Load one worker that no fault ends, beside others that are restarted, with `rate` alerts per second."""
    folder.mkdir(parents=True)
    started = time.monotonic()
    seconds = minutes * 60
    module = ("tests.chaos.watched", "run")
    testbed = Testbed(servers, folder, seed, module=module, settings={"CHAOS_FOLDER": str(folder)})
    testbed.create()
    testbed.run.save(folder)
    testbed.fleet.wanted = 2
    testbed.fleet.spares_first = True
    injector = FaultInjector(testbed, Scenario(SOAK), seed, int(seconds / _FAULT_SECONDS), started + seconds)
    feeder = Feeder(testbed, steady(seed, testbed.run.partitions), lambda: rate * (time.monotonic() - started))
    vitals_sampler = _VitalsSampler(testbed)
    try:
        testbed.fleet.start()
        feeder.start()
        vitals_sampler.start()
        injector.run(gap=(_FAULT_SECONDS / 2, _FAULT_SECONDS * 1.2))
        time.sleep(max(started + seconds - time.monotonic(), 0))
        feeder.ended.set()
        feeder.join()
        vitals_sampler.ended.set()
        vitals_sampler.join()
        settled = testbed.settle(_SETTLE_SECONDS)
        testbed.fleet.stop()
    finally:
        testbed.fleet.kill()
    outcome = Outcome(SOAK, feeder.produced, injector.injected)
    outcome.problems += [*testbed.fleet.problems, *injector.errors, *feeder.failed[:5], *vitals_sampler.problems]
    outcome.problems += [] if settled else [f"not settled within {_SETTLE_SECONDS} s"]
    outcome.verified, outcome.report = verify(folder)
    outcome.seconds = time.monotonic() - started
    return SoakResult(
        outcome, trends(vitals_sampler.samples) if vitals_sampler.samples else [], len(vitals_sampler.samples)
    )


class _VitalsSampler(threading.Thread):
    """Samples the first worker, which no fault may end."""

    def __init__(self, testbed: Testbed) -> None:
        super().__init__(daemon=True)
        self.samples: list[Vitals] = []
        self.problems: list[str] = []
        self.ended = threading.Event()
        self._testbed = testbed

    def run(self) -> None:
        """Sample every few seconds, and keep the samples."""
        workers = self._testbed.fleet.workers
        while not workers and not self.ended.wait(0.2):
            workers = self._testbed.fleet.workers
        with (self._testbed.folder / "vitals.csv").open("w") as lines:
            lines.write("seconds," + ",".join(Vitals._fields) + "\n")
            while not self.ended.wait(_SAMPLE_SECONDS):
                vitals = sample(workers[0], self._testbed.folder)
                if vitals:
                    self.samples.append(vitals)
                    lines.write(f"{time.time():.0f}," + ",".join(f"{value:.1f}" for value in vitals) + "\n")
                    lines.flush()
        if not workers or not workers[0].alive:
            self.problems.append("the watched worker ended before the soak did")


def steady(seed: int, partitions: int) -> Iterator[Record]:
    """Yield records without end: each group fires, repeats, resolves, pauses, and fires again."""
    r = random.Random(seed)  # noqa: S311 - a workload, not a secret
    numbers = count()
    lives = [_GroupLife(r, n, n % partitions) for n in range(_GROUPS)]
    due = [(r.random() * _GROUPS, n) for n in range(_GROUPS)]
    heapq.heapify(due)
    while True:
        turn, index = heapq.heappop(due)
        number, life = next(numbers), lives[index]
        if r.random() < 0.005:
            yield Record(number, life.partition, None, wire.poison(r, number), (), dead=True)
        else:
            sent = life.next()
            yield Record(
                number, life.partition, sent.group.encode(), wire.encode(wire.native(sent)), (sent,), dead=False
            )
        heapq.heappush(due, (turn + r.uniform(0.2, 2) * _GROUPS, index))


class _GroupLife:
    """A group that fires and resolves again and again, with two alert names."""

    def __init__(self, r: random.Random, number: int, partition: int) -> None:
        self.partition = partition
        self._r = r
        self._cast = Cast(r, f"soak-{number}", explicit=True)
        self._steps = self._live()

    def next(self) -> wire.SentAlert:
        return next(self._steps)

    def _live(self) -> Iterator[wire.SentAlert]:
        for cycle in count():
            for _ in range(self._r.randrange(1, 6)):
                yield self._cast.fires(0, cycle)
            if self._r.random() < 0.3:
                yield self._cast.fires(1, cycle, name=1, severity=3)
                yield self._cast.resolves(1, cycle, name=1)
            yield self._cast.resolves(0, cycle)
