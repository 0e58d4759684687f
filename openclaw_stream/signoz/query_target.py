"""The subject of a query: possible names of an incident's service in traces, its namespace, and the time window."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from openclaw_stream.alerts.resource_names import workload_of_pod
from openclaw_stream.alerts.subject import service_of
from openclaw_stream.incidents.case import Case, Exemplar

SERVICES_MAX = 6
"""Most names in a query."""

_TRACED = ("service.name", "service_name")
_SERVICES = frozenset({*_TRACED, "service", "exported_service", "exported.service"})
_TEN_MINUTES = 600_000
_ROUNDING = 30_000


@dataclass(frozen=True, slots=True)
class QueryTarget:
    """Possible service names, most likely first, and the namespace; an empty namespace is not queried."""

    services: tuple[str, ...]
    namespace: str

    def any_namespace(self) -> "QueryTarget":
        """Return the same names without a namespace."""
        return QueryTarget(self.services, "")


class Window(NamedTuple):
    """A time window, in epoch milliseconds."""

    start: int
    end: int

    @property
    def seconds(self) -> float:
        """Its length in seconds."""
        return (self.end - self.start) / 1000

    @property
    def previous(self) -> "Window":
        """The window of the same length before this one."""
        return Window(2 * self.start - self.end, self.start)


def subject_of(case: Case) -> QueryTarget:
    """Return the subject of a case: trace labels of its alerts, its own service, then workloads and owners of pods.

    Alerts of other services in the same incident are ignored.
    """
    exemplars = [each for each in case.exemplars if not case.service or each.service in {"", case.service}]
    names = [name for name in _names(case, exemplars) if name]
    owners = [workload_of_pod(name) for name in names]
    namespaces = (case.namespace, *(each.namespace for each in exemplars))
    return QueryTarget(tuple(dict.fromkeys(names + owners))[:SERVICES_MAX], next(filter(None, namespaces), ""))


def window_of(case: Case) -> Window:
    """Return the ten minutes before the due time of a case.

    The end is rounded down to half a minute: the last spans are not exported yet, and the revisions of a storm share
    one window.
    """
    end = case.due - case.due % _ROUNDING
    return Window(end - _TEN_MINUTES, end)


def _names(case: Case, exemplars: list[Exemplar]) -> Iterator[str]:
    for exemplar in exemplars:
        yield from (exemplar.labels.get(label, "").strip() for label in _TRACED)
    yield case.service
    for exemplar in exemplars:
        yield exemplar.service
        others = {label: value for label, value in exemplar.labels.items() if label not in _SERVICES}
        yield service_of(others, exemplar.target_resource)
