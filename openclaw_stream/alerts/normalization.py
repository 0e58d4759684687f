"""The names that other systems use for severities and statuses."""

from openclaw_stream.vocabulary import Severity

_SEVERITY_NAMES = {
    Severity.CRITICAL: "critical crit fatal emergency emerg page pager panic disaster blocker urgent alert "
    "p0 sev0 sev1 sev-0 sev-1 s1",
    Severity.HIGH: "high error err major severe p1 sev2 sev-2 s2",
    Severity.WARNING: "warning warn minor medium moderate average ticket p2 sev3 sev-3 s3",
    Severity.INFO: "info information informational notice notify none ok low normal debug trace clear cleared p3 p4 p5 "
    "sev4 sev5 sev-4 sev-5 s4 s5",
}
_SEVERITIES = {name: severity for severity, names in _SEVERITY_NAMES.items() for name in names.split()}

_FIRING_NAMES = (
    "firing active alert alerting alarm fire open opened ongoing problem triggered trigger acknowledged suppressed "
    "pending nodata no_data"
)
_RESOLVED_NAMES = "resolved resolve ok closed close clear cleared recovered recovery inactive normal healthy up"
_STATUSES = dict.fromkeys(_FIRING_NAMES.split(), True) | dict.fromkeys(_RESOLVED_NAMES.split(), False)


def severity_of(name: str) -> Severity:
    """Return the severity of a name, `warning` if it is unknown; case and surrounding space are ignored."""
    return _SEVERITIES.get(name) or _SEVERITIES.get(name.strip().lower(), Severity.WARNING)


def is_firing(name: str) -> bool | None:
    """Return whether a status means firing (not resolved), None if it is unknown."""
    firing = _STATUSES.get(name)
    return _STATUSES.get(name.strip().lower()) if firing is None else firing
