"""The plain view: one line per event, for pipes, files and simple terminals."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.text import Text

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.alerts.subject import ALERT
from openclaw_stream.demo.event_reader import AlertRecord, DeadLetterRecord, DemoEvent
from openclaw_stream.demo.formatting import SEVERITY_STYLES, TEAM_STYLES, printable, remedy_of, scope_of, title_of
from openclaw_stream.demo.totals import DemoTotals
from openclaw_stream.events.decision import Decision
from openclaw_stream.events.tuning import TuningEvent
from openclaw_stream.vocabulary import EventType

_SCOPE = 27


class LineView:
    """Prints each event when it is read."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, event: DemoEvent, at: float) -> None:
        """Print an event, read `at` seconds after the start."""
        match event:
            case AlertRecord():
                for alert in event.alerts:
                    self._print(at, _alert(alert))
            case Decision():
                self._print(at, _decision(event))
            case TuningEvent():
                text = printable(f"$ {event.command}" if event.command else event.description, 80)
                self._print(at, Text(f"tuning    {event.safety.verdict:<8}  {event.type:<15}  {text}", "dim"))
            case DeadLetterRecord():
                self._print(at, Text(f"dead letter         {printable(event.reason, 100)}", "bold red"))

    def refresh(self, totals: DemoTotals, at: float) -> None:
        """Do nothing: printed lines do not change."""

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
    subject = alert.subject
    scope = f"{subject.namespace}/{subject.name}".removeprefix("/") if subject.kind != ALERT else ""
    text = f"{printable(scope or '-', _SCOPE):<{_SCOPE}}  {printable(alert.name, 60)}"
    return Text.assemble("alert     ", (f"{status:<8}  {alert.severity:<8}", style), f"  {text}")


def _decision(event: Decision) -> Text:
    judgement, incident = event.decision, event.incident
    text = f"{printable(scope_of(incident), _SCOPE):<{_SCOPE}}  rev {event.revision}"
    if event.event_type is EventType.RESOLUTION:
        team = Text(f"{judgement.primary_responsibility:^8}", "green")
        return Text.assemble(("resolved  ", "green"), team, f"  {incident.severity:<8}  {text}  {remedy_of(event)}")
    team = Text(f"{judgement.primary_responsibility:^8}", TEAM_STYLES[judgement.primary_responsibility])
    severity = Text(f"  {incident.severity:<8}", SEVERITY_STYLES[incident.severity])
    title = title_of(event)
    remedy = f"\n{'':26}{remedy_of(event)}" if judgement.kubectl_command else ""
    judged = f"  {event.confidence.final:.0%}  {title}{remedy}"
    return Text.assemble(("DECISION  ", "bold"), team, severity, f"  {text}", judged)
