"""Accuracy, F1 by class, confusion, and how far stated confidence can be trusted."""

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
    """One answer: who is responsible, who was said to be, and with what confidence (0 to 1)."""

    truth: Responsibility
    guess: Responsibility
    confidence: float

    @property
    def right(self) -> bool:
        """Whether the answer is right."""
        return self.truth is self.guess

    @property
    def routed(self) -> bool:
        """Whether the gate sends this to the one team that was answered, not to several."""
        return self.confidence >= THRESHOLD and self.guess is not Responsibility.COLLAB

    @property
    def gated(self) -> "Scored":
        """The answer that is published: COLLAB where it is not routed."""
        return self if self.routed else replace(self, guess=Responsibility.COLLAB)


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How well one class is found; `support` is how often it is the truth."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Bin:
    """The answers whose confidence lies in [low, high), the last including 1."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


def accuracy(answers: Sequence[Scored]) -> float:
    """Return the share of right answers, 0 of none."""
    return fmean(answer.right for answer in answers) if answers else 0.0


def routed(answers: Sequence[Scored]) -> list[Scored]:
    """Return the answers that the gate lets through to one team."""
    return [answer for answer in answers if answer.routed]


def class_score(answers: Sequence[Scored], of: Responsibility) -> ClassScore:
    """Return precision, recall and F1 of a class; what cannot be said is 0."""
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
    """Return the mean F1 over the classes that are the truth of some answer."""
    scores = [class_score(answers, of) for of in CLASSES]
    present = [score.f1 for score in scores if score.support]
    return fmean(present) if present else 0.0


def confusion(answers: Sequence[Scored]) -> Counter[tuple[Responsibility, Responsibility]]:
    """Count the answers by (truth, guess)."""
    return Counter((answer.truth, answer.guess) for answer in answers)


def reliability(answers: Sequence[Scored]) -> list[Bin]:
    """Return the bins of equal width that hold any answers."""
    held: dict[int, list[Scored]] = {}
    for answer in answers:
        held.setdefault(min(_BINS - 1, int(answer.confidence * _BINS)), []).append(answer)
    return [
        Bin(
            low=place / _BINS,
            high=(place + 1) / _BINS,
            count=len(members),
            confidence=fmean(member.confidence for member in members),
            accuracy=accuracy(members),
        )
        for place, members in sorted(held.items())
    ]


def ece(answers: Sequence[Scored]) -> float:
    """Return the expected calibration error: the mean distance of confidence and accuracy over ten equal bins.

    Guo et al., "On Calibration of Modern Neural Networks", 2017.
    """
    bins = reliability(answers)
    return sum(b.count * abs(b.confidence - b.accuracy) for b in bins) / len(answers) if answers else 0.0
