"""The command line of the evaluation."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tests.evaluation.dataset import DEFAULT, Labelled, NoDataError, load
from tests.evaluation.deciders import DECIDERS, Decider
from tests.evaluation.measures import Scored
from tests.evaluation.report import show, show_errors

app = typer.Typer(add_completion=False)


@app.command()
def evaluate(
    decider: Annotated[Decider, typer.Argument(help="What is scored.")],
    data: Annotated[Path, typer.Option(help="Labelled alerts, JSON lines.")] = DEFAULT,
    *,
    errors: Annotated[bool, typer.Option("--errors", help="List the wrong answers too.")] = False,
) -> None:
    """Score who decides on labelled alerts: accuracy, F1 by class, confusion, calibration."""
    try:
        lines = load(data)
    except NoDataError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    started = time.process_time()
    answered = answers(lines, decider)
    console = Console()
    show(console, answered, time.process_time() - started)
    if errors:
        show_errors(console, answered)


def answers(lines: list[Labelled], decider: Decider) -> list[tuple[Labelled, Scored]]:
    """Return each line with the decider's answer."""
    decide = DECIDERS[decider]
    return [(line, Scored(line.truth, *decide(line.case))) for line in lines]
