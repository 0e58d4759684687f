"""Run the benchmarks on an embedded Kafka and print tables: `python -m tests.benchmarks`.

With `--against CHECKOUT` it compares the workers of two builds, this checkout and another, measured in alternation, and
exits with 1 if the median ratio of this build is less than 0.95 of the other's.
"""

import argparse
import sys
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from openclaw_stream.embedded import EmbeddedKafka
from tests.benchmarks import fold
from tests.benchmarks.end_to_end import INCIDENTS, import_from, measure
from tests.benchmarks.workload import PARTITIONS
from tests.conftest import PROJECT

ACCEPTED = 0.95
"""The lowest accepted quotient of the median ratios, this build's by the other's."""

OTHERS = {
    "Quix Streams, exactly once, durable state": 0.28,
    "aiokafka by hand, no durable state, 500 per transaction": 0.40,
    "aiokafka by hand, no durable state, 5,000 per transaction": 0.63,
    "Faust": 0.02,
}


def main() -> int:
    """Run all benchmarks, or the comparison."""
    options = _options()
    console = Console(highlight=False)
    if options.against:
        return compare(console, options.against, options.records, options.repetitions)
    console.print(per_alert())
    with EmbeddedKafka() as kafka:
        console.print(end_to_end(kafka.bootstrap_servers, options.records, options.repetitions))
    return 0


def per_alert() -> Table:
    """Cost per alert and memory per incident, by the number of open incidents."""
    table = _table(
        "One process, no Kafka: decode + fold + settle",
        *("open incidents", "decode µs", "decode + fold µs", "ratio to 10 open", "KiB closed", "KiB open"),
    )
    base = 0.0
    for incidents in (10, 1_000, 100_000):
        memory = []
        if incidents > 1_000:
            memory = [f"{fold.bytes_per_incident(incidents, closed=closed) / 1024:.1f}" for closed in (True, False)]
        decoded, folded = fold.microseconds_per_alert(incidents)
        base = base or folded
        table.add_row(f"{incidents:,}", f"{decoded:.1f}", f"{folded:.1f}", f"{folded / base:.2f}", *memory)
    return table


def end_to_end(bootstrap: str, records: int, repetitions: int) -> Table:
    """Alerts per second of one worker against the bare loop over the same topic."""
    table = _table(_storm(records), "", "alerts/s", "ratio", "transactions/s", "decided within 1 s of due")
    for _ in range(repetitions):
        result = measure(bootstrap, records, PROJECT)
        table.add_row("bare getmany + pydantic", f"{result.bare:,.0f}", "1.00", "", "")
        values = f"{result.worker:,.0f}", f"{result.ratio:.2f}", f"{result.transactions:.1f}", f"{result.prompt:.0%}"
        table.add_row("openclaw-stream", *values)
    for name, ratio in OTHERS.items():
        table.add_row(f"{name} (measured elsewhere)", "", f"{ratio:.2f}", "", "", style="dim")
    return table


def compare(console: Console, other: Path, records: int, repetitions: int) -> int:
    """Measure this build and another in alternation; print each ratio, the medians and their quotient."""
    builds = {"this build": PROJECT, "the other": other}
    for build in builds.values():
        import_from(build)
    ratios: dict[str, list[float]] = {name: [] for name in builds}
    console.print(f"{_storm(records)}; {repetitions} repetitions", soft_wrap=True)
    with EmbeddedKafka() as kafka:
        for repetition in range(1, repetitions + 1):
            # Which one is first changes: a machine that slows down over time would favour one of them.
            for name in sorted(builds, reverse=repetition % 2 == 0):
                result = measure(kafka.bootstrap_servers, records, builds[name])
                ratios[name].append(result.ratio)
                rates = f"worker {result.worker:,.0f}/s, bare loop {result.bare:,.0f}/s"
                console.print(f"{repetition}  {name:<10}  {rates}, ratio {result.ratio:.3f}", soft_wrap=True)
    this, that = median(ratios["this build"]), median(ratios["the other"])
    console.print(f"median ratio: this build {this:.3f}, the other {that:.3f}", soft_wrap=True)
    console.print(f"quotient: {this / that:.3f} (at least {ACCEPTED})", soft_wrap=True)
    return 0 if this / that >= ACCEPTED else 1


def _options() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    arguments.add_argument("--records", type=int, default=400_000, help="alerts of the storm")
    arguments.add_argument("--repetitions", type=int, default=3, help="how often each build is measured")
    arguments.add_argument("--against", type=Path, metavar="CHECKOUT", help="another checkout, to compare its worker")
    return arguments.parse_args()


def _storm(records: int) -> str:
    return f"One worker, {PARTITIONS} partitions, {INCIDENTS:,} open incidents, {records:,} repeats, exactly once"


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, justify="right" if heading else "left")
    return table


if __name__ == "__main__":
    sys.exit(main())
