"""Labelled alerts: JSON lines of `source.repo`, `alert`, `truth.responsibility` and `truth.certainty`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openclaw_stream.alerts.subject import namespace_of, service_of
from openclaw_stream.incidents.case import Case, Exemplar
from openclaw_stream.vocabulary import Responsibility, Severity
from tests.builders import case_from

DEFAULT = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "routing_dev.jsonl"
"""Outside the project, because it quotes public repositories."""

OWN = Path(__file__).with_name("own.jsonl")
"""Own alerts: with well-known names of exporters and rule collections, and with free wording."""

_SEVERITIES = {"critical": Severity.CRITICAL, "page": Severity.CRITICAL, "info": Severity.INFO, "none": Severity.INFO}


@dataclass(frozen=True, slots=True)
class Labelled:
    """One alert as a case, with the responsible team."""

    id: str
    source: str
    certainty: str
    truth: Responsibility
    case: Case


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
    return Labelled(
        id=line["id"],
        source=line["source"]["repo"],
        certainty=line["truth"]["certainty"],
        truth=Responsibility(line["truth"]["responsibility"]),
        case=_case(line["id"], line["alert"]),
    )


def _case(identity: str, alert: Mapping[str, Any]) -> Case:
    """Return the case of an incident with this one alert, as decoder and fold would build it."""
    labels: Mapping[str, str] = alert["labels"]
    severity = _SEVERITIES.get(alert["severity"], Severity.WARNING)
    exemplar = Exemplar(
        name=alert["alertname"],
        severity=severity,
        namespace=namespace_of(labels),
        service=service_of(labels),
        labels=labels,
        annotations=alert["annotations"],
    )
    return case_from(exemplar, incident_id=identity, group_key=identity)
