"""Severity words of other systems."""

import re
from collections.abc import Mapping

from openclaw_stream.vocabulary import Severity

_WORDS = {
    Severity.CRITICAL: "critical crit fatal emergency emerg page pager panic disaster blocker urgent alert p0 "
    "sev0 sev1 s1 red",
    Severity.HIGH: "high error err major severe serious p1 sev2 s2 orange",
    Severity.WARNING: "warning warn minor medium moderate average ticket p2 sev3 s3 yellow amber",
    Severity.INFO: "info information informational notice notify ok low normal debug trace clear cleared planning "
    "unclassified p3 p4 p5 sev4 sev5 s4 s5 green blue",
}
_SEVERITIES = {word: severity for severity, words in _WORDS.items() for word in words.split()}
_SCALES = frozenset(("severity", "sev", "level", "priority", "prio", "threshold", "very", "extremely", "log"))
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
            severity = self.known.get(lower) or self._read_phrase(_TOKEN.findall(lower))
        return severity

    def _read_phrase(self, tokens: list[str]) -> Severity | None:
        """Read `P1 - Critical`, `SEV 1`, `SEVERITY_HIGH`, `1 - Critical`: a word counts before a number on a scale."""
        words = [token for token in tokens if not token.isdigit()]
        numbers = [token for token in tokens if token.isdigit()]
        meanings = {self.known[word] for word in words if word not in _SCALES and word in self.known}
        if len(meanings) == 1 and all(word in _SCALES or word in self.known or len(word) == 1 for word in words):
            return meanings.pop()
        if len(numbers) == 1 and len(words) == 1:
            scale = {"severity": "sev", "priority": "p", "prio": "p"}.get(words[0], words[0])
            return self.known.get(f"{scale}{int(numbers[0])}")
        return None
