"""The prose of Grafana's default message, read back into alerts.

Template: `default.message` and `__text_alert_list` of Grafana's `templates/default_template.go`. A text of several
lines goes on until the next line that begins a pair or a part.
"""

import math
import re
from dataclasses import dataclass, field
from typing import Literal

_DETAILS_MAX = 1 << 20
_TEXT_MAX = 10_000

_SECTIONS: dict[str, Literal["firing", "resolved"]] = {"**firing**": "firing", "**resolved**": "resolved"}
_PAIR = re.compile(r"\s{0,4}[-*] ([^=]{1,200}?) =(?: (.*))?")
_PART = re.compile(r"(Value|Source|Silence|Dashboard|Panel):(?: (.*))?|(Labels|Annotations):\s*")
_LINKS = {"Dashboard": "dashboard_url", "Panel": "panel_url"}
_VALUE = re.compile(r"([^=,\s]{1,100})=([^,\s]{1,50})")
_OLD_VALUE = re.compile(r"var='([^']{0,100})'[^]]{0,1000}? value=([^\s\]]{1,50})")


@dataclass(slots=True)
class ProseAlert:
    """One alert of the prose; `status` is empty where the text names no section."""

    status: Literal["firing", "resolved", ""]
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=dict)
    source: str = ""


def alerts_of(details: str) -> list[ProseAlert]:
    """Return the alerts of a message in the order of the text: one for each `Labels:` with a label below.

    No more than the first MiB is read: a group has hundreds of alerts, not thousands.
    """
    reader = _Reader()
    for line in details[:_DETAILS_MAX].split("\n"):
        reader.read(line)
    return [alert for alert in reader.alerts if alert.labels]


class _Reader:
    """Reads line by line; `_pairs` is the map that pairs go to, None outside of labels and annotations."""

    __slots__ = ("_key", "_pairs", "_status", "_values", "alerts")

    def __init__(self) -> None:
        self.alerts: list[ProseAlert] = []
        self._status: Literal["firing", "resolved", ""] = ""
        self._values: dict[str, float] = {}
        self._pairs: dict[str, str] | None = None
        self._key = ""

    def read(self, line: str) -> None:
        if status := _SECTIONS.get(line.strip().lower()):
            self._status, self._pairs, self._key = status, None, ""
        elif part := _PART.fullmatch(line):
            self._begin(part[1] or part[3], part[2] or "")
        elif self._pairs is not None and (pair := _PAIR.fullmatch(line)):
            self._key = pair[1].strip()
            self._pairs[self._key] = pair[2] or ""
        elif self._pairs is not None and self._key and line.strip():
            self._continue(self._pairs, line)

    def _continue(self, pairs: dict[str, str], line: str) -> None:
        if len(pairs[self._key]) < _TEXT_MAX:
            pairs[self._key] += f"\n{line}"

    def _begin(self, part: str, text: str) -> None:
        self._pairs, self._key = None, ""
        if part == "Value":
            self._values = _values(text[:_TEXT_MAX])
        elif part == "Labels":
            self.alerts.append(ProseAlert(self._status, values=self._values))
            self._values = {}
            self._pairs = self.alerts[-1].labels
        elif self.alerts and part == "Annotations":
            self._pairs = self.alerts[-1].annotations
        elif self.alerts and part == "Source":
            self.alerts[-1].source = text
        elif self.alerts and part in _LINKS and text:
            self.alerts[-1].annotations.setdefault(_LINKS[part], text[:_TEXT_MAX])


def _values(text: str) -> dict[str, float]:
    pairs = _OLD_VALUE.findall(text) if text.startswith("[ var=") else _VALUE.findall(text)
    return {name: number for name, word in pairs if (number := _number(word)) is not None}


def _number(word: str) -> float | None:
    try:
        number = float(word)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
