"""A campaign: scenarios one after another, each a workload under random faults, then checked by the verifier."""

import random
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos import cluster_faults  # noqa: F401 - registers its faults
from tests.chaos.faults import COMPACTED, CREATE, LOG_APPEND, THREE_NODES, Fault, matrix
from tests.chaos.feeder import Feeder
from tests.chaos.offsets import committed_offsets
from tests.chaos.silences import Injection
from tests.chaos.testbed import Servers, Testbed
from tests.chaos.workload import Workload

_CONCURRENT_MAX = 3
_GAP_SECONDS = (0.3, 7.0)
_SETTLE_SECONDS = 240
_HEAL_SECONDS = 120
_ALONE_SECONDS = 6
"""Pause after a fault that is injected alone."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One part of a campaign, on its own topics; `share` is its part of faults and alerts."""

    name: str
    share: float = 1
    only: tuple[str, ...] = ()
    """The names of its faults; empty for all."""
    alone: float = 0
    """The part of its faults that are injected while no other is active, so that their effects can be separated."""
    keep: bool = False
    """Whether its folder is kept even if nothing was wrong."""


SCENARIOS = (
    Scenario(LOG_APPEND, 0.42),
    Scenario(CREATE, 0.18),
    Scenario(COMPACTED, 0.1),
    Scenario(THREE_NODES, 0.3, alone=0.4),
)


@dataclass(slots=True)
class Outcome:
    """The result of a scenario."""

    scenario: str
    alerts: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    report: str = ""
    notes: list[str] = field(default_factory=list)
    """Measurements beside the verifier's report."""
    verified: bool = False
    seconds: float = 0.0

    @property
    def clean(self) -> bool:
        """Whether nothing was wrong."""
        return self.verified and not self.problems

    def lines(self) -> Iterator[str]:
        """Yield the report."""
        faults = ", ".join(f"{name} x{times}" for name, times in sorted(self.faults.items()))
        total = f"{self.alerts:,} alerts, {self.faults.total()} faults in {self.seconds:.0f} s"
        yield f"scenario {self.scenario}: {total} ({faults})"
        yield from (f"  {line}" for line in (*self.report.splitlines(), *self.notes))
        yield from (f"  problem: {problem}" for problem in self.problems)


class FaultInjector:
    """Injects faults at random times, several at once, until the wanted number is reached."""

    def __init__(self, testbed: Testbed, scenario: Scenario, seed: int, faults: int, deadline: float) -> None:
        self.injected: Counter[str] = Counter()
        self.errors: list[str] = []
        self.injections: list[Injection] = []
        """The injected faults, in the order in which they ended."""
        self._testbed = testbed
        self._r = random.Random(seed)  # noqa: S311 - a schedule, not a secret
        self._wanted = faults
        self._alone = scenario.alone
        self._deadline = deadline
        self._rotation = _Rotation(self._r, matrix(scenario.name, testbed, scenario.only))
        self._lock = threading.Lock()
        self._running: list[threading.Thread] = []
        self._log = (testbed.folder / "faults.log").open("w")

    @property
    def progress(self) -> float:
        """The part of the wanted faults that was injected."""
        return min(self.injected.total() / max(self._wanted, 1), 1.0)

    @property
    def overtime(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() > self._deadline

    def run(self, gap: tuple[float, float] = _GAP_SECONDS) -> None:
        """Injection until there were enough, or the time is over; return when all is healed."""
        while self.injected.total() < self._wanted and not self.overtime:
            time.sleep(self._r.uniform(*gap))
            if self._r.random() < self._alone:
                self._join()
                self._begin()
                self._join()
                time.sleep(_ALONE_SECONDS)
            elif len(self._alive()) < min(_CONCURRENT_MAX, self._wanted - self.injected.total()):
                self._begin()
        self._join()
        if self._alive():
            self.errors.append("a fault did not heal")
        self._log.close()

    def _begin(self) -> None:
        each = random.Random(self._r.random())  # noqa: S311 - likewise
        thread = threading.Thread(target=self._inject, args=(self._rotation.next(), each), daemon=True)
        self._running.append(thread)
        thread.start()

    def _join(self) -> None:
        for thread in self._running:
            thread.join(_HEAL_SECONDS)

    def _alive(self) -> list[threading.Thread]:
        return [thread for thread in self._running if thread.is_alive()]

    def _inject(self, fault: Fault, r: random.Random) -> None:
        with self._testbed.hold(*fault.holds) as held:
            if not held:
                self._rotation.put_back(fault)
                return
            began = time.time()
            self._note(f"{fault.name} begins")
            try:
                injected = fault.inject(self._testbed, r)
            except Exception as error:  # noqa: BLE001 - any error is reported
                self.errors.append(f"{fault.name} itself failed: {error!r}")
                injected = False
            self._note(f"{fault.name} ends" if injected else f"{fault.name} found nothing to break")
            with self._lock:
                self.injected[fault.name] += injected
                if injected:
                    self.injections.append(Injection(fault.name, began, time.time()))

    def _note(self, what: str) -> None:
        self._log.write(f"{time.time():.3f} {what}\n")
        self._log.flush()


class _Rotation:
    """Returns the faults in random order, each once before any is repeated."""

    def __init__(self, r: random.Random, faults: Sequence[Fault]) -> None:
        self._r = r
        self._faults = faults
        self._left: list[Fault] = []

    def next(self) -> Fault:
        if not self._left:
            self._left = self._r.sample(self._faults, len(self._faults))
        return self._left.pop()

    def put_back(self, fault: Fault) -> None:
        """Take back a fault that could not be injected now."""
        self._left.insert(0, fault)


def run_scenario(  # noqa: PLR0917 - the sizes of a scenario
    servers: Servers, scenario: Scenario, folder: Path, seed: int, alerts: int, faults: int, seconds: float
) -> Outcome:
    """Run one scenario and verify it; its folder is removed if nothing was wrong, unless it is to be kept."""
    folder.mkdir(parents=True)
    started = time.monotonic()
    testbed = Testbed(servers, folder, seed, create_time=scenario.name == CREATE, compacted=scenario.name == COMPACTED)
    testbed.create()
    testbed.run.save(folder)
    injector = FaultInjector(testbed, scenario, seed, faults, started + seconds)
    feeder = Feeder(testbed, Workload(seed, alerts, testbed.run.partitions), pace(injector, alerts, faults))
    outcome = Outcome(scenario.name)
    try:
        testbed.fleet.start()
        feeder.start()
        injector.run()
        if injector.overtime:
            feeder.ended.set()
        feeder.join()
        if not testbed.settle(_SETTLE_SECONDS):
            at = f"committed {committed_offsets(testbed.run)}, ends {testbed.ends()}"
            outcome.problems.append(f"not settled within {_SETTLE_SECONDS} s: {at}")
        testbed.fleet.stop()
    finally:
        testbed.fleet.kill()
    outcome.alerts, outcome.faults = feeder.produced, injector.injected
    outcome.problems += [*testbed.fleet.problems, *injector.errors, *feeder.failed[:5]]
    outcome.verified, outcome.report = verify(folder)
    outcome.seconds = time.monotonic() - started
    if outcome.clean and not scenario.keep:
        shutil.rmtree(folder)
    return outcome


def pace(injector: FaultInjector, alerts: int, faults: int) -> Callable[[], float]:
    """Spread the alerts over the faults; after each fault, its share is produced within two seconds.

    The alerts are a little ahead of the faults, so that each fault meets a busy worker.
    """
    share = alerts / (faults + 1)
    begun = [0, time.monotonic()]

    def allowed() -> float:
        injected = injector.injected.total()
        if injected != begun[0]:
            begun[:] = [injected, time.monotonic()]
        ramp = min((time.monotonic() - begun[1]) / 2, 1.0)
        return alerts if injector.progress >= 1 else share * (injected + ramp)

    return allowed


def verify(folder: Path) -> tuple[bool, str]:
    """Run the verifier as a process; returns whether nothing was wrong, and its report."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.verifier", str(folder)], capture_output=True, text=True, check=False
    )
    report = (done.stdout + done.stderr).strip()
    (folder / "report.txt").write_text(report)
    return done.returncode == 0, report
