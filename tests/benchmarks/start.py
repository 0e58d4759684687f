"""A worker that has nothing to do: what its imports cost, when it is ready, what it uses at rest and with many open."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.end_to_end import import_from, produce
from tests.benchmarks.process import cpu_seconds, resident_bytes
from tests.benchmarks.workload import NO_WAITS, PARTITIONS, alert
from tests.stream.pipeline import Pipeline

_IMPORTS = "import openclaw_stream.cli, openclaw_stream.stream.worker"
_IDLE_SECONDS = 20
_OPENING_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Start:
    """A worker that was started with a number of open incidents."""

    ready_seconds: float
    """From the start of the process until it is ready, Kafka's join included."""
    ready_mb: float
    """Resident memory when it is ready."""
    idle_percent: float
    """Share of one core that it uses while nothing comes in."""


def import_cpu_seconds(build: Path) -> float:
    """Return the CPU time of an interpreter that imports what a worker needs, less that of one that imports nothing."""
    environment = {**os.environ, **import_from(build)}

    def used(program: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", program], env=environment, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return min(used(_IMPORTS) for _ in range(3)) - min(used("") for _ in range(3))


def start_with(bootstrap: str, incidents: int, build: Path) -> Start:
    """Open and decide incidents, stop the worker, and start another one."""
    with tempfile.TemporaryDirectory() as folder:
        pipeline = Pipeline(bootstrap, Path(folder), PARTITIONS, **NO_WAITS, **import_from(build)).create()
        try:
            _open(pipeline, incidents)
            started = time.perf_counter()
            worker = pipeline.start_watched()
            worker.await_ready(120)
            ready = time.perf_counter() - started
            memory = resident_bytes(worker.process.pid)
            time.sleep(2)
            before = cpu_seconds(worker.process.pid)
            time.sleep(_IDLE_SECONDS)
            idle = (cpu_seconds(worker.process.pid) - before) / _IDLE_SECONDS
            pipeline.stop(worker.process)
        finally:
            pipeline.close()
    return Start(ready, memory / 1e6, idle * 100)


def _open(pipeline: Pipeline, incidents: int) -> None:
    produce(pipeline, ((group % PARTITIONS, alert(group)) for group in range(incidents)))
    worker = pipeline.start_watched()
    worker.await_ready()
    pipeline.await_settled(_OPENING_SECONDS)
    pipeline.stop(worker.process)
