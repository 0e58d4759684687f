"""Tables of the scores."""

from collections.abc import Sequence
from statistics import fmean

from rich.console import Console
from rich.table import Table

from openclaw_stream.arbitration.gate import THRESHOLD
from openclaw_stream.vocabulary import Responsibility
from tests.evaluation.dataset import Labelled
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

Answered = Sequence[tuple[Labelled, Scored]]


def show_rules(console: Console, answered: Answered, seconds: float) -> None:
    """Print the tables of the rules; `seconds` is the processor time that deciding took."""
    scored = [score for _, score in answered]
    for table in (_overview(answered), _classes(scored), _confusion(scored), reliability_table(scored)):
        console.print(table)
    console.print(f"{len(scored)} cases, {seconds / max(1, len(scored)) * 1e6:.0f} µs of processor time each")


def show_errors(console: Console, answered: Answered) -> None:
    """Print the wrong answers, the surest first."""
    table = Table("id", "source", "truth", "answer", "confidence", "alert", title="Wrong answers")
    wrong = [(line, score) for line, score in answered if not score.right]
    for line, score in sorted(wrong, key=lambda pair: -pair[1].confidence):
        name = next(iter(line.case.alert_names))
        table.add_row(line.id, line.source, score.truth, score.guess, f"{score.confidence:.2f}", name[:60])
    console.print(table)


def _overview(answered: Answered) -> Table:
    table = Table(title="Scores")
    table.add_column("lines", overflow="fold")
    for heading in ("count", "accuracy", "macro-F1", "ECE", "routed", "right of routed"):
        table.add_column(heading, no_wrap=heading != "right of routed")
    groups = {"all": [score for _, score in answered]}
    for line, score in answered:
        groups.setdefault(line.certainty, []).append(score)
    for line, score in answered:
        groups.setdefault(line.source, []).append(score)
    for name, scored in groups.items():
        let = routed(scored)
        figures = (accuracy(scored), macro_f1(scored), ece(scored), len(let) / len(scored), accuracy(let))
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
    """Return the gate's scores for each simulated model and what the golden signals say: (model, signals, answers).

    `right` is the answers' accuracy, `final` the mean final confidence; `routed` is the share that goes to one team.
    """
    table = Table("model", "signals", title=f"Gate at {THRESHOLD:.2f}")
    for heading in ("right", "final", "ECE", "routed", "right of routed", "wrong routed"):
        table.add_column(heading, no_wrap=heading != "right of routed", justify="right")
    for model, signals, scored in rows:
        let = routed(scored)
        figures = (accuracy(scored), fmean(score.confidence for score in scored), ece(scored), len(let) / len(scored))
        wrong = sum(not score.right for score in let)
        table.add_row(model, signals, *(f"{figure:.3f}" for figure in (*figures, accuracy(let))), str(wrong))
    return table


def reliability_table(scored: Sequence[Scored], title: str = "Reliability") -> Table:
    """Return how often answers of each stated confidence are right."""
    table = Table("confidence", "count", "mean confidence", "accuracy", title=title)
    for held in reliability(scored):
        span = f"{held.low:.1f}-{held.high:.1f}"
        table.add_row(span, str(held.count), f"{held.confidence:.3f}", f"{held.accuracy:.3f}")
    return table
