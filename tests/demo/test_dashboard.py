import io
import re
from contextlib import suppress
from dataclasses import replace

import pytest
from rich.console import Console
from rich.text import Text

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.alerts.subject import Subject
from openclaw_stream.demo.dashboard import MIN_HEIGHT, MIN_WIDTH, Dashboard
from openclaw_stream.demo.event_reader import AlertRecord
from openclaw_stream.demo.totals import DemoTotals
from openclaw_stream.events.examples import DECISION
from tests.demo.views import ALERT, RESOLUTION, assert_harmless, console, shown, totals_of


@pytest.mark.parametrize(("width", "height"), [(MIN_WIDTH, MIN_HEIGHT), (132, 38), (300, 90)])
def test_the_dashboard_fits_its_terminal(width: int, height: int) -> None:
    to = console(width, height)
    screen = Dashboard(to, Text("Apache Kafka")).draw(totals_of(), 83.0)
    lines = to.render_lines(screen)
    text = "\n".join("".join(segment.text for segment in line) for line in lines)
    assert len(lines) == height
    assert_harmless(text)
    assert "01:23" in text
    assert "incidents 7 (5 open)" in text
    assert "each revision exactly once" in text
    assert "dead letters 1" in text


def test_the_dashboard_reports_a_duplicated_revision() -> None:
    totals = totals_of()
    totals.add(DECISION, 4.0)
    to = console()
    to.print(Dashboard(to, Text()).draw(totals, 4.0))
    assert "1 revisions missing or duplicated" in shown(to)


def test_the_dashboard_shows_that_it_waits_for_the_first_decision() -> None:
    to = console()
    to.print(Dashboard(to, Text()).draw(DemoTotals(), 0.0))
    assert "waiting for the first decision" in shown(to)


ORDERS = Subject("service", "shop", "orders")


def test_the_newest_alerts_that_fit_are_shown() -> None:
    totals, to = DemoTotals(), console(height=MIN_HEIGHT)
    alerts = [replace(ALERT, name=f"Alert{number}.", subject=ORDERS) for number in range(50)]
    totals.add(AlertRecord(tuple(alerts)), 1.0)
    to.print(Dashboard(to, Text()).draw(totals, 1.0))
    numbers = [int(number) for number in re.findall(r"Alert(\d+)\.", shown(to))]
    assert numbers == list(range(49, 41, -1))
    assert "50 in 1 records" in shown(to)


@pytest.mark.parametrize(
    ("alert", "row"),
    [
        (replace(ALERT, name="Down", subject=ORDERS), "● orders Down"),
        (replace(ALERT, name="Down", subject=ORDERS, firing=False), "✔ orders Down"),
        (replace(ALERT, name="Down", subject=Subject("node", "", "n1")), "● n1 Down"),
        (replace(ALERT, name="Down", subject=Subject("alert", "shop", "Down")), "● - Down"),
    ],
)
def test_an_alert_is_shown_with_its_status_and_its_subject(alert: Alert, row: str) -> None:
    totals, to = DemoTotals(), console()
    totals.add(AlertRecord((alert,)), 1.0)
    to.print(Dashboard(to, Text()).draw(totals, 1.0))
    assert f"│ {row} " in " ".join(shown(to).split())


def test_a_decision_has_a_confidence_and_a_resolution_has_none() -> None:
    totals, to = DemoTotals(), console(160)
    totals.add(DECISION, 1.0)
    to.print(Dashboard(to, Text()).draw(totals, 1.0))
    assert "▰▰▰▰▱ 81%" in shown(to)
    totals.add(RESOLUTION, 2.0)
    over = console(160)
    over.print(Dashboard(over, Text()).draw(totals, 2.0))
    first, second, *_ = [line for line in shown(over).splitlines() if "s  " in line and "checkout" in line]
    assert "2.0s" in first
    assert "%" not in first
    assert "1.0s" in second
    assert "81%" in second
    assert "decisions 1, resolutions 1" in shown(over)
    assert "rev 2" in shown(over)


@pytest.mark.parametrize("error", [None, KeyboardInterrupt()])
def test_the_screen_of_the_terminal_is_restored(error: BaseException | None) -> None:
    to = Console(file=io.StringIO(), width=120, height=40, force_terminal=True)
    with suppress(KeyboardInterrupt), Dashboard(to, Text("Apache Kafka")) as view:
        view.refresh(totals_of(), 83.0)
        assert "01:23" in shown(to)
        if error:
            raise error
    assert shown(to).startswith("\x1b[?1049h")
    assert shown(to).endswith("\x1b[?25h\x1b[?1049l")
