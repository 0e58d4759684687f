"""Events for the views, one of them with hostile text, and consoles that write to memory."""

import io
from dataclasses import replace

from rich.console import Console

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.alerts.subject import Subject
from openclaw_stream.demo.event_reader import AlertRecord, DeadLetterRecord, DemoEvent
from openclaw_stream.demo.totals import DemoTotals
from openclaw_stream.events.decision import Decision, IncidentSubject
from openclaw_stream.events.examples import DECISION, TUNING
from openclaw_stream.vocabulary import EventType, IncidentStatus, Responsibility, Severity

HOSTILE = "[bold red]own[/bold red][/nothing]\x1b[2J\x1b]0;title\x07 \u202eright-to-left\r\n\x00 " + "長" * 50
ALERT = Alert(HOSTILE, Severity.HIGH, True, 0, 0, "f", 1, "g", Subject("service", HOSTILE, HOSTILE), message=HOSTILE)  # noqa: FBT003
RESOLUTION = DECISION.model_copy(
    update={
        "revision": 2,
        "event_type": EventType.RESOLUTION,
        "incident": DECISION.incident.model_copy(update={"status": IncidentStatus.RESOLVED}),
    }
)
"""The resolution of the incident of `DECISION`."""


def hostile(event: Decision) -> Decision:
    judgement = event.decision.model_copy(
        update={name: HOSTILE for name, value in event.decision if type(value) is str}
    )
    subject = IncidentSubject(kind="service", namespace=HOSTILE, name=HOSTILE)
    incident = event.incident.model_copy(
        update={"subject": subject, "namespace": HOSTILE, "service": HOSTILE, "alert_names": {HOSTILE: 3}}
    )
    return event.model_copy(update={"decision": judgement, "incident": incident})


def events() -> list[DemoEvent]:
    """Events of every kind: two alerts, six decisions, two resolutions, a tuning event and a dead letter."""
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
        RESOLUTION,
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
