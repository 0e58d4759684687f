"""Fault injection.

python -m tests.chaos run --seed 7 --faults 200 --alerts 100000 --minutes 60
python -m tests.chaos soak --seed 7 --minutes 60
python -m tests.chaos fuzz --seed 7 --records 100000
"""

import argparse
import faulthandler
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from openclaw_stream.embedded import EmbeddedKafka
from tests.chaos import campaign, fuzz, soak, three_nodes
from tests.chaos.campaign import SCENARIOS, Outcome, Scenario
from tests.chaos.faults import REGISTER, THREE_NODES
from tests.chaos.testbed import Servers, cluster_servers, servers


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code, 1 if anything was wrong."""
    faulthandler.enable()
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("run", help="all kinds of faults over a workload, then the verifier")
    run.add_argument("--faults", type=int, default=200)
    run.add_argument("--alerts", type=int, default=100_000)
    run.add_argument("--minutes", type=float, default=60, help="no fault is injected later")
    run.add_argument("--scenario", choices=[scenario.name for scenario in SCENARIOS], help="one scenario only")
    run.add_argument("--only", action="append", default=[], choices=REGISTER, help="these faults only")
    run.add_argument("--keep", action="store_true", help="keep the logs of clean scenarios too")
    run.set_defaults(do=_run)
    fuzzing = commands.add_parser("fuzz", help="malformed records for one worker")
    fuzzing.add_argument("--records", type=int, default=100_000)
    fuzzing.set_defaults(do=_fuzz)
    soaking = commands.add_parser(
        "soak", help="steady load, a fault every few seconds, and a worker whose resources must not grow"
    )
    soaking.add_argument("--minutes", type=float, default=60)
    soaking.add_argument("--rate", type=float, default=60, help="alerts per second")
    soaking.set_defaults(do=_soak)
    for command in (run, soaking, fuzzing):
        command.add_argument("--seed", type=int, default=random.randrange(1_000_000))  # noqa: S311 - printed, not secret
        command.add_argument("--folder", type=Path, help="where logs go; kept if something was wrong")
    options = parser.parse_args(arguments)
    options.folder = options.folder or Path(tempfile.mkdtemp(prefix="chaos-"))
    print_line(f"seed {options.seed}, logs in {options.folder}")
    clean: bool = options.do(options)
    print_line("clean" if clean else f"NOT CLEAN: seed {options.seed}, logs kept in {options.folder}")
    return 0 if clean else 1


def print_line(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _run(options: argparse.Namespace) -> bool:
    chosen = [scenario for scenario in SCENARIOS if options.scenario in {None, scenario.name}]
    scenarios = [replace(scenario, only=tuple(options.only), keep=options.keep) for scenario in chosen]
    single = [scenario for scenario in scenarios if scenario.name != THREE_NODES]
    outcomes: list[Outcome] = []
    if single:
        with servers() as started:
            outcomes += [_run_one(started, scenario, scenarios, options) for scenario in single]
    for scenario in scenarios[len(single) :]:
        with cluster_servers() as started:
            outcomes.append(_run_one(started, scenario, scenarios, options))
    alerts, faults = sum(o.alerts for o in outcomes), sum(o.faults.total() for o in outcomes)
    print_line(f"total: {faults} faults over {alerts:,} alerts")
    return all(outcome.clean for outcome in outcomes)


def _run_one(
    started: Servers, scenario: Scenario, scenarios: Sequence[Scenario], options: argparse.Namespace
) -> Outcome:
    """Run one scenario with its share of alerts, faults and time, and print its outcome."""
    share = scenario.share / sum(each.share for each in scenarios)
    alerts, faults = int(options.alerts * share), max(round(options.faults * share), 1)
    run = three_nodes.run_scenario if scenario.name == THREE_NODES else campaign.run_scenario
    seed, seconds = options.seed + scenarios.index(scenario), options.minutes * 60 * share
    outcome = run(started, scenario, options.folder / scenario.name, seed, alerts, faults, seconds)
    for line in outcome.lines():
        print_line(line)
    return outcome


def _soak(options: argparse.Namespace) -> bool:
    with servers() as started:
        result = soak.run_soak(started, options.folder / "soak", options.seed, options.minutes, options.rate)
    for line in result.lines():
        print_line(line)
    return result.clean


def _fuzz(options: argparse.Namespace) -> bool:
    with EmbeddedKafka() as kafka:
        outcome = fuzz.run_fuzz(Servers(kafka), options.folder / "fuzz", options.seed, options.records)
    for line in outcome.lines():
        print_line(line)
    return not outcome.problems


if __name__ == "__main__":
    sys.exit(main())
