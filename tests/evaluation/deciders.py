"""What can be scored: each takes a case and says who is responsible and how sure it is."""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from openclaw_stream.arbitration.rules import judge
from openclaw_stream.events.vocabulary import Language, Responsibility
from openclaw_stream.incidents.case import Case


class Answer(NamedTuple):
    """Who is said to be responsible, with a confidence of 0 to 1."""

    team: Responsibility
    confidence: float


class Decider(StrEnum):
    """The names of what can be scored."""

    RULES = "rules"


def by_rules(case: Case) -> Answer:
    """Answer by the rules alone; COLLAB where they know nothing."""
    judgement = judge(case, Language.EN)
    return Answer(judgement.primary_responsibility, judgement.confidence)


DECIDERS: dict[Decider, Callable[[Case], Answer]] = {Decider.RULES: by_rules}
