"""Remedies from evidence: which command, if any, the alerts of a case support."""

from dataclasses import dataclass

from openclaw_stream.events.decision import GoldenSignals
from openclaw_stream.incidents.case import Case
from openclaw_stream.vocabulary import Action, Language, Responsibility, Risk


@dataclass(frozen=True, slots=True)
class Remedy:
    """The suggested action; without a command, `advice` says in words what to look up."""

    action: Action = Action.NO_ACTION
    command: str = ""
    reason: str = ""
    risk: Risk = Risk.LOW
    target: str = ""
    namespace: str = ""
    affected_pods: int = 0
    downtime: str = ""
    advice: str = ""


def propose(case: Case, team: Responsibility, metrics: GoldenSignals | None, language: Language) -> Remedy:  # noqa: ARG001
    """Return the remedy of the rules for a case."""
    return Remedy()
