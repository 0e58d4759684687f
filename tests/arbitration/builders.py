"""Cases and judgements for tests, named by what matters in them."""

from collections.abc import Mapping
from typing import Any

from openclaw_stream.events.decision import Judgement
from openclaw_stream.incidents.case import Case, Exemplar
from openclaw_stream.vocabulary import Responsibility, Severity

POD = "checkout-7d9f8b6c5-x2x4z"


def an_exemplar(name: str = "HighErrorRate", labels: Mapping[str, str] | None = None, **fields: Any) -> Exemplar:
    """An alert, as the fold keeps it."""
    return Exemplar(name=name, severity=Severity.HIGH, labels=labels or {}, **fields)


def a_case(*exemplars: Exemplar, namespace: str = "shop", service: str = "checkout") -> Case:
    """A case with these alerts."""
    return Case(
        incident_id="0b7cf7e6-6d57-5c0a-8f10-4a7fd3f1b6aa",
        revision=1,
        group_key=f"{namespace}/{service}",
        namespace=namespace,
        service=service,
        severity=Severity.HIGH,
        opened_at=1_795_300_000_000,
        last_alert_at=1_795_300_010_000,
        due=1_795_300_030_000,
        alert_count=len(exemplars),
        distinct_alerts=len(exemplars),
        alert_names={exemplar.name: 1 for exemplar in exemplars},
        exemplars=exemplars,
    )


def a_judgement(**fields: Any) -> Judgement:
    """A judgement that says little but what is given."""
    return Judgement(
        **{"action_title": "Look", "primary_responsibility": Responsibility.BE, "confidence": 0.9, **fields}
    )
