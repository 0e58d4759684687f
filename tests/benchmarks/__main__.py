"""Run the benchmarks on an embedded Kafka and print tables: `python -m tests.benchmarks [--records N] [--rounds N]`."""

import argparse
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from confluent_kafka import Producer
from rich.console import Console
from rich.table import Table

from openclaw_stream.embedded import EmbeddedKafka
from openclaw_stream.embedded.server import free_port
from tests.benchmarks import fold
from tests.benchmarks.workload import PARTITIONS, alert
from tests.stream.pipeline import Pipeline, until

INCIDENTS = 2_000
OPENED_AT_ONCE = 20
OTHERS = {
    "Quix Streams, exactly once, durable state": 0.28,
    "aiokafka by hand, no durable state, 500 a transaction": 0.40,
    "aiokafka by hand, no durable state, 5,000 a transaction": 0.63,
    "Faust": 0.02,
}


def main() -> None:
    """Run all of them."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--records", type=int, default=400_000)
    arguments.add_argument("--rounds", type=int, default=3)
    options = arguments.parse_args()
    console = Console()
    console.print(per_alert())
    with EmbeddedKafka() as kafka:
        console.print(end_to_end(kafka.bootstrap_servers, options.records, options.rounds))


def per_alert() -> Table:
    """Cost and weight by the number of open incidents."""
    table = Table(title="One process, no Kafka: decode + fold + settle", title_justify="left")
    for heading in ("open incidents", "decode µs", "decode + fold µs", "ratio to 10 open", "KiB closed", "KiB open"):
        table.add_column(heading, justify="right")
    base = 0.0
    for incidents in (10, 1_000, 100_000):
        weights = []
        if incidents > 1_000:
            weights = [f"{fold.bytes_per_incident(incidents, closed=closed) / 1024:.1f}" for closed in (True, False)]
        bare, whole = fold.microseconds_per_alert(incidents)
        base = base or whole
        table.add_row(f"{incidents:,}", f"{bare:.1f}", f"{whole:.1f}", f"{whole / base:.2f}", *weights)
    return table


def end_to_end(bootstrap: str, records: int, rounds: int) -> Table:
    """Alerts a second of one worker against the bare read loop over the same topic, round by round."""
    title = f"One worker, {PARTITIONS} partitions, {INCIDENTS:,} open incidents, {records:,} repeats, exactly once"
    table = Table(title=title, title_justify="left")
    for heading in ("", "alerts/s", "ratio", "transactions/s", "decided within 1 s of due"):
        table.add_column(heading, justify="right" if heading else "left")
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            pipeline = Pipeline(bootstrap, Path(folder), PARTITIONS, OPENCLAW_COMMIT_INTERVAL="2").create()
            prompt = _open_incidents(pipeline)
            _produce(pipeline, records)
            bare = _read_bare(pipeline, records)
            ours, transactions = _fold(pipeline)
            table.add_row("bare getmany + pydantic", f"{bare:,.0f}", "1.00", "", "")
            row = f"{ours:,.0f}", f"{ours / bare:.2f}", f"{transactions:.1f}", f"{prompt:.0%}"
            table.add_row("openclaw-stream", *row)
    for name, ratio in OTHERS.items():
        table.add_row(f"{name} (measured elsewhere)", "", f"{ratio:.2f}", "", "", style="dim")
    return table


def _open_incidents(pipeline: Pipeline) -> float:
    """Open and decide all incidents; returns the share that was published within a second of its due time."""
    address = f"127.0.0.1:{free_port()}"
    worker = pipeline.start(OPENCLAW_HTTP_ADDR=address)
    until(lambda: "partition restored" in pipeline.logs(), "the worker")
    for first in range(0, INCIDENTS, OPENED_AT_ONCE):
        groups = range(first, first + OPENED_AT_ONCE)
        pipeline.produce((group % PARTITIONS, alert(group)) for group in groups)
        time.sleep(0.2)
    until(lambda: pipeline.settled() and len(pipeline.read("decisions")) >= INCIDENTS, "the decisions", 120)
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as answer:
        [prompt] = re.findall(r'latency_seconds_bucket{le="1.0"} (\S+)', answer.read().decode())
    pipeline.stop(worker)
    return float(prompt) / INCIDENTS


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
    """Return alerts a second from the tenth part of the storm to the last commit, and transactions a second."""
    address = f"127.0.0.1:{free_port()}"
    first, end = sum(pipeline.committed()), sum(pipeline.ends())
    worker = pipeline.start(OPENCLAW_HTTP_ADDR=address, OPENCLAW_LOG_LEVEL="warning")
    started = begun = 0.0
    transactions = 0.0
    while True:
        time.sleep(0.1)
        metrics = _metrics(address)
        position = metrics.get("openclaw_stream_position", 0)
        if not started and position >= first + (end - first) / 10:
            started, begun, transactions = time.perf_counter(), position, metrics["openclaw_transactions_total"]
        if position >= end:
            break
    elapsed = time.perf_counter() - started
    rate = (end - begun) / elapsed, (_metrics(address)["openclaw_transactions_total"] - transactions) / elapsed
    until(pipeline.settled, "the last commit", 30)
    pipeline.stop(worker)
    return rate


def _metrics(address: str) -> dict[str, float]:
    """Return the samples by name, summed over their labels; empty while the worker starts."""
    try:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return {}
    samples: dict[str, float] = {}
    for line in lines:
        if not line.startswith("#"):
            series, value = line.rsplit(" ", 1)
            name = series.split("{")[0]
            samples[name] = samples.get(name, 0) + float(value)
    return samples


if __name__ == "__main__":
    main()
