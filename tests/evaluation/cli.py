"""The command line of the evaluation."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from openclaw_stream.arbitration.rules import judge
from openclaw_stream.vocabulary import Language
from tests.evaluation.dataset import DEFAULT, OWN, Labelled, NoDataError, load
from tests.evaluation.measures import Scored
from tests.evaluation.report import gate_table, reliability_table, show_errors, show_rules
from tests.evaluation.simulated import MODELS, Signals, ask, ask_rules

_WIDTH = 120
"""Of what goes into a file or a pipe."""

app = typer.Typer(add_completion=False, help="Score what decides on labelled alerts.")

Data = Annotated[Path, typer.Option(help=f"Labelled alerts, JSON lines; those in our own words are in {OWN.name}.")]


@app.command()
def rules(
    data: Data = DEFAULT,
    *,
    errors: Annotated[bool, typer.Option("--errors", help="List the wrong answers too.")] = False,
) -> None:
    """Score the rules alone: accuracy, F1 by class, confusion, calibration."""
    lines = _lines(data)
    console = _console()
    started = time.process_time()
    answered = by_rules(lines)
    show_rules(console, answered, time.process_time() - started)
    if errors:
        show_errors(console, answered)


@app.command()
def gate(data: Data = DEFAULT) -> None:
    """Score the gate: what it lets through of the rules and of simulated models, and how far its confidence holds."""
    lines = _lines(data)
    console = _console()
    ruled = ask_rules(lines)
    asked = [(model, signals, ask(lines, model, signals)) for model in MODELS for signals in Signals]
    rows = [(model.name, signals.value, scored) for model, signals, scored in asked]
    console.print(gate_table([("none, the rules decide", "any", ruled), *rows]))
    console.print(reliability_table(ruled, "Final confidence of the rules alone"))
    honest = [score for model, _, scored in asked if not model.malign for score in scored]
    console.print(reliability_table(honest, "Final confidence of all models that may be right"))


def by_rules(lines: list[Labelled]) -> list[tuple[Labelled, Scored]]:
    """Return each line with the answer of the rules; COLLAB where they know nothing."""
    judged = [(line, judge(line.case, Language.EN)) for line in lines]
    return [(line, Scored(line.truth, ruled.primary_responsibility, ruled.confidence)) for line, ruled in judged]


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else _WIDTH)


def _lines(data: Path) -> list[Labelled]:
    try:
        return load(data)
    except NoDataError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
