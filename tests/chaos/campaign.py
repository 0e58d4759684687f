"""A campaign: acts one after another, each a workload under faults at random times, then verified from outside."""

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

from tests.chaos import cluster_faults  # noqa: F401 - enters its faults into the matrix
from tests.chaos.faults import COMPACTED, CREATE, LOG_APPEND, THREE_NODES, Fault, matrix
from tests.chaos.feeder import Feeder
from tests.chaos.offsets import committed_offsets
from tests.chaos.silences import Strike
from tests.chaos.stage import Servers, Stage
from tests.chaos.workload import Workload

_ABREAST = 3
_GAP_SECONDS = (0.3, 7.0)
_SETTLE_SECONDS = 240
_HEAL_SECONDS = 120
_ALONE_SECONDS = 6
"""How long nothing else breaks after a fault that strikes alone."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Act:
    """One part of a campaign, on topics of its own; `share` is its part of faults and alerts."""

    name: str
    share: float = 1
    only: tuple[str, ...] = ()
    """The names of its faults, all of the matrix where empty."""
    alone: float = 0
    """The part of its faults that strike while no other does, so that their effects can be told apart."""
    keep: bool = False
    """Whether its folder stays also where all is well."""


ACTS = (Act(LOG_APPEND, 0.42), Act(CREATE, 0.18), Act(COMPACTED, 0.1), Act(THREE_NODES, 0.3, alone=0.4))


@dataclass(slots=True)
class Outcome:
    """How an act went."""

    act: str
    alerts: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)
    report: str = ""
    notes: list[str] = field(default_factory=list)
    """Measures beside the verifier's report."""
    verified: bool = False
    seconds: float = 0.0

    @property
    def clean(self) -> bool:
        """Whether nothing was wrong."""
        return self.verified and not self.complaints

    def lines(self) -> Iterator[str]:
        """Yield what is to be told of it."""
        struck = ", ".join(f"{name} x{times}" for name, times in sorted(self.faults.items()))
        yield f"act {self.act}: {self.alerts:,} alerts, {self.faults.total()} faults in {self.seconds:.0f} s ({struck})"
        yield from (f"  {line}" for line in (*self.report.splitlines(), *self.notes))
        yield from (f"  complaint: {complaint}" for complaint in self.complaints)


class Conductor:
    """Has faults strike at random times, several at once, until there were enough."""

    def __init__(self, stage: Stage, act: Act, seed: int, faults: int, deadline: float) -> None:
        self.struck: Counter[str] = Counter()
        self.errors: list[str] = []
        self.strikes: list[Strike] = []
        """The faults that struck, in the order in which they ended."""
        self._stage = stage
        self._r = random.Random(seed)  # noqa: S311 - a schedule, not a secret
        self._wanted = faults
        self._alone = act.alone
        self._deadline = deadline
        self._deck = _Deck(self._r, matrix(act.name, stage, act.only))
        self._lock = threading.Lock()
        self._running: list[threading.Thread] = []
        self._log = (stage.folder / "faults.log").open("w")

    @property
    def progress(self) -> float:
        """The part of the faults that has struck."""
        return min(self.struck.total() / max(self._wanted, 1), 1.0)

    @property
    def overtime(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() > self._deadline

    def conduct(self, gap: tuple[float, float] = _GAP_SECONDS) -> None:
        """Strike until there were enough, or the time is over; return when all is healed."""
        while self.struck.total() < self._wanted and not self.overtime:
            time.sleep(self._r.uniform(*gap))
            if self._r.random() < self._alone:
                self._join()
                self._begin()
                self._join()
                time.sleep(_ALONE_SECONDS)
            elif len(self._alive()) < min(_ABREAST, self._wanted - self.struck.total()):
                self._begin()
        self._join()
        if self._alive():
            self.errors.append("a fault did not heal")
        self._log.close()

    def _begin(self) -> None:
        each = random.Random(self._r.random())  # noqa: S311 - likewise
        thread = threading.Thread(target=self._strike, args=(self._deck.draw(), each), daemon=True)
        self._running.append(thread)
        thread.start()

    def _join(self) -> None:
        for thread in self._running:
            thread.join(_HEAL_SECONDS)

    def _alive(self) -> list[threading.Thread]:
        return [thread for thread in self._running if thread.is_alive()]

    def _strike(self, fault: Fault, r: random.Random) -> None:
        with self._stage.hold(*fault.holds) as held:
            if not held:
                self._deck.put_back(fault)
                return
            began = time.time()
            self._note(f"{fault.name} begins")
            try:
                struck = fault.strike(self._stage, r)
            except Exception as error:  # noqa: BLE001 - whatever it was, the run is to tell of it
                self.errors.append(f"{fault.name} itself failed: {error!r}")
                struck = False
            self._note(f"{fault.name} ends" if struck else f"{fault.name} found nothing to break")
            with self._lock:
                self.struck[fault.name] += struck
                if struck:
                    self.strikes.append(Strike(fault.name, began, time.time()))

    def _note(self, what: str) -> None:
        self._log.write(f"{time.time():.3f} {what}\n")
        self._log.flush()


class _Deck:
    """Deals every fault once before any comes again."""

    def __init__(self, r: random.Random, faults: Sequence[Fault]) -> None:
        self._r = r
        self._faults = faults
        self._left: list[Fault] = []

    def draw(self) -> Fault:
        if not self._left:
            self._left = self._r.sample(self._faults, len(self._faults))
        return self._left.pop()

    def put_back(self, fault: Fault) -> None:
        """Take back a fault that could not strike now."""
        self._left.insert(0, fault)


def play(servers: Servers, act: Act, folder: Path, seed: int, alerts: int, faults: int, seconds: float) -> Outcome:  # noqa: PLR0917 - an act's measures
    """Play one act and verify it; its folder is removed where all is well, unless it is to be kept."""
    folder.mkdir(parents=True)
    started = time.monotonic()
    stage = Stage(servers, folder, seed, create_time=act.name == CREATE, compacted=act.name == COMPACTED)
    stage.create()
    stage.run.save(folder)
    conductor = Conductor(stage, act, seed, faults, started + seconds)
    feeder = Feeder(stage, Workload(seed, alerts, stage.run.partitions), pace(conductor, alerts, faults))
    outcome = Outcome(act.name)
    try:
        stage.fleet.start()
        feeder.start()
        conductor.conduct()
        if conductor.overtime:
            feeder.ended.set()
        feeder.join()
        if not stage.settle(_SETTLE_SECONDS):
            at = f"committed {committed_offsets(stage.run)}, ends {stage.ends()}"
            outcome.complaints.append(f"not settled within {_SETTLE_SECONDS} s: {at}")
        stage.fleet.stop()
    finally:
        stage.fleet.kill()
    outcome.alerts, outcome.faults = feeder.said, conductor.struck
    outcome.complaints += [*stage.fleet.complaints, *conductor.errors, *feeder.failed[:5]]
    outcome.verified, outcome.report = verify(folder)
    outcome.seconds = time.monotonic() - started
    if outcome.clean and not act.keep:
        shutil.rmtree(folder)
    return outcome


def pace(conductor: Conductor, alerts: int, faults: int) -> Callable[[], float]:
    """Spread the alerts over the faults; between two faults they come over a second or two.

    A few alerts are ahead of the faults, so that each strikes amid work.
    """
    share = alerts / (faults + 1)
    begun = [0, time.monotonic()]

    def allowed() -> float:
        struck = conductor.struck.total()
        if struck != begun[0]:
            begun[:] = [struck, time.monotonic()]
        ramp = min((time.monotonic() - begun[1]) / 2, 1.0)
        return alerts if conductor.progress >= 1 else share * (struck + ramp)

    return allowed


def verify(folder: Path) -> tuple[bool, str]:
    """Run the verifier as a program of its own; returns whether all was well, and its report."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.verifier", str(folder)], capture_output=True, text=True, check=False
    )
    report = (done.stdout + done.stderr).strip()
    (folder / "report.txt").write_text(report)
    return done.returncode == 0, report
