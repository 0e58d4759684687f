"""Cases for the tests of the rules."""

from collections.abc import Mapping

from openclaw_stream.alerts.identity import namespace_of, service_of
from openclaw_stream.incidents.case import Case, Exemplar
from openclaw_stream.vocabulary import Severity
from tests.arbitration.rules.examples import Example


def alert(
    name: str,
    text: str = "",
    labels: Mapping[str, str] | None = None,
    metrics: Mapping[str, float] | None = None,
    severity: Severity = Severity.WARNING,
) -> Exemplar:
    """Return an alert with a summary, named as the decoder would name it."""
    labels = labels or {}
    return Exemplar(
        name=name,
        severity=severity,
        namespace=namespace_of(labels),
        service=service_of(labels),
        labels=labels,
        annotations={"summary": text} if text else {},
        metrics=metrics or {},
    )


def case(*exemplars: Exemplar, namespace: str = "", service: str = "", flaps: int = 0) -> Case:
    """Return the case of an incident that these alerts make."""
    names: dict[str, int] = {}
    for exemplar in exemplars:
        names[exemplar.name] = names.get(exemplar.name, 0) + 1
    return Case(
        incident_id="00000000-0000-5000-8000-000000000001",
        revision=1,
        group_key="shop/checkout",
        namespace=namespace or (exemplars[0].namespace if exemplars else ""),
        service=service or (exemplars[0].service if exemplars else ""),
        severity=max((e.severity for e in exemplars), key=lambda s: s.rank, default=Severity.INFO),
        opened_at=1_795_300_000_000,
        last_alert_at=1_795_300_030_000,
        due=1_795_300_030_000,
        alert_count=len(exemplars),
        distinct_alerts=len(exemplars),
        alert_names=names,
        exemplars=exemplars,
        services=tuple(dict.fromkeys(e.service for e in exemplars if e.service)),
        flaps=flaps,
    )


def case_of(example: Example) -> Case:
    """Return the case of one example."""
    return case(alert(example.name, example.text, example.label_map))
