"""Cases as the fold hands them over."""

from typing import Any

from openclaw_stream.incidents.case import Case, Exemplar
from openclaw_stream.vocabulary import Severity

DUE = 1_795_300_617_123
END = 1_795_300_590_000
"""DUE rounded down to half a minute."""


def exemplar(**fields: Any) -> Exemplar:
    return Exemplar(name="HighErrorRate", severity=Severity.CRITICAL, **fields)


def case(*exemplars: Exemplar, **fields: Any) -> Case:
    known: dict[str, Any] = {
        "incident_id": "i1",
        "revision": 1,
        "group_key": "shop/checkout",
        "namespace": "shop",
        "service": "checkout",
        "severity": Severity.CRITICAL,
        "opened_at": DUE - 60_000,
        "last_alert_at": DUE - 30_000,
        "due": DUE,
        "alert_count": 1,
        "distinct_alerts": 1,
        "alert_names": {"HighErrorRate": 1},
        "exemplars": exemplars,
    }
    return Case(**known | fields)
