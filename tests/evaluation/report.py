"""Tables of the scores."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from openclaw_stream.events.vocabulary import Responsibility
from tests.evaluation.dataset import Labelled
from tests.evaluation.measures import CLASSES, Scored, accuracy, class_score, confusion, ece, macro_f1, reliability

Answered = Sequence[tuple[Labelled, Scored]]


def show(console: Console, answered: Answered, seconds: float) -> None:
    """Print all tables; `seconds` is the processor time that deciding took."""
    scored = [score for _, score in answered]
    console.print(_overview(answered))
    console.print(_classes(scored))
    console.print(_confusion(scored))
    console.print(_reliability(scored))
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
    for heading in ("count", "accuracy", "macro-F1", "ECE", "confidence"):
        table.add_column(heading, no_wrap=True)
    groups = {"all": [score for _, score in answered]}
    for line, score in answered:
        groups.setdefault(line.certainty, []).append(score)
    for line, score in answered:
        groups.setdefault(line.source, []).append(score)
    for name, scored in groups.items():
        confidence = sum(score.confidence for score in scored) / max(1, len(scored))
        figures = (accuracy(scored), macro_f1(scored), ece(scored), confidence)
        table.add_row(name, str(len(scored)), *(f"{figure:.3f}" for figure in figures))
    return table


def _classes(scored: Sequence[Scored]) -> Table:
    table = Table("class", "support", "precision", "recall", "F1", title="By class")
    for of in CLASSES:
        score = class_score(scored, of)
        table.add_row(of, str(score.support), *(f"{value:.3f}" for value in (score.precision, score.recall, score.f1)))
    return table


def _confusion(scored: Sequence[Scored]) -> Table:
    guesses = (*CLASSES, Responsibility.COLLAB)
    table = Table("truth", *guesses, title="Confusion")
    counts = confusion(scored)
    for truth in CLASSES:
        table.add_row(truth, *(str(counts[truth, guess]) for guess in guesses))
    return table


def _reliability(scored: Sequence[Scored]) -> Table:
    table = Table("confidence", "count", "mean confidence", "accuracy", title="Reliability")
    for held in reliability(scored):
        span = f"{held.low:.1f}-{held.high:.1f}"
        table.add_row(span, str(held.count), f"{held.confidence:.3f}", f"{held.accuracy:.3f}")
    return table
