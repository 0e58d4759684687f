"""The reason for a command, or why the evidence does not ask for it: the same for rules, models and tuning."""

from openclaw_stream.alerts.resource_names import workload_of_pod
from openclaw_stream.arbitration.kubectl import Command, Kind, RefusedCommand, Verb
from openclaw_stream.arbitration.remedies.command_evidence import CommandEvidence, alerts_about, read_evidence
from openclaw_stream.arbitration.remedies.conditions import CONDITIONS, NamedParts
from openclaw_stream.arbitration.remedies.data_stores import is_data_store, names_data_store
from openclaw_stream.arbitration.remedies.patterns import Fact
from openclaw_stream.arbitration.remedies.remedy_texts import reason_text
from openclaw_stream.arbitration.remedies.resources import container_of, evidence_resources, known_workloads
from openclaw_stream.events.decision import GoldenSignals, Judgement
from openclaw_stream.incidents.case import Case
from openclaw_stream.vocabulary import Language, Responsibility


def reason_for(
    command: Command,
    case: Case,
    metrics: GoldenSignals | None,
    language: Language,
    team: Responsibility | None = None,
) -> str:
    """Return why the evidence asks for a command: one sentence per condition, with verbatim quotes.

    Args:
        command: A command on a resource that the alerts name.
        case: The alerts.
        metrics: The golden signals, None without any.
        language: The language of the reason.
        team: The responsible team; the database team gets no command.

    Raises:
        RefusedCommand: The evidence lacks a condition or speaks against the command; the message says which.
    """
    if team is Responsibility.DB:
        raise RefusedCommand("the database team gets no command: changing a data store takes more than one")
    if case.resolved_early and command.verb is not Verb.SET_RESOURCES:
        raise RefusedCommand("the incident has ended: there is nothing left that the command would change")
    return _reason(read_evidence(case, metrics, command.kind, command.name, command.namespace), command, case, language)


def _reason(evidence: CommandEvidence, command: Command, case: Case, language: Language) -> str:
    container, any_container = container_of(case)
    workload = workload_of_pod(command.name) if command.kind is Kind.POD else command.name
    about = alerts_about(case, command.kind, command.name, command.namespace)
    if any(map(is_data_store, (workload, container))) or names_data_store(about):
        raise RefusedCommand(f"{command.target} is a data store: changing one takes more than a command")
    if quote := evidence.mentions(Fact.NO_CHANGE):
        raise RefusedCommand(f"the evidence speaks against any change: “{quote.statement.words}”")
    controllers = {each.name for each in known_workloads(evidence_resources(case))}
    parts = NamedParts(container, any_container, workload in controllers)
    return reason_text(CONDITIONS[command.verb](command, evidence, parts), language)


def responsible_team(judgement: Judgement) -> Responsibility:
    """Return the responsible team; of a judgement for several teams the first of them."""
    team = judgement.primary_responsibility
    if team is Responsibility.COLLAB and judgement.secondary_teams:
        return judgement.secondary_teams[0]
    return team
