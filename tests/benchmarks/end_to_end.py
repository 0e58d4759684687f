"""Measure one worker, of this or another build, on a real Kafka, against the bare loop over the same topic.

The worker is a process of its own. A build is the path of a checkout: its package is imported by this interpreter, with
this environment's libraries. The measuring code and the bare loop are always those of this checkout.
"""

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Producer

from openclaw_stream.embedded.server import free_port
from tests.benchmarks.workload import PARTITIONS, alert
from tests.stream.pipeline import Pipeline, until

INCIDENTS = 2_000
_OPENED_TOGETHER = 20
_PAUSE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Measurement:
    """One storm of repeats over open incidents."""

    bare: float
    """Alerts per second of the bare loop."""
    worker: float
    """Alerts per second of the worker."""
    transactions: float
    """Transactions per second of the worker."""
    prompt: float
    """Share of the decisions that were published within a second of their due time."""

    @property
    def ratio(self) -> float:
        """The worker's rate as a part of the bare loop's."""
        return self.worker / self.bare


def measure(bootstrap: str, records: int, build: Path) -> Measurement:
    """Open incidents, then have the bare loop and the build's worker each read `records` repeats of their alerts."""
    with tempfile.TemporaryDirectory() as folder:
        variables = {"OPENCLAW_COMMIT_INTERVAL": "2", **import_from(build)}
        pipeline = Pipeline(bootstrap, Path(folder), PARTITIONS, **variables).create()
        try:
            prompt = _open_incidents(pipeline)
            _produce(pipeline, records)
            bare = _read_bare(pipeline, records)
            return Measurement(bare, *_fold(pipeline), prompt)
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


def _open_incidents(pipeline: Pipeline) -> float:
    """Open and decide all incidents; returns the share published within a second of their due time."""
    worker = pipeline.start_watched()
    worker.await_ready()
    for first in range(0, INCIDENTS, _OPENED_TOGETHER):
        groups = range(first, first + _OPENED_TOGETHER)
        pipeline.produce((group % PARTITIONS, alert(group)) for group in groups)
        time.sleep(_PAUSE_SECONDS)
    until(lambda: pipeline.settled() and len(pipeline.read("decisions")) >= INCIDENTS, "the decisions", 120)
    prompt = worker.metric("openclaw_decision_latency_seconds_bucket", le="1.0")
    pipeline.stop(worker.process)
    return prompt / INCIDENTS


def _produce(pipeline: Pipeline, records: int) -> None:
    producer = Producer(
        {"bootstrap.servers": pipeline.bootstrap, "linger.ms": 20, "queue.buffering.max.messages": 10**6}
    )
    for n in range(records):
        group = n % INCIDENTS
        producer.produce(pipeline.topics["alerts"], alert(group, n), partition=group % PARTITIONS)
        if n % 5_000 == 0:
            producer.poll(0)
    assert producer.flush(120) == 0


def _read_bare(pipeline: Pipeline, records: int) -> float:
    command = [sys.executable, "-m", "tests.benchmarks.reader", pipeline.bootstrap, pipeline.topics["alerts"]]
    done = subprocess.run([*command, str(records)], check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout)


def _fold(pipeline: Pipeline) -> tuple[float, float]:
    """Return alerts per second from a tenth of the storm to its end, and transactions per second."""
    address = f"127.0.0.1:{free_port()}"
    first, end = sum(pipeline.committed()), sum(pipeline.ends())
    worker = pipeline.start(OPENCLAW_HTTP_ADDR=address, OPENCLAW_LOG_LEVEL="warning")
    start_time = start_position = start_transactions = 0.0
    while True:
        time.sleep(0.1)
        assert worker.poll() is None, pipeline.logs()[-4000:]
        metrics = _metrics(address)
        position = metrics.get("openclaw_stream_position", 0)
        if not start_time and position >= first + (end - first) / 10:
            start_time, start_position = time.perf_counter(), position
            start_transactions = metrics["openclaw_transactions_total"]
        if position >= end:
            break
    elapsed = time.perf_counter() - start_time
    transactions = _metrics(address)["openclaw_transactions_total"] - start_transactions
    until(pipeline.settled, "the last commit", 30)
    pipeline.stop(worker)
    return (end - start_position) / elapsed, transactions / elapsed


def _metrics(address: str) -> dict[str, float]:
    """Return the samples by name, summed over their labels; empty while the worker starts.

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
