"""Severity words of other systems."""

import re
from collections.abc import Mapping

from openclaw_stream.vocabulary import Severity

_WORDS = {
    Severity.CRITICAL: "critical crit fatal emergency emerg page pager panic disaster blocker urgent alert p0 "
    "sev0 sev1 s1 red catastrophic immediate highest outage danger \N{LARGE RED CIRCLE}",
    Severity.HIGH: "high error errors err major severe serious p1 sev2 s2 orange \N{LARGE ORANGE CIRCLE}",
    Severity.WARNING: "warning warnings warn minor medium moderate average ticket unclassified notclassified p2 sev3 "
    "s3 yellow amber \N{LARGE YELLOW CIRCLE}",
    Severity.INFO: "info information informational notice notify ok good low lowest trivial normal debug trace clear "
    "cleared planning p3 p4 p5 sev4 sev5 s4 s5 green blue \N{LARGE GREEN CIRCLE}",
}
_SEVERITIES = {word: severity for severity, words in _WORDS.items() for word in words.split()}
_SCALES = frozenset(
    (
        *("severity", "sev", "level", "priority", "prio", "urgency", "impact", "threshold", "very", "extremely"),
        *("log", "number", "alert", "incident"),
    )
)
_GRADE = re.compile(r"(?P<scale>severity|sev|s|priority|prio|p)(?:[ _-]?level)?[ _:#=-]*0?(?P<number>\d)(?![\d./])")
_GRADE_PREFIXES = {"severity": "sev", "priority": "p", "prio": "p"}
_TOKEN = re.compile(r"[a-z]+|\d+")
_LENGTH_MAX = 64

NONE = "none"
"""The severity of alerts that are no problem: heartbeats and inhibitors."""


class Severities:
    """Reads severity words: the built-in ones, and the operator's own, which take precedence."""

    def __init__(self, own: Mapping[str, Severity] | None = None) -> None:
        own_words = {word.strip().lower(): severity for word, severity in (own or {}).items()}
        self.known = {**_SEVERITIES, **own_words}
        """Severities by word in lower case."""

    def read(self, word: str) -> Severity | None:
        """Return the severity that a word means, None where it is not known."""
        severity = self.known.get(word)
        if severity is None and len(word) <= _LENGTH_MAX:
            lower = word.strip().lower()
            severity = self.known.get(lower) or self._read_phrase(lower)
        return severity

    def _read_phrase(self, phrase: str) -> Severity | None:
        """Read `P1 - Critical`, `SEV 1`, `SEVERITY_HIGH`, `1 - Critical`: a word counts before a number on a scale."""
        tokens = _TOKEN.findall(phrase)
        if severity := self.known.get("".join(tokens)):
            return severity
        words = [token for token in tokens if not token.isdigit()]
        if severity := self._read_words([word for word in words if len(word) > 1]):
            return severity
        grade = _GRADE.match(phrase)
        if grade is None:
            return None
        scale = grade["scale"]
        return self.known.get(_GRADE_PREFIXES.get(scale, scale) + grade["number"])

    def _read_words(self, words: list[str]) -> Severity | None:
        """Return what all words mean that are no scale, None where one is not known or two differ."""
        meanings = {self.known.get(word) for word in words if word not in _SCALES}
        return meanings.pop() if len(meanings) == 1 else None
