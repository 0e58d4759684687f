"""Formatting of the views: colours, and untrusted text as one printable line."""

from openclaw_stream.alerts.subject import ALERT, Subject
from openclaw_stream.alerts.titles import subject_title
from openclaw_stream.events.decision import Decision, IncidentSummary
from openclaw_stream.text import safe_text
from openclaw_stream.vocabulary import EventType, IncidentStatus, Responsibility, Risk, Severity

TEAM_STYLES = {
    Responsibility.FE: "bold grey0 on orchid1",
    Responsibility.BE: "bold grey0 on turquoise2",
    Responsibility.INFRA: "bold grey0 on sky_blue2",
    Responsibility.DB: "bold grey0 on light_green",
    Responsibility.COLLAB: "bold grey0 on gold1",
}
SEVERITY_STYLES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "dark_orange",
    Severity.WARNING: "yellow",
    Severity.INFO: "blue",
}
RISK_STYLES = {Risk.LOW: "green", Risk.MEDIUM: "yellow", Risk.CRITICAL: "bold red"}

_BAR_SEGMENTS = 5
_LONGEST = 2000


def printable(text: str, limit: int = _LONGEST) -> str:
    """Return untrusted text as one line without secrets, control characters and bidirectional marks."""
    return safe_text(text, limit, one_line=True)


def scope_of(incident: IncidentSummary) -> str:
    """Return the scope of an incident: namespace and name of its subject, else the name of its first alert."""
    subject = incident.subject
    if subject and subject.kind != ALERT:
        return printable(f"{subject.namespace}/{subject.name}".removeprefix("/"), 80)
    return printable(next(iter(incident.alert_names), incident.group_key), 80)


def title_of(event: Decision) -> str:
    """Return the title of a decision, without the subject, which is shown beside it."""
    title, subject = printable(event.decision.action_title, 200), event.incident.subject
    return title.removeprefix(f"{subject_title(Subject(**subject.model_dump()), '')}: ") if subject else title


def remedy_of(event: Decision) -> str:
    """Return one line: the command of a decision, else its description; of a resolution, how the incident ended."""
    if event.event_type is EventType.RESOLUTION:
        assumed = event.incident.status is IncidentStatus.ASSUMED_RESOLVED
        return "assumed resolved after silence" if assumed else "all alerts resolved"
    command = printable(event.decision.kubectl_command)
    return f"$ {command}" if command else printable(event.decision.description)


def confidence_bar(fraction: float) -> str:
    """Return a confidence as a bar of five segments."""
    full = round(fraction * _BAR_SEGMENTS)
    return "▰" * full + "▱" * (_BAR_SEGMENTS - full)
