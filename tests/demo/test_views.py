import io
from dataclasses import replace

import pytest
from rich.console import Console
from rich.text import Text

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.demo.dashboard import MIN_HEIGHT, MIN_WIDTH, Dashboard
from openclaw_stream.demo.event_reader import AlertRecord, DeadLetterRecord, DemoEvent
from openclaw_stream.demo.line_view import LineView
from openclaw_stream.demo.summary import print_summary
from openclaw_stream.demo.totals import DemoTotals
from openclaw_stream.events.decision import Decision
from openclaw_stream.events.examples import DECISION, TUNING
from openclaw_stream.vocabulary import EventType, IncidentStatus, Responsibility, Severity

HOSTILE = "[bold red]own[/bold red][/nothing]\x1b[2J\x1b]0;title\x07 \u202eright-to-left\r\n\x00 " + "長" * 50
ALERT = Alert(HOSTILE, Severity.HIGH, True, 0, 0, "f", 1, "g", namespace=HOSTILE, service=HOSTILE, message=HOSTILE)  # noqa: FBT003


def hostile(event: Decision) -> Decision:
    judgement = event.decision.model_copy(
        update={name: HOSTILE for name, value in event.decision if type(value) is str}
    )
    incident = event.incident.model_copy(update={"namespace": HOSTILE, "service": HOSTILE, "alert_names": {HOSTILE: 3}})
    return event.model_copy(update={"decision": judgement, "incident": incident})


def events() -> list[DemoEvent]:
    resolved = DECISION.incident.model_copy(update={"status": IncidentStatus.RESOLVED})
    over = DECISION.model_copy(update={"revision": 2, "event_type": EventType.RESOLUTION, "incident": resolved})
    others = [
        DECISION.model_copy(
            update={
                "incident_id": team,
                "decision": DECISION.decision.model_copy(update={"primary_responsibility": team}),
            }
        )
        for team in Responsibility
    ]
    assumed = DECISION.incident.model_copy(update={"status": IncidentStatus.ASSUMED_RESOLVED})
    silent = DECISION.model_copy(
        update={"incident_id": "silent", "event_type": EventType.RESOLUTION, "incident": assumed}
    )
    return [
        AlertRecord((ALERT, replace(ALERT, firing=False))),
        AlertRecord(()),
        hostile(DECISION),
        over,
        *others,
        silent,
        TUNING.model_copy(update={"command": HOSTILE, "description": HOSTILE}),
        DeadLetterRecord(HOSTILE, b"\xff"),
    ]


def totals_of() -> DemoTotals:
    totals = DemoTotals()
    for event in events():
        totals.add(event, 3.2)
    return totals


def console(width: int = 120, height: int = 40) -> Console:
    return Console(file=io.StringIO(), width=width, height=height, color_system=None, highlight=False)


def shown(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def assert_harmless(text: str) -> None:
    assert not set("\x1b\x07\x00\r\u202e") & set(text)
    assert "[bold" in text, "markup in alert text is shown as text"


def test_the_line_view_shows_every_event() -> None:
    to = console()
    with LineView(to) as view:
        for event in events():
            view.show(event, 3.2)
    text = shown(to)
    assert_harmless(text)
    assert text.count("alert  ") == 2
    assert text.count("DECISION") == 6
    assert text.count("resolved  ") == 3
    assert "  assumed resolved after silence\n" in text
    assert text.count("tuning  ") == 1
    assert text.count("dead letter") == 1


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


def test_the_summary_has_all_counts() -> None:
    to = console(160)
    print_summary(to, totals_of(), 31.4)
    rows = {cells[1].strip(): cells[2].strip() for line in shown(to).splitlines() if len(cells := line.split("│")) > 3}
    assert rows == {
        "alerts": "2",
        "incidents": "7",
        "decisions": "6",
        "model decisions": "6",
        "resolutions": "2",
        "tuning events": "1",
        "dead letters": "1",
        "revisions": "8",
    }
    assert "Results after 31 s" in shown(to)
    assert "each exactly once" in shown(to)
    assert "1 resolved, 1 assumed resolved after silence" in shown(to)


def test_the_summary_shows_a_decision_in_full() -> None:
    totals, to = DemoTotals(), console(160)
    totals.add(DECISION, 0.0)
    print_summary(to, totals, 1.0)
    judgement = DECISION.decision
    for text in (judgement.action_title, judgement.kubectl_command, judgement.reasoning.split(". ")[0][:60]):
        assert text in shown(to)
    assert f"{DECISION.confidence.final:.0%} (reported {DECISION.confidence.reported:.0%}" in shown(to)


def test_hostile_text_is_harmless_in_the_summary() -> None:
    totals, to = DemoTotals(), console()
    totals.add(hostile(DECISION), 0.0)
    print_summary(to, totals, 1.0)
    assert_harmless(shown(to))


def test_the_summary_without_events_has_no_example() -> None:
    to = console()
    print_summary(to, DemoTotals(), 20.0)
    assert "none" in shown(to)
    assert "example decision" not in shown(to)
