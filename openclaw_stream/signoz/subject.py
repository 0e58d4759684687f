"""What is asked about: the names an incident's service may have in traces, its namespace, and its time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from openclaw_stream.alerts.names import workload_of_pod
from openclaw_stream.alerts.subject import service_of
from openclaw_stream.incidents.case import Case, Exemplar

SERVICES_MAX = 6
"""Names that are tried."""

_TRACED = ("service.name", "service_name")
_SERVICES = frozenset({*_TRACED, "service", "exported_service", "exported.service"})
_TEN_MINUTES = 600_000
_GRAIN = 30_000


@dataclass(frozen=True, slots=True)
class QueryTarget:
    """The names to try, likeliest first, and the namespace, which is empty where it is not to be asked for."""

    services: tuple[str, ...]
    namespace: str

    def anywhere(self) -> "QueryTarget":
        """Return the same names, whatever their namespace."""
        return QueryTarget(self.services, "")


class Window(NamedTuple):
    """A stretch of time, in epoch milliseconds."""

    start: int
    end: int

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.end - self.start) / 1000

    @property
    def before(self) -> "Window":
        """The window of the same length that ends where this one starts."""
        return Window(2 * self.start - self.end, self.start)


def subject_of(case: Case) -> QueryTarget:
    """Return whom a case is about: the service its alerts name to tracing, its own, then workloads and pods' owners.

    Alerts of other services, which only share the incident, have no say.
    """
    exemplars = [each for each in case.exemplars if not case.service or each.service in {"", case.service}]
    names = [name for name in _names(case, exemplars) if name]
    owners = [workload_of_pod(name) for name in names]
    namespaces = (case.namespace, *(each.namespace for each in exemplars))
    return QueryTarget(tuple(dict.fromkeys(names + owners))[:SERVICES_MAX], next(filter(None, namespaces), ""))


def window_of(case: Case) -> Window:
    """Return the ten minutes before a case was due.

    Their end is rounded down to half a minute: the spans of the last seconds are still on their way, and the revisions
    of a storm share one window.
    """
    end = case.due - case.due % _GRAIN
    return Window(end - _TEN_MINUTES, end)


def _names(case: Case, exemplars: list[Exemplar]) -> Iterator[str]:
    for exemplar in exemplars:
        yield from (exemplar.labels.get(label, "").strip() for label in _TRACED)
    yield case.service
    for exemplar in exemplars:
        yield exemplar.service
        others = {label: value for label, value in exemplar.labels.items() if label not in _SERVICES}
        yield service_of(others, exemplar.target_resource)
