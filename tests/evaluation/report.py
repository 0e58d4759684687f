"""Tables of the scores."""

from collections import Counter
from collections.abc import Sequence
from statistics import fmean

from rich.console import Console
from rich.table import Table

from openclaw_stream.arbitration.gate import THRESHOLD
from openclaw_stream.vocabulary import Responsibility
from tests.evaluation.calibration import figures, leave_one_source_out
from tests.evaluation.dataset import Labelled
from tests.evaluation.marks import Mark, Marked
from tests.evaluation.measures import (
    CLASSES,
    Scored,
    accuracy,
    class_score,
    confusion,
    ece,
    macro_f1,
    reliability,
    routed,
)

ScoredLines = Sequence[tuple[Labelled, Scored]]


def show_rules(console: Console, lines: ScoredLines, seconds: float) -> None:
    """Print the tables of the rules; `seconds` is the processor time of all judgements."""
    scored = [score for _, score in lines]
    for table in (_overview(lines), _classes(scored), _confusion(scored), reliability_table(scored)):
        console.print(table)
    console.print(f"{len(scored)} cases, {seconds / max(1, len(scored)) * 1e6:.0f} µs of processor time each")


def show_errors(console: Console, lines: ScoredLines) -> None:
    """Print the wrong answers, highest confidence first."""
    table = Table("id", "source", "truth", "answer", "confidence", "alert", title="Wrong answers")
    wrong = [(line, score) for line, score in lines if not score.right]
    for line, score in sorted(wrong, key=lambda pair: -pair[1].confidence):
        name = next(iter(line.case.alert_names))
        table.add_row(line.id, line.source, score.truth, score.guess, f"{score.confidence:.2f}", name[:60])
    console.print(table)


def show_marks(console: Console, marked: Sequence[Marked]) -> None:
    """Print counts and shares of the marks by data set and by team, and the misses."""
    table = Table("decisions", "count", title="Marks")
    for mark in Mark:
        table.add_column(mark, no_wrap=True, justify="right")
    groups: dict[str, list[Marked]] = {"all": list(marked)}
    for each in sorted(marked, key=lambda each: each.dataset):
        groups.setdefault(each.dataset, []).append(each)
    for each in sorted(marked, key=lambda each: CLASSES.index(each.team)):
        groups.setdefault(each.team, []).append(each)
    for name, members in groups.items():
        counts = Counter(each.mark for each in members)
        shares = (f"{counts[mark]} ({counts[mark] / max(1, len(members)):.0%})" for mark in Mark)
        table.add_row(name, str(len(members)), *shares)
    console.print(table)
    misses = Table("form", "number", "id", "team", "mark", "note", title="Misses")
    for each in marked:
        if each.mark is not Mark.HELPFUL:
            misses.add_row(each.form, str(each.number), each.id, each.team, each.mark, each.note)
    console.print(misses)


def _overview(lines: ScoredLines) -> Table:
    table = Table(title="Scores")
    table.add_column("lines", overflow="fold")
    for heading in ("count", "accuracy", "macro-F1", "ECE", "routed", "right of routed"):
        table.add_column(heading, no_wrap=heading != "right of routed")
    groups = {"all": [score for _, score in lines]}
    for line, score in lines:
        groups.setdefault(line.certainty, []).append(score)
    for line, score in lines:
        groups.setdefault(line.source, []).append(score)
    for name, scored in groups.items():
        routed_to_one = routed(scored)
        figures = (
            accuracy(scored),
            macro_f1(scored),
            ece(scored),
            len(routed_to_one) / len(scored),
            accuracy(routed_to_one),
        )
        table.add_row(name, str(len(scored)), *(f"{figure:.3f}" for figure in figures))
    return table


def _classes(scored: Sequence[Scored]) -> Table:
    table = Table("class", "support", "precision", "recall", "F1", title="By class")
    for of in _present(scored):
        score = class_score(scored, of)
        table.add_row(of, str(score.support), *(f"{value:.3f}" for value in (score.precision, score.recall, score.f1)))
    return table


def _present(scored: Sequence[Scored]) -> list[Responsibility]:
    return [of for of in CLASSES if any(score.truth is of for score in scored)]


def _confusion(scored: Sequence[Scored]) -> Table:
    table = Table("truth", *CLASSES, title="Confusion")
    counts = confusion(scored)
    for truth in _present(scored):
        table.add_row(truth, *(str(counts[truth, guess]) for guess in CLASSES))
    return table


def gate_table(rows: Sequence[tuple[str, str, Sequence[Scored]]]) -> Table:
    """Return the gate's scores for rows of (model, golden signals, answers).

    `right` is the accuracy, `final` the mean final confidence, `routed` the share that is routed to one team.
    """
    table = Table("model", "signals", title=f"Gate at {THRESHOLD:.2f}")
    for heading in ("right", "final", "ECE", "routed", "right of routed", "wrong routed"):
        table.add_column(heading, no_wrap=heading != "right of routed", justify="right")
    for model, signals, scored in rows:
        routed_to_one = routed(scored)
        figures = (
            accuracy(scored),
            fmean(score.confidence for score in scored),
            ece(scored),
            len(routed_to_one) / len(scored),
        )
        wrong = sum(not score.right for score in routed_to_one)
        table.add_row(model, signals, *(f"{figure:.3f}" for figure in (*figures, accuracy(routed_to_one))), str(wrong))
    return table


def source_table(model: str, lines: ScoredLines) -> Table:
    """Return how many answers of each source are routed to one team, and how many of these are right."""
    table = Table(title=f"By source: {model}")
    table.add_column("source", overflow="fold")
    for heading in ("count", "routed", "right", "right of routed", "ECE"):
        table.add_column(heading, justify="right")
    for source in dict.fromkeys(line.source for line, _ in lines):
        scored = [score for line, score in lines if line.source == source]
        routed_to_one = routed(scored)
        right = sum(score.right for score in routed_to_one)
        shares = (f"{accuracy(routed_to_one):.3f}", f"{ece(scored):.3f}")
        table.add_row(source, str(len(scored)), str(len(routed_to_one)), str(right), *shares)
    return table


def held_out_table(lines: ScoredLines) -> Table:
    """Return the scores of each source, as published and with the calibration of all other sources."""
    table = Table(title="The rules on each source, calibrated on the others")
    table.add_column("source", overflow="fold")
    for heading in ("ECE", "calibrated", "routed", "calibrated", "right of routed", "calibrated"):
        table.add_column(heading, justify="right")
    for each in leave_one_source_out(lines):
        pairs = zip(figures(each.published), figures(each.calibrated), strict=True)
        table.add_row(each.source, *(f"{value:.3f}" for pair in pairs for value in pair))
    return table


def reliability_table(scored: Sequence[Scored], title: str = "Reliability") -> Table:
    """Return the accuracy by confidence."""
    table = Table("confidence", "count", "mean confidence", "accuracy", title=title)
    for each in reliability(scored):
        span = f"{each.low:.1f}-{each.high:.1f}"
        table.add_row(span, str(each.count), f"{each.confidence:.3f}", f"{each.accuracy:.3f}")
    return table
