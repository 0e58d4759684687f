"""The resources of a process, from /proc, its metrics and its own task count, and whether they grow."""

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.chaos.fleet import Worker
from tests.chaos.fuzz import metrics

_GROWTH = 1.1


class Vitals(NamedTuple):
    """One sample of a worker; memory in MiB, of which `pending` is its undecided work by its own metric."""

    memory: float
    files: float
    connections: float
    threads: float
    tasks: float
    pending: float


SLACK = Vitals(memory=12, files=6, connections=6, threads=2, tasks=6, pending=4)
"""How much a resource may grow beyond a tenth: the effect of a few partitions more or less."""


def sample(worker: Worker, folder: Path) -> Vitals | None:
    """Return the vitals; None while the worker is frozen or has ended."""
    process = Path(f"/proc/{worker.process.pid}")
    tasks_file = folder / f"tasks-{worker.process.pid}"
    try:
        status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        if status["State"].split()[0] in "TtZX":
            return None
        files = [_target(each) for each in (process / "fd").iterdir()]
        tasks = float(tasks_file.read_text() or 0) if tasks_file.exists() else 0.0
        own = metrics(worker.http)
        worker.send(signal.SIGUSR2)
    except (OSError, ValueError):
        return None
    return Vitals(
        memory=int(status["VmRSS"].split()[0]) / 1024,
        files=len(files),
        connections=sum(target.startswith("socket:") for target in files),
        threads=int(status["Threads"]),
        tasks=tasks,
        pending=own["openclaw_pending_bytes"] / 2**20,
    )


@dataclass(frozen=True, slots=True)
class Trend:
    """The trend of one resource: its medians early and late, after a warm-up."""

    name: str
    early: float
    late: float
    most: float
    slack: float

    @property
    def flat(self) -> bool:
        """Whether it did not grow by more than a tenth and the slack."""
        return self.late <= self.early * _GROWTH + self.slack

    def __str__(self) -> str:
        """Return a line of the report."""
        sign = "flat" if self.flat else "GROWS"
        return f"{self.name:12} early {self.early:8.1f}  late {self.late:8.1f}  most {self.most:8.1f}  {sign}"


def trends(seen: Sequence[Vitals]) -> list[Trend]:
    """Compare the second fifth of the samples with the last."""
    fifth = max(len(seen) // 5, 1)
    early, late = seen[fifth : 2 * fifth] or seen, seen[-fifth:]
    return [
        Trend(name, median(getattr(v, name) for v in early), median(getattr(v, name) for v in late), most, slack)
        for name, slack in SLACK._asdict().items()
        for most in [max(getattr(v, name) for v in seen)]
    ]


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""
