"""The words of the events: severities, statuses, teams, actions, risks and languages."""

from enum import StrEnum


class Severity(StrEnum):
    """How bad an alert is, worst first."""

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


class AlertStatus(StrEnum):
    """Whether an alert goes on."""

    FIRING = "firing"
    RESOLVED = "resolved"


class IncidentStatus(StrEnum):
    """Where an incident stands in its life."""

    FIRING = "firing"
    RESOLVED = "resolved"
    ASSUMED_RESOLVED = "assumed_resolved"


class EventType(StrEnum):
    """What a decision event tells."""

    DECISION = "decision"
    RESOLUTION = "resolution"


class Responsibility(StrEnum):
    """Who is responsible; COLLAB when several teams are, or when confidence is below 0.70."""

    FE = "FE"
    BE = "BE"
    INFRA = "INFRA"
    DB = "DB"
    COLLAB = "COLLAB"


class Action(StrEnum):
    """The remedy that is suggested."""

    RESTART_DEPLOYMENT = "RESTART_DEPLOYMENT"
    DELETE_POD = "DELETE_POD"
    SCALE_DEPLOYMENT = "SCALE_DEPLOYMENT"
    APPLY_HPA = "APPLY_HPA"
    TUNE_RESOURCES = "TUNE_RESOURCES"
    NO_ACTION = "NO_ACTION"


class Risk(StrEnum):
    """What carrying the remedy out may cost."""

    LOW = "low"
    MEDIUM = "medium"
    CRITICAL = "critical"


class DataImpact(StrEnum):
    """What the remedy does to data."""

    NONE = "NONE"
    READ_ONLY = "READ_ONLY"
    WRITE = "WRITE"
    DESTRUCTIVE = "DESTRUCTIVE"


class TuningType(StrEnum):
    """What kind of preventive tuning is suggested."""

    HPA = "HPA"
    RESOURCE_LIMIT = "RESOURCE_LIMIT"
    CACHE = "CACHE"
    CIRCUIT_BREAKER = "CIRCUIT_BREAKER"
    INDEX = "INDEX"
    CONNECTION_POOL = "CONNECTION_POOL"
    SCALE = "SCALE"
    RESTART = "RESTART"


class Verdict(StrEnum):
    """What the command grammar says of a tuning command."""

    SAFE = "safe"
    REFUSED = "refused"
    ADVICE = "advice"


class Language(StrEnum):
    """Language of the texts in the events."""

    ZH_TW = "zh-TW"
    EN = "en"
