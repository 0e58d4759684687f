"""How things look: colours, and text of strangers made harmless."""

from openclaw_stream.events.decision import Decision, IncidentSummary
from openclaw_stream.text.redaction import redact
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

_BAR = 5
_LONGEST = 2000


def printable(text: str, limit: int = _LONGEST) -> str:
    """Return text of a stranger as one line without secrets, control characters and changes of direction."""
    safe = redact(text[: 4 * _LONGEST])
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in safe).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def scope_of(incident: IncidentSummary) -> str:
    """Return what an incident is about: namespace and service, else its first alert's name."""
    named = [part for part in (incident.namespace, incident.service) if part]
    return printable("/".join(named) or next(iter(incident.alert_names), incident.group_key), 80)


def title_of(event: Decision) -> str:
    """Return what a decision says in a few words, without the service, which stands beside it."""
    return printable(event.decision.action_title, 200).removeprefix(f"{event.incident.service}: ")


def remedy_of(event: Decision) -> str:
    """Return in a line what a decision asks to be done: a command, else what it says of the trouble."""
    if event.event_type is EventType.RESOLUTION:
        return "assumed over: silence" if event.incident.status is IncidentStatus.ASSUMED_RESOLVED else "resolved"
    command = printable(event.decision.kubectl_command)
    return f"$ {command}" if command else printable(event.decision.description)


def bar(fraction: float) -> str:
    """Return a confidence as a bar of five."""
    full = round(fraction * _BAR)
    return "▰" * full + "▱" * (_BAR - full)
