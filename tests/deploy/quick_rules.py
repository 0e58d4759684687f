"""The alert rules with all times divided, so that a test sees them fire and end within seconds.

Divided are durations in brackets, `offset`, `for`, and the thresholds of metrics that are in seconds. Everything else
is as in deploy/prometheus/alerts.yaml.
"""

import re
from typing import Any

import yaml

DIVISOR = 30
_SECONDS = {"m": 60, "h": 3600, "d": 86400}


def quick_rules(text: str) -> str:
    """Return the rules of a file with their times divided by `DIVISOR`."""
    document: dict[str, Any] = yaml.safe_load(text)
    for group in document["groups"]:
        for rule in group["rules"]:
            rule["for"] = _divided(rule["for"])
            rule["expr"] = _quick(rule["expr"])
    return yaml.safe_dump(document)


def _quick(expression: str) -> str:
    divided = re.sub(r"(?<=\[)\d+[mhd](?=\])|(?<=offset )\d+[mhd]", lambda found: _divided(found[0]), expression)
    if "_seconds" not in expression:
        return divided
    return re.sub(r"> (\d{2,})$", lambda found: f"> {int(found[1]) / DIVISOR:g}", divided.strip())


def _divided(duration: str) -> str:
    return f"{int(duration[:-1]) * _SECONDS[duration[-1]] // DIVISOR}s"
