"""Measure one worker, of this or another build, on a real Kafka, against baselines over the same topic.

The worker is a process of its own. A build is the path of a checkout: its package is imported by this interpreter, with
this environment's libraries. The measuring code and the baselines are always those of this checkout.
"""

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Producer

from openclaw_stream.embedded.server import free_port
from tests.benchmarks.process import cpu_seconds, resident_bytes
from tests.benchmarks.workload import PARTITIONS, Record, Workload
from tests.stream.pipeline import Pipeline, until


@dataclass(frozen=True, slots=True)
class Measurement:
    """One workload, by the baselines and by a worker; rates are alerts per second from a tenth of the load on."""

    bare: float
    """Rate of the loop that only reads and validates."""
    by_hand: float
    """Rate of the consumer written by hand; 0 where it was not measured."""
    worker: float
    """Rate of the worker, until all decisions are published and all offsets committed."""
    cpu_us: float
    """CPU time of the worker in microseconds per alert."""
    resident_mb: float
    """Resident memory of the worker at the end."""
    transactions: float
    """Transactions of the worker per second."""
    decisions: float
    """Decisions (also resolutions) per 1,000 alerts."""

    @property
    def ratio(self) -> float:
        """The worker's rate as a part of the bare loop's."""
        return self.worker / self.bare


def measure(bootstrap: str, workload: Workload, alerts: int, build: Path, *, by_hand: bool = False) -> Measurement:
    """Have the baselines and the build's worker each read a workload of `alerts` alerts."""
    with tempfile.TemporaryDirectory() as folder:
        variables = {"OPENCLAW_COMMIT_INTERVAL": "2", **workload.variables, **import_from(build)}
        pipeline = Pipeline(bootstrap, Path(folder), PARTITIONS, **variables).create()
        try:
            _open(pipeline, workload)
            opened = _published(pipeline)
            records = produce(pipeline, workload.records(alerts))
            topic = pipeline.topics["alerts"]
            total = sum(pipeline.ends())
            bare = _baseline("reader", bootstrap, topic, total)
            hand = _baseline("by_hand", bootstrap, topic, total, f"{topic}.by-hand") if by_hand else 0.0
            per_record = alerts / records
            return _measure_worker(pipeline, alerts, opened, (bare * per_record, hand * per_record))
        finally:
            pipeline.close()


def import_from(build: Path) -> dict[str, str]:
    """Return the variables with which Python imports the package from a checkout.

    Raises:
        ValueError: the checkout has no package.
    """
    # Without the safe path, the current folder would come first.
    variables = {"PYTHONPATH": str(build.resolve()), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, "-c", "import openclaw_stream; print(openclaw_stream.__file__)"]
    imported = subprocess.run(command, env={**os.environ, **variables}, check=True, stdout=subprocess.PIPE, text=True)
    if not Path(imported.stdout.strip()).is_relative_to(build.resolve()):
        raise ValueError(f"{build} has no package openclaw_stream")
    return variables


def produce(pipeline: Pipeline, records: Iterable[Record]) -> int:
    """Write records to the alerts topic; returns how many."""
    producer = Producer(
        {"bootstrap.servers": pipeline.bootstrap, "linger.ms": 20, "queue.buffering.max.messages": 10**6}
    )
    count = 0
    for partition, value in records:
        producer.produce(pipeline.topics["alerts"], value, partition=partition)
        count += 1
        if count % 5_000 == 0:
            producer.poll(0)
    assert producer.flush(120) == 0
    return count


def read_metrics(address: str) -> dict[str, float]:
    """Return the samples of a worker by name, summed over their labels; empty while it starts.

    Parsed by hand: the worker is measured on the same cores.
    """
    try:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as response:
            lines = response.read().decode().splitlines()
    except OSError:
        return {}
    samples: dict[str, float] = {}
    for line in lines:
        if not line.startswith("#"):
            series, value = line.rsplit(" ", 1)
            name = series.partition("{")[0]
            samples[name] = samples.get(name, 0) + float(value)
    return samples


def _open(pipeline: Pipeline, workload: Workload) -> None:
    """Fold and decide what the workload finds open."""
    if not produce(pipeline, workload.opening()):
        return
    worker = pipeline.start_watched()
    worker.await_ready()
    pipeline.await_settled(120)
    pipeline.stop(worker.process)


def _published(pipeline: Pipeline) -> int:
    return len(pipeline.read("decisions"))


def _baseline(module: str, bootstrap: str, topic: str, records: int, *more: str) -> float:
    command = [sys.executable, "-m", f"tests.benchmarks.{module}", bootstrap, topic, str(records), *more]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout)


def _measure_worker(pipeline: Pipeline, alerts: int, opened: int, baselines: tuple[float, float]) -> Measurement:
    address = f"127.0.0.1:{free_port()}"
    first, end = sum(pipeline.committed()), sum(pipeline.ends())
    per_record = alerts / (end - max(first, 0))
    process = pipeline.start(OPENCLAW_HTTP_ADDR=address, OPENCLAW_LOG_LEVEL="warning")
    started = _await_position(pipeline, process, address, max(first, 0) + (end - max(first, 0)) / 10)
    until(pipeline.settled, "the last commit", 600)
    ended, samples = time.perf_counter(), read_metrics(address)
    read = (end - started.position) * per_record
    elapsed = ended - started.time
    cpu = cpu_seconds(process.pid) - started.cpu
    resident = resident_bytes(process.pid)
    pipeline.stop(process)
    return Measurement(
        *baselines,
        worker=read / elapsed,
        cpu_us=cpu / read * 1e6,
        resident_mb=resident / 1e6,
        transactions=(samples["openclaw_transactions_total"] - started.transactions) / elapsed,
        decisions=(_published(pipeline) - opened) / alerts * 1000,
    )


@dataclass(frozen=True, slots=True)
class _Start:
    time: float
    position: float
    transactions: float
    cpu: float


def _await_position(pipeline: Pipeline, process: "subprocess.Popen[bytes]", address: str, position: float) -> _Start:
    while True:
        time.sleep(0.05)
        assert process.poll() is None, pipeline.logs()[-4000:]
        samples = read_metrics(address)
        reached = samples.get("openclaw_stream_position", 0)
        if reached >= position:
            transactions = samples.get("openclaw_transactions_total", 0)
            return _Start(time.perf_counter(), reached, transactions, cpu_seconds(process.pid))
