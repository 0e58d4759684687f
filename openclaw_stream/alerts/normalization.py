"""The words other systems use for severities and statuses."""

from openclaw_stream.vocabulary import Severity

_SEVERITY_WORDS = {
    Severity.CRITICAL: "critical crit fatal emergency emerg page pager panic disaster blocker urgent alert "
    "p0 sev0 sev1 sev-0 sev-1 s1",
    Severity.HIGH: "high error err major severe p1 sev2 sev-2 s2",
    Severity.WARNING: "warning warn minor medium moderate average ticket p2 sev3 sev-3 s3",
    Severity.INFO: "info information informational notice notify none ok low normal debug trace clear cleared p3 p4 p5 "
    "sev4 sev5 sev-4 sev-5 s4 s5",
}
_SEVERITIES = {word: severity for severity, words in _SEVERITY_WORDS.items() for word in words.split()}

_FIRING_WORDS = (
    "firing active alert alerting alarm fire open opened ongoing problem triggered trigger acknowledged suppressed "
    "pending nodata no_data"
)
_RESOLVED_WORDS = "resolved resolve ok closed close clear cleared recovered recovery inactive normal healthy up"
_STATUSES = dict.fromkeys(_FIRING_WORDS.split(), True) | dict.fromkeys(_RESOLVED_WORDS.split(), False)


def severity_of(word: str) -> Severity:
    """Return the severity a word means, `warning` for one that is not known; case and space around it do not count."""
    return _SEVERITIES.get(word) or _SEVERITIES.get(word.strip().lower(), Severity.WARNING)


def is_firing(word: str) -> bool | None:
    """Tell whether a status word means firing, not resolved; None for a word that is not known."""
    firing = _STATUSES.get(word)
    return _STATUSES.get(word.strip().lower()) if firing is None else firing
