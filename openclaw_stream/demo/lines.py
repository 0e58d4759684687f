"""The plain view: a line for everything seen, for pipes, files and simple terminals."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.text import Text

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.demo.feed import AlertRecord, DeadLetterRecord, Note
from openclaw_stream.demo.look import SEVERITY_STYLES, TEAM_STYLES, printable, remedy_of, scope_of, title_of
from openclaw_stream.demo.tally import Tally
from openclaw_stream.events.decision import Decision
from openclaw_stream.events.tuning import TuningEvent
from openclaw_stream.vocabulary import EventType

_SCOPE = 27


class Lines:
    """Prints what is seen as it is seen."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, note: Note, at: float) -> None:
        """Print what was seen `at` seconds after the start."""
        match note:
            case AlertRecord():
                for alert in note.alerts:
                    self._print(at, _alert(alert))
            case Decision():
                self._print(at, _decision(note))
            case TuningEvent():
                told = printable(f"$ {note.command}" if note.command else note.description, 80)
                self._print(at, Text(f"tuning    {note.safety.verdict:<8}  {note.type:<15}  {told}", "dim"))
            case DeadLetterRecord():
                self._print(at, Text(f"dead letter         {printable(note.reason, 100)}", "bold red"))

    def refresh(self, tally: Tally, at: float) -> None:
        """Nothing: lines stand as they were printed."""

    def _print(self, at: float, line: Text) -> None:
        self._console.print(Text(f"{at:5.1f}s ", "dim") + line, soft_wrap=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return


def _alert(alert: Alert) -> Text:
    style = SEVERITY_STYLES[alert.severity] if alert.firing else "green"
    status = "firing" if alert.firing else "resolved"
    scope = "/".join(part for part in (alert.namespace, alert.service) if part)
    told = f"{printable(scope or '-', _SCOPE):<{_SCOPE}}  {printable(alert.name, 60)}"
    return Text.assemble("alert     ", (f"{status:<8}  {alert.severity:<8}", style), f"  {told}")


def _decision(event: Decision) -> Text:
    judgement, incident = event.decision, event.incident
    told = f"{printable(scope_of(incident), _SCOPE):<{_SCOPE}}  rev {event.revision}"
    if event.event_type is EventType.RESOLUTION:
        team = Text(f"{judgement.primary_responsibility:^8}", "green")
        return Text.assemble(("resolved  ", "green"), team, f"  {incident.severity:<8}  {told}  {remedy_of(event)}")
    team = Text(f"{judgement.primary_responsibility:^8}", TEAM_STYLES[judgement.primary_responsibility])
    severity = Text(f"  {incident.severity:<8}", SEVERITY_STYLES[incident.severity])
    title = title_of(event)
    remedy = f"\n{'':26}{remedy_of(event)}" if judgement.kubectl_command else ""
    sure = f"  {event.confidence.final:.0%}  {title}{remedy}"
    return Text.assemble(("DECISION  ", "bold"), team, severity, f"  {told}", sure)
