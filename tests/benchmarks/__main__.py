"""Run the benchmarks on an embedded Kafka and print tables: `python -m tests.benchmarks`.

`--only NAME`, repeated, runs some of them; `--json FILE` also writes the figures. With `--against CHECKOUT` it compares
the workers of two builds, this checkout and another, by the repeats, measured in alternation, and exits with 1 if the
median ratio of this build is less than 0.95 of the other's.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from openclaw_stream.embedded import EmbeddedKafka
from tests.benchmarks import fold
from tests.benchmarks.end_to_end import Measurement, import_from, measure
from tests.benchmarks.promptness import milliseconds_over_due
from tests.benchmarks.start import import_cpu_seconds, start_with
from tests.benchmarks.workload import GROUPS, PARTITIONS, WORKLOADS
from tests.conftest import PROJECT

ACCEPTED = 0.95
"""The lowest accepted quotient of the median ratios, this build's by the other's."""

OPEN_INCIDENTS = (10, 1_000, 100_000)
BACKLOG = 1_000_000
RATES = {"at light load": (5, 20), "at 500 decisions/s": (500, 10)}
"""New incidents per second, and for how many seconds."""

Figures = dict[str, Any]


def main() -> int:
    """Run all benchmarks, some of them, or the comparison."""
    options = _options()
    console = Console(highlight=False)
    if options.against:
        return compare(console, options.against, options.records, options.repetitions)
    figures: Figures = {}
    with EmbeddedKafka() as kafka:
        for name, run in _benchmarks(kafka.bootstrap_servers, options).items():
            if not options.only or name in options.only:
                table, figures[name] = run()
                console.print(table)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


def _benchmarks(bootstrap: str, options: argparse.Namespace) -> dict[str, Callable[[], tuple[Table, Figures]]]:
    def by_workload(name: str, records: int, repetitions: int) -> Callable[[], tuple[Table, Figures]]:
        return lambda: end_to_end(bootstrap, name, records, repetitions)

    return {
        **{name: by_workload(name, options.records, options.repetitions) for name in WORKLOADS},
        "backlog": by_workload("storm", BACKLOG, 1),
        "open": per_alert,
        "start": lambda: starts(bootstrap),
        "promptness": lambda: promptness(bootstrap),
    }


def end_to_end(bootstrap: str, name: str, records: int, repetitions: int) -> tuple[Table, Figures]:
    """One workload, by the bare loop, the consumer written by hand, and the worker; the median of the repetitions."""
    workload = WORKLOADS[name]
    title = f"{workload.title}: {records:,} alerts, {PARTITIONS} partitions, exactly once"
    table = _table(title, "", "alerts/s", "ratio", "CPU µs", "MB", "transactions/s", "decisions/1,000")
    results = [measure(bootstrap, workload, records, PROJECT, by_hand=True) for _ in range(repetitions)]
    middle = sorted(results, key=lambda result: result.ratio)[len(results) // 2]
    for label, row in _rows(middle).items():
        table.add_row(label, *row)
    return table, {**asdict(middle), "ratio": middle.ratio, "ratios": [result.ratio for result in results]}


def _rows(result: Measurement) -> dict[str, tuple[str, ...]]:
    return {
        "bare getmany + pydantic": (f"{result.bare:,.0f}", "1.00"),
        "aiokafka by hand, 5,000 a transaction": (f"{result.by_hand:,.0f}", f"{result.by_hand / result.bare:.2f}"),
        "openclaw-stream": (
            f"{result.worker:,.0f}",
            f"{result.ratio:.2f}",
            f"{result.cpu_us:.0f}",
            f"{result.resident_mb:.0f}",
            f"{result.transactions:.1f}",
            f"{result.decisions:.1f}",
        ),
    }


def per_alert() -> tuple[Table, Figures]:
    """Cost per alert and memory per incident, by the number of open incidents."""
    table = _table(
        "One process, no Kafka: decode + fold + settle",
        *("open incidents", "decode µs", "decode + fold µs", "ratio to 10 open", "KiB closed", "KiB open"),
    )
    base, figures = 0.0, {}
    for incidents in OPEN_INCIDENTS:
        memory = []
        if incidents > 1_000:
            memory = [fold.bytes_per_incident(incidents, closed=closed) / 1024 for closed in (True, False)]
        decoded, folded = fold.microseconds_per_alert(incidents)
        base = base or folded
        row = f"{decoded:.1f}", f"{folded:.1f}", f"{folded / base:.2f}", *(f"{each:.1f}" for each in memory)
        table.add_row(f"{incidents:,}", *row)
        figures[str(incidents)] = {"decode_us": decoded, "fold_us": folded, "kib_closed_open": memory}
    return table, figures


def starts(bootstrap: str) -> tuple[Table, Figures]:
    """What a worker costs before and between alerts, by the number of open incidents."""
    imports = import_cpu_seconds(PROJECT)
    title = f"Start and rest, {PARTITIONS} partitions; its imports take {imports:.2f} s of CPU time"
    table = _table(title, "open incidents", "ready after s", "MB when ready", "idle % of a core")
    figures: Figures = {"imports_cpu_s": imports}
    for incidents in OPEN_INCIDENTS:
        start = start_with(bootstrap, incidents, PROJECT)
        row = f"{start.ready_seconds:.1f}", f"{start.ready_mb:.0f}", f"{start.idle_percent:.1f}"
        table.add_row(f"{incidents:,}", *row)
        figures[str(incidents)] = asdict(start)
    return table, figures


def promptness(bootstrap: str) -> tuple[Table, Figures]:
    """The delay between the due time of a decision and its publication."""
    table, figures = _table("Published after its due time", "", "p50 ms", "p99 ms"), {}
    for label, (rate, seconds) in RATES.items():
        median_delay, slow_delay = milliseconds_over_due(bootstrap, rate, seconds, PROJECT)
        table.add_row(label, f"{median_delay:.0f}", f"{slow_delay:.0f}")
        figures[label] = {"p50_ms": median_delay, "p99_ms": slow_delay}
    return table, figures


def compare(console: Console, other: Path, records: int, repetitions: int) -> int:
    """Measure this build and another in alternation; print each ratio, the medians and their quotient."""
    builds = {"this build": PROJECT, "the other": other}
    for build in builds.values():
        import_from(build)
    ratios: dict[str, list[float]] = {name: [] for name in builds}
    title = f"{records:,} repeats over {GROUPS:,} open incidents, {PARTITIONS} partitions; {repetitions} repetitions"
    console.print(title, soft_wrap=True)
    with EmbeddedKafka() as kafka:
        for repetition in range(1, repetitions + 1):
            # Which one is first changes: a machine that slows down over time would favour one of them.
            for name in sorted(builds, reverse=repetition % 2 == 0):
                result = measure(kafka.bootstrap_servers, WORKLOADS["repeats"], records, builds[name])
                ratios[name].append(result.ratio)
                rates = f"worker {result.worker:,.0f}/s, bare loop {result.bare:,.0f}/s"
                console.print(f"{repetition}  {name:<10}  {rates}, ratio {result.ratio:.3f}", soft_wrap=True)
    this, that = median(ratios["this build"]), median(ratios["the other"])
    console.print(f"median ratio: this build {this:.3f}, the other {that:.3f}", soft_wrap=True)
    console.print(f"quotient: {this / that:.3f} (at least {ACCEPTED})", soft_wrap=True)
    return 0 if this / that >= ACCEPTED else 1


def _options() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    arguments.add_argument("--records", type=int, default=200_000, help="alerts of each workload")
    arguments.add_argument("--repetitions", type=int, default=3, help="how often each build is measured")
    names = [*WORKLOADS, "backlog", "open", "start", "promptness"]
    arguments.add_argument("--only", action="append", choices=names, help="a benchmark; may be repeated")
    arguments.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to this file")
    arguments.add_argument("--against", type=Path, metavar="CHECKOUT", help="another checkout, to compare its worker")
    return arguments.parse_args()


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, justify="right" if heading else "left")
    return table


if __name__ == "__main__":
    sys.exit(main())
