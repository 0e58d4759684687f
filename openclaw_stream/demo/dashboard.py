"""The live view for terminals: alerts on the left, decisions on the right."""

import time
from collections.abc import Iterator
from itertools import islice
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.alerts.subject import ALERT
from openclaw_stream.demo.event_reader import DemoEvent
from openclaw_stream.demo.formatting import (
    SEVERITY_STYLES,
    TEAM_STYLES,
    confidence_bar,
    printable,
    remedy_of,
    scope_of,
    title_of,
)
from openclaw_stream.demo.totals import DemoTotals
from openclaw_stream.events.decision import Decision
from openclaw_stream.vocabulary import EventType, Responsibility

MIN_WIDTH, MIN_HEIGHT = 80, 18
"""Columns and rows; a smaller terminal gets the line view."""

_REFRESH_SECONDS = 0.12
_HEADER, _FOOTER, _FRAME = 4, 4, 2


class Dashboard:
    """Draws the totals on the terminal's alternate screen, which is closed when the view ends.

    Args:
        console: A terminal.
        headline: Servers and log file; shown at the top.
    """

    def __init__(self, console: Console, headline: Text) -> None:
        self._console = console
        self._headline = headline
        self._live = Live(console=console, screen=True, auto_refresh=False)
        self._drawn = 0.0

    def show(self, event: DemoEvent, at: float) -> None:
        """Do nothing: `refresh` draws the events from the totals."""

    def refresh(self, totals: DemoTotals, at: float) -> None:
        """Draw the totals `at` seconds after the start, a few times a second."""
        now = time.monotonic()
        if now - self._drawn >= _REFRESH_SECONDS:
            self._drawn = now
            self._live.update(self.draw(totals, at), refresh=True)

    def draw(self, totals: DemoTotals, at: float) -> Layout:
        """Return the whole screen."""
        rows = self._console.height - _HEADER - _FOOTER - _FRAME
        clock = f"{int(at) // 60:02d}:{int(at) % 60:02d}"
        screen, body = Layout(), Layout()
        body.split_row(
            Layout(Panel(_alerts(totals, rows), title=_alerts_title(totals), border_style="yellow"), ratio=8),
            Layout(Panel(_decisions(totals, rows), title=_decisions_title(totals), border_style="cyan"), ratio=15),
        )
        header = Panel(self._headline, title="[bold]openclaw-stream demo", subtitle=clock, border_style="bright_black")
        screen.split_column(
            Layout(header, size=_HEADER),
            body,
            Layout(Panel(_footer(totals), border_style="bright_black"), size=_FOOTER),
        )
        return screen

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.__exit__(kind, error, trace)


def _alerts_title(totals: DemoTotals) -> Text:
    return Text.assemble(("alerts ", "bold"), f"{totals.alerts} in {totals.records} records")


def _decisions_title(totals: DemoTotals) -> Text:
    ended = totals.resolutions.total()
    return Text.assemble(("decisions ", "bold"), f"{totals.decisions.total()}, resolutions {ended}")


def _alerts(totals: DemoTotals, rows: int) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=2)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=4)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=5)
    table.expand = True
    for _, alert in islice(reversed(totals.latest_alerts), rows):
        table.add_row(_status(alert), Text(_subject(alert), "dim"), _name(alert))
    return table


def _status(alert: Alert) -> Text:
    return Text("●", SEVERITY_STYLES[alert.severity]) if alert.firing else Text("✔", "green")


def _name(alert: Alert) -> Text:
    return Text(printable(alert.name, 80), SEVERITY_STYLES[alert.severity] if alert.firing else "green")


def _subject(alert: Alert) -> str:
    return printable(alert.subject.name if alert.subject.kind != ALERT else "-", 80)


def _decisions(totals: DemoTotals, rows: int) -> RenderableType:
    if not totals.latest_decisions:
        return Text(
            "waiting for the first decision: the worker joins its group and folds alerts into incidents …", "dim italic"
        )
    table = Table.grid(padding=(0, 1))
    table.add_column(width=5, justify="right", style="dim")
    table.add_column(width=8, no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column(width=10, justify="right")
    table.expand = True
    for at, event in islice(reversed(totals.latest_decisions), rows // 2):
        table.add_row(f"{at:.1f}s", _team(event), _title(event), _confidence(event))
    return table


def _team(event: Decision) -> Text:
    team = event.decision.primary_responsibility
    severity = event.incident.severity
    if event.event_type is EventType.RESOLUTION:
        return Text(f"{'✔':^8}\n{team:^8}", "green")
    return Text.assemble((f"{team:^8}", TEAM_STYLES[team]), "\n", (f"{severity:^8}", SEVERITY_STYLES[severity]))


def _title(event: Decision) -> Text:
    resolved = event.event_type is EventType.RESOLUTION
    scope = scope_of(event.incident)
    first = Text(scope, "green") if resolved else Text.assemble((scope, "bold"), f"  {title_of(event)}")
    remedy = remedy_of(event)
    style = "bright_white" if remedy.startswith("$") else "dim"
    return Text.assemble(first, "\n", (remedy, style))


def _confidence(event: Decision) -> Text:
    revision = Text(f"rev {event.revision}", "dim")
    if event.event_type is EventType.RESOLUTION:
        return Text.assemble("\n", revision)
    final = event.confidence.final
    style = "green" if event.confidence.gate == "passed" else "yellow"
    return Text.assemble((f"{confidence_bar(final)} {final:.0%}", style), "\n", revision)


def _footer(totals: DemoTotals) -> RenderableType:
    faults = sum(1 for _ in totals.faults())
    check = (
        Text("each revision exactly once", "green")
        if not faults
        else Text(f"{faults} revisions missing or duplicated", "bold red")
    )
    counts = (
        f"incidents {len(totals.incidents)} ({totals.open_incidents} open)   tuning {totals.tuning.total()}   "
        f"dead letters {len(totals.dead_letters)}"
    )
    line = Table.grid(expand=True)
    line.add_column(no_wrap=True)
    line.add_column(justify="right", no_wrap=True)
    line.add_row(Text.assemble(*(part for team in Responsibility for part in _count(totals, team))), check)
    return Group(line, Text(counts, no_wrap=True, overflow="ellipsis"))


def _count(totals: DemoTotals, team: Responsibility) -> Iterator[Text]:
    yield Text(f" {team} ", TEAM_STYLES[team])
    yield Text(f" {totals.decisions[team]}  ")
