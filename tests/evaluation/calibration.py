"""Cross-validation of the confidence by source: what a calibration on all other sources makes of one that it never saw.

The calibration is Platt's: a line in log-odds, `logit(p') = a * logit(p) + b`, with the least log loss (J. Platt,
"Probabilistic outputs for support vector machines", 1999), found on a grid. With a = 1 and b = 0 it changes nothing.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from tests.evaluation.dataset import Labelled
from tests.evaluation.measures import Scored, accuracy, ece, routed

_SLOPES = [step / 10 for step in range(2, 21)]
_OFFSETS = [step / 10 for step in range(-20, 21)]
_MARGIN = 1e-3

ScoredLines = Sequence[tuple[Labelled, Scored]]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The scores of one source, as published and with the calibration of all others."""

    source: str
    published: Sequence[Scored]
    calibrated: Sequence[Scored]


def leave_one_source_out(lines: ScoredLines) -> Iterator[HeldOut]:
    """Yield each source with the calibration that is fitted to all other sources."""
    for source in dict.fromkeys(line.source for line, _ in lines):
        others = [score for line, score in lines if line.source != source]
        published = [score for line, score in lines if line.source == source]
        slope, offset = fit(others) if others else (1.0, 0.0)
        yield HeldOut(source, published, [_calibrated(score, slope, offset) for score in published])


def fit(scores: Sequence[Scored]) -> tuple[float, float]:
    """Return slope and offset with the least log loss."""
    return min(product(_SLOPES, _OFFSETS), key=lambda line: _log_loss(scores, *line))


def figures(scores: Sequence[Scored]) -> tuple[float, float, float]:
    """Return ECE, the share that is routed, and the accuracy of what is routed."""
    one_team = routed(scores)
    return ece(scores), len(one_team) / len(scores), accuracy(one_team)


def _calibrated(score: Scored, slope: float, offset: float) -> Scored:
    return replace(score, confidence=_probability(slope * _log_odds(score.confidence) + offset))


def _log_loss(scores: Sequence[Scored], slope: float, offset: float) -> float:
    each = (_probability(slope * _log_odds(score.confidence) + offset) for score in scores)
    return -sum(math.log(p if score.right else 1 - p) for p, score in zip(each, scores, strict=True))


def _log_odds(probability: float) -> float:
    bounded = min(max(probability, _MARGIN), 1 - _MARGIN)
    return math.log(bounded / (1 - bounded))


def _probability(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))
