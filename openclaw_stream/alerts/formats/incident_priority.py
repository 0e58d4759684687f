"""What PagerDuty and Opsgenie have in common: priorities from P1, the highest, and texts that name a place."""

import re
from typing import Any

_SEVERITIES = {"P1": "critical", "P2": "high", "P3": "warning", "P4": "info", "P5": "info"}
_ADDRESS = re.compile(r"[^\s/]+(?::\d{1,5})|\w[\w-]*(?:\.[\w-]+)+|[0-9a-fA-F:]*::[0-9a-fA-F:]+|\S+://\S+")

_NAME = re.compile(r"[\w/-]+")


def severity_of(priority: Any) -> Any:
    """Return the severity that a priority means, any other value as it is."""
    return _SEVERITIES.get(priority.strip().upper(), priority) if type(priority) is str else priority


def add_place(labels: dict[str, Any], *places: Any) -> None:
    """Add the first of the texts that is an address as the host, else the first that is a name as the service."""
    texts = [place.strip() for place in places if type(place) is str]
    for label, pattern in (("host", _ADDRESS), ("service", _NAME)):
        if named := next((text for text in texts if pattern.fullmatch(text)), ""):
            labels.setdefault(label, named)
            return


def scalars(details: Any) -> dict[str, Any]:
    """Return the members of an object that are texts or numbers."""
    if type(details) is not dict:
        return {}
    return {name: value for name, value in details.items() if isinstance(value, str | int | float)}


def summary_of(reference: Any) -> str:
    """Return the summary of an object of PagerDuty's, empty where it has none."""
    summary = reference.get("summary") if type(reference) is dict else None
    return summary if type(summary) is str else ""
