"""The enumerations of the events: severities, statuses, teams, actions, risks and languages.

The published schemas leave them open, and quote what their docstrings say about unknown values.
"""

from enum import StrEnum


class Severity(StrEnum):
    """How severe an alert is, most severe first.

    New values may be added: treat an unknown one as warning.
    """

    CRITICAL = "critical"
    HIGH = "high"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 (info) to 3 (critical): the index in SEVERITIES."""
        return _RANKS[self]


SEVERITIES = (Severity.INFO, Severity.WARNING, Severity.HIGH, Severity.CRITICAL)
_RANKS = {severity: rank for rank, severity in enumerate(SEVERITIES)}


class IncidentStatus(StrEnum):
    """The status of an incident; assumed_resolved after a long silence.

    New values may be added: treat an unknown one as firing.
    """

    FIRING = "firing"
    RESOLVED = "resolved"
    ASSUMED_RESOLVED = "assumed_resolved"


class EventType(StrEnum):
    """Whether an event is a decision or the end of its incident.

    New values may be added: treat an unknown one as a decision.
    """

    DECISION = "decision"
    RESOLUTION = "resolution"


class Responsibility(StrEnum):
    """The responsible team; COLLAB if several are, or if confidence is below 0.70.

    New values may be added: treat an unknown one as COLLAB.
    """

    FE = "FE"
    BE = "BE"
    INFRA = "INFRA"
    DB = "DB"
    COLLAB = "COLLAB"


class Action(StrEnum):
    """The suggested remedy.

    New values may be added: treat an unknown one as NO_ACTION.
    """

    RESTART_DEPLOYMENT = "RESTART_DEPLOYMENT"
    DELETE_POD = "DELETE_POD"
    SCALE_DEPLOYMENT = "SCALE_DEPLOYMENT"
    APPLY_HPA = "APPLY_HPA"
    TUNE_RESOURCES = "TUNE_RESOURCES"
    NO_ACTION = "NO_ACTION"


class Risk(StrEnum):
    """How risky a remedy is.

    New values may be added: treat an unknown one as critical.
    """

    LOW = "low"
    MEDIUM = "medium"
    CRITICAL = "critical"


class DataImpact(StrEnum):
    """What a remedy does to data.

    New values may be added: treat an unknown one as DESTRUCTIVE.
    """

    NONE = "NONE"
    READ_ONLY = "READ_ONLY"
    WRITE = "WRITE"
    DESTRUCTIVE = "DESTRUCTIVE"


class TuningType(StrEnum):
    """The kind of preventive tuning.

    New values may be added: treat an unknown one as advice in words.
    """

    HPA = "HPA"
    RESOURCE_LIMIT = "RESOURCE_LIMIT"
    CACHE = "CACHE"
    CIRCUIT_BREAKER = "CIRCUIT_BREAKER"
    INDEX = "INDEX"
    CONNECTION_POOL = "CONNECTION_POOL"
    SCALE = "SCALE"
    RESTART = "RESTART"


class Verdict(StrEnum):
    """The result of checking a tuning command; advice has no command.

    New values may be added: treat an unknown one as refused.
    """

    SAFE = "safe"
    REFUSED = "refused"
    ADVICE = "advice"


class Language(StrEnum):
    """The language of the texts in the events.

    New values may be added: show the text of an unknown one as it is.
    """

    ZH_TW = "zh-TW"
    EN = "en"
