"""Labelled alerts as JSON lines: single ones (`alert`), or the alerts of one incident (`alerts`); tests/README.md."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openclaw_stream.alerts.matchers import Matchers
from openclaw_stream.alerts.reader import AlertReader
from openclaw_stream.events.decision import GoldenSignals
from openclaw_stream.incidents.case import Case
from openclaw_stream.incidents.evidence import case_of
from openclaw_stream.incidents.fold import Fold
from openclaw_stream.incidents.state import State
from openclaw_stream.incidents.timers import Timers
from openclaw_stream.vocabulary import Responsibility
from tests.builders import DUE

DEFAULT = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "routing_dev.jsonl"
"""Outside the project, because it quotes public repositories."""

OWN = Path(__file__).with_name("own.jsonl")
"""Own alerts: with well-known names of exporters and rule collections, and with free wording."""

INCIDENTS = Path(__file__).with_name("incidents.jsonl")
"""Own incidents, written without sight of the rules, which were improved with them since."""

HELD_OUT = Path(__file__).with_name("held_out.jsonl")
"""Own incidents, written without sight of the rules: whoever writes rules does not read them."""

_READER = AlertReader(heartbeats=Matchers())
"""A line is an alert by definition, so that the end of a heartbeat is not waited for."""

FOLD = Fold("alerts", 0, Timers())
_STEP = 20_000
"""Milliseconds between the alerts of an incident."""


@dataclass(frozen=True, slots=True)
class Expert:
    """What an expert concludes from the alerts; `subject` is KIND/NAME in NAMESPACE, all empty in single alerts."""

    subject: str = ""
    cause: str = ""
    good_checks: str = ""


@dataclass(frozen=True, slots=True)
class Labelled:
    """The alerts of one incident as sent and as a case, with the golden signals, the responsible team and the cause."""

    id: str
    source: str
    certainty: str
    truth: Responsibility
    case: Case
    alerts: Sequence[Mapping[str, Any]]
    signals: GoldenSignals | None = None
    expert: Expert = Expert()


class NoDataError(Exception):
    """The file of labelled alerts does not exist; the message has its path."""


def load(path: Path) -> list[Labelled]:
    """Read labelled alerts.

    Raises:
        NoDataError: The file does not exist.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise NoDataError(f"no labelled alerts at {path}: give another file with --data") from error
    return [_labelled(json.loads(line)) for line in text.splitlines() if line]


def _labelled(line: Mapping[str, Any]) -> Labelled:
    alerts: list[Mapping[str, Any]] = line["alerts"] if "alerts" in line else [line["alert"]]
    truth = line["truth"]
    signals = line.get("golden_signals")
    return Labelled(
        id=line["id"],
        source=line["source"]["repo"],
        certainty=truth["certainty"],
        truth=Responsibility(truth["responsibility"]),
        case=case_of_alerts(line["id"], alerts),
        alerts=alerts,
        signals=GoldenSignals(**signals) if signals else None,
        expert=_expert(truth),
    )


def _expert(truth: Mapping[str, Any]) -> Expert:
    subject = truth.get("subject")
    if subject is None:
        return Expert()
    inside = f" in {subject['namespace']}" if subject["namespace"] else ""
    return Expert(f"{subject['kind']}/{subject['name']}{inside}", truth["cause"], truth["good_checks"])


def case_of_alerts(identity: str, alerts: Sequence[Mapping[str, Any]]) -> Case:
    """Return the case of the first revision, after all alerts."""
    state = state_of_alerts(identity, alerts)
    return case_of(state, DUE, rules_only=not state.firing)


def state_of_alerts(identity: str, alerts: Sequence[Mapping[str, Any]]) -> State:
    """Return the state of the first revision, after all alerts, from the decoder and the fold of the program."""
    state = State(identity)
    for offset, document in enumerate(alerts):
        at = DUE - _STEP * (len(alerts) - offset)
        # A rule may set the severity none, with which an alert is not folded; here it is one all the same.
        severity = "info" if document["severity"] == "none" else document["severity"]
        alert = _READER.read({**document, "severity": severity, "starts_at": at}, at, [])
        FOLD.join(state, alert, offset, at, at)
    state.next_revision(DUE)
    return state
