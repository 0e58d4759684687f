"""Proof under fire.

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
from tests.chaos.campaign import ACTS, Act, Outcome
from tests.chaos.faults import REGISTER, THREE_NODES
from tests.chaos.stage import Servers, cluster_servers, servers


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse and do; returns the exit code, 1 where anything was wrong."""
    faulthandler.enable()
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("run", help="the fault matrix over a workload, then the verifier")
    run.add_argument("--faults", type=int, default=200)
    run.add_argument("--alerts", type=int, default=100_000)
    run.add_argument("--minutes", type=float, default=60, help="no fault strikes later")
    run.add_argument("--act", choices=[act.name for act in ACTS], help="one act only")
    run.add_argument("--only", action="append", default=[], choices=REGISTER, help="these faults only")
    run.add_argument("--keep", action="store_true", help="keep the logs of clean acts, too")
    run.set_defaults(do=_run)
    fuzzing = commands.add_parser("fuzz", help="malformed records for one worker")
    fuzzing.add_argument("--records", type=int, default=100_000)
    fuzzing.set_defaults(do=_fuzz)
    soaking = commands.add_parser("soak", help="steady load, a fault every few seconds, a worker that must stay flat")
    soaking.add_argument("--minutes", type=float, default=60)
    soaking.add_argument("--rate", type=float, default=60, help="alerts a second")
    soaking.set_defaults(do=_soak)
    for command in (run, soaking, fuzzing):
        command.add_argument("--seed", type=int, default=random.randrange(1_000_000))  # noqa: S311 - printed, not secret
        command.add_argument("--folder", type=Path, help="where logs go; kept where something was wrong")
    options = parser.parse_args(arguments)
    options.folder = options.folder or Path(tempfile.mkdtemp(prefix="chaos-"))
    say(f"seed {options.seed}, logs in {options.folder}")
    clean: bool = options.do(options)
    say("clean" if clean else f"NOT CLEAN: seed {options.seed}, logs kept in {options.folder}")
    return 0 if clean else 1


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _run(options: argparse.Namespace) -> bool:
    chosen = [act for act in ACTS if options.act in {None, act.name}]
    acts = [replace(act, only=tuple(options.only), keep=options.keep) for act in chosen]
    single = [act for act in acts if act.name != THREE_NODES]
    outcomes: list[Outcome] = []
    if single:
        with servers() as started:
            outcomes += [_play(started, act, acts, options) for act in single]
    for act in acts[len(single) :]:
        with cluster_servers() as started:
            outcomes.append(_play(started, act, acts, options))
    alerts, faults = sum(o.alerts for o in outcomes), sum(o.faults.total() for o in outcomes)
    say(f"total: {faults} faults over {alerts:,} alerts")
    return all(outcome.clean for outcome in outcomes)


def _play(started: Servers, act: Act, acts: Sequence[Act], options: argparse.Namespace) -> Outcome:
    """Play one act with its share of what all have together, and print how it went."""
    share = act.share / sum(each.share for each in acts)
    alerts, faults = int(options.alerts * share), max(round(options.faults * share), 1)
    play = three_nodes.play if act.name == THREE_NODES else campaign.play
    seed, seconds = options.seed + acts.index(act), options.minutes * 60 * share
    outcome = play(started, act, options.folder / act.name, seed, alerts, faults, seconds)
    for line in outcome.lines():
        say(line)
    return outcome


def _soak(options: argparse.Namespace) -> bool:
    with servers() as started:
        soaked = soak.play(started, options.folder / "soak", options.seed, options.minutes, options.rate)
    for line in soaked.lines():
        say(line)
    return soaked.clean


def _fuzz(options: argparse.Namespace) -> bool:
    with EmbeddedKafka() as kafka:
        outcome = fuzz.play(Servers(kafka), options.folder / "fuzz", options.seed, options.records)
    for line in outcome.lines():
        say(line)
    return not outcome.complaints


if __name__ == "__main__":
    sys.exit(main())
