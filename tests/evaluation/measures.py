"""Accuracy, F1 by class, confusion and calibration."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from openclaw_stream.arbitration.gate import THRESHOLD
from openclaw_stream.vocabulary import Responsibility

CLASSES = tuple(Responsibility)
_BINS = 10


@dataclass(frozen=True, slots=True)
class Scored:
    """One answer: the responsible team, the answered team, and the confidence (0 to 1)."""

    truth: Responsibility
    guess: Responsibility
    confidence: float

    @property
    def right(self) -> bool:
        """Whether the answer is right."""
        return self.truth is self.guess

    @property
    def routed(self) -> bool:
        """Whether the gate routes this to the answered team instead of to several teams."""
        return self.confidence >= THRESHOLD and self.guess is not Responsibility.COLLAB

    @property
    def gated(self) -> "Scored":
        """The published answer: COLLAB if it is not routed."""
        return self if self.routed else replace(self, guess=Responsibility.COLLAB)


@dataclass(frozen=True, slots=True)
class ClassScore:
    """The scores of one class; `support` is the number of cases of that class."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Bin:
    """The answers with a confidence in [low, high); the last bin includes 1."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


def accuracy(answers: Sequence[Scored]) -> float:
    """Return the share of right answers, 0 without answers."""
    return fmean(answer.right for answer in answers) if answers else 0.0


def routed(answers: Sequence[Scored]) -> list[Scored]:
    """Return the answers that the gate routes to one team."""
    return [answer for answer in answers if answer.routed]


def class_score(answers: Sequence[Scored], of: Responsibility) -> ClassScore:
    """Return precision, recall and F1 of a class; a quotient without a denominator is 0."""
    hits = sum(answer.right and answer.truth is of for answer in answers)
    guessed = sum(answer.guess is of for answer in answers)
    support = sum(answer.truth is of for answer in answers)
    return ClassScore(
        precision=hits / guessed if guessed else 0.0,
        recall=hits / support if support else 0.0,
        f1=2 * hits / (guessed + support) if guessed + support else 0.0,
        support=support,
    )


def macro_f1(answers: Sequence[Scored]) -> float:
    """Return the mean F1 over the classes that occur."""
    scores = [class_score(answers, of) for of in CLASSES]
    present = [score.f1 for score in scores if score.support]
    return fmean(present) if present else 0.0


def confusion(answers: Sequence[Scored]) -> Counter[tuple[Responsibility, Responsibility]]:
    """Count the answers by (truth, guess)."""
    return Counter((answer.truth, answer.guess) for answer in answers)


def reliability(answers: Sequence[Scored]) -> list[Bin]:
    """Return the non-empty bins of ten equal bins of confidence."""
    bins: dict[int, list[Scored]] = {}
    for answer in answers:
        bins.setdefault(min(_BINS - 1, int(answer.confidence * _BINS)), []).append(answer)
    return [
        Bin(
            low=index / _BINS,
            high=(index + 1) / _BINS,
            count=len(members),
            confidence=fmean(member.confidence for member in members),
            accuracy=accuracy(members),
        )
        for index, members in sorted(bins.items())
    ]


def ece(answers: Sequence[Scored]) -> float:
    """Return the expected calibration error: the mean distance between confidence and accuracy over ten equal bins.

    Guo et al., "On Calibration of Modern Neural Networks", 2017.
    """
    bins = reliability(answers)
    return sum(b.count * abs(b.confidence - b.accuracy) for b in bins) / len(answers) if answers else 0.0
