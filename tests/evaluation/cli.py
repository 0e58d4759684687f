"""The commands of the evaluation."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from openclaw_stream.arbitration.rules import judge
from openclaw_stream.vocabulary import Language
from tests.evaluation.commands import report_commands, show_commands
from tests.evaluation.dataset import DEFAULT, INCIDENTS, OWN, Labelled, NoDataError, load
from tests.evaluation.form import form
from tests.evaluation.marks import FormError, read_form
from tests.evaluation.measures import Scored
from tests.evaluation.reading import decide, draw
from tests.evaluation.report import (
    gate_table,
    held_out_table,
    reliability_table,
    show_errors,
    show_marks,
    show_rules,
    source_table,
)
from tests.evaluation.simulated import MODELS, Signals, score_model, score_rules
from tests.evaluation.sizes import decision_events, event_size, sizes_table

_WIDTH = 120
"""Console width for output to a file or a pipe."""

app = typer.Typer(add_completion=False, help="Score the rules and the gate on labelled alerts, and read decisions.")

Data = Annotated[Path, typer.Option(help=f"Labelled alerts as JSON lines, such as {OWN.name}.")]


@app.command()
def rules(
    data: Data = DEFAULT,
    *,
    errors: Annotated[bool, typer.Option("--errors", help="Also list the wrong answers.")] = False,
) -> None:
    """Score the rules alone: accuracy, F1 by class, confusion, calibration."""
    lines = _lines(data)
    console = _console()
    started = time.process_time()
    scored = by_rules(lines)
    show_rules(console, scored, time.process_time() - started)
    if errors:
        show_errors(console, scored)


@app.command()
def gate(data: Data = DEFAULT) -> None:
    """Score the gate with the rules and simulated models: routed answers and calibration of the final confidence."""
    lines = _lines(data)
    console = _console()
    of_rules = score_rules(lines)
    of_models = [(model, signals, score_model(lines, model, signals)) for model in MODELS for signals in Signals]
    rows = [(model.name, signals.value, scored) for model, signals, scored in of_models]
    console.print(gate_table([("none, the rules decide", "any", of_rules), *rows]))
    without_signals = [(model.name, scored) for model, signals, scored in of_models if signals is Signals.NONE]
    for name, scored in [("the rules alone", of_rules), *without_signals]:
        console.print(source_table(name, list(zip(lines, scored, strict=True))))
    console.print(held_out_table(list(zip(lines, of_rules, strict=True))))
    console.print(reliability_table(of_rules, "Final confidence of the rules alone"))
    honest = [score for model, _, scored in of_models if not model.malicious for score in scored]
    console.print(reliability_table(honest, "Final confidence of all models that may be right"))


@app.command()
def sizes(
    data: Annotated[list[Path] | None, typer.Option(help="Labelled alerts or incidents; may be repeated.")] = None,
) -> None:
    """Print the bytes of decision events in both languages, with the alerts' own words and without."""
    lines = [(path.stem, line) for path in data or _reading_data() for line in _lines(path)]
    for language in Language:
        found = [event_size(event) for event in decision_events(decide(lines, language))]
        _console().print(sizes_table(f"{len(found)} decisions in {language}", found))


@app.command()
def commands(
    data: Annotated[list[Path] | None, typer.Option(help="Labelled alerts or incidents; may be repeated.")] = None,
    *,
    only_counts: Annotated[bool, typer.Option("--counts", help="Without the published commands and reasons.")] = False,
) -> None:
    """Print the commands that are published and why, those that are refused and why, and reasons without evidence."""
    report = report_commands([line for path in data or _reading_data() for line in _lines(path)])
    show_commands(_console(), report, only_counts=only_counts)
    if report.unfounded:
        raise typer.Exit(1)


@app.command()
def read(
    forms: Annotated[list[Path] | None, typer.Argument(help="Filled forms, with --sum.")] = None,
    *,
    count: Annotated[int, typer.Option(min=1, help="Decisions, in equal shares of the files.")] = 50,
    seed: Annotated[int, typer.Option(help="The same seed draws the same incidents.")] = 1,
    language: Annotated[Language, typer.Option(help="Language of the decisions.")] = Language.EN,
    data: Annotated[list[Path] | None, typer.Option(help="Labelled alerts or incidents; may be repeated.")] = None,
    out: Annotated[Path | None, typer.Option(help="The file of the form, else it is printed.")] = None,
    add_up: Annotated[bool, typer.Option("--sum", help="Sum up the filled forms.")] = False,
) -> None:
    """Print a form with decisions beside their alerts, to be marked by a reader; or sum filled forms up."""
    if add_up != bool(forms):
        raise typer.BadParameter("filled forms and --sum belong together")
    try:
        if add_up:
            show_marks(_console(), [marked for path in forms or [] for marked in read_form(path)])
            return
        text = form(decide(draw(data or _reading_data(), count, seed), language))
    except (NoDataError, FormError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if out:
        out.write_text(text, encoding="utf-8")
    else:
        typer.echo(text)


def _reading_data() -> list[Path]:
    """Return the public alerts and the own incidents; the latter alone where the former are absent."""
    if DEFAULT.is_file():
        return [DEFAULT, INCIDENTS]
    typer.echo(f"no labelled alerts at {DEFAULT}: reading {INCIDENTS.name} only", err=True)
    return [INCIDENTS]


def by_rules(lines: list[Labelled]) -> list[tuple[Labelled, Scored]]:
    """Return each line with the scored answer of the rules."""
    judged = [(line, judge(line.case, Language.EN)) for line in lines]
    return [(line, Scored(line.truth, each.primary_responsibility, each.confidence)) for line, each in judged]


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else _WIDTH)


def _lines(data: Path) -> list[Labelled]:
    try:
        return load(data)
    except NoDataError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
