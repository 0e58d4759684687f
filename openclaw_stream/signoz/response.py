"""The response: one row per service; its shape is not trusted.

Non-finite numbers are the strings "NaN", "Inf" and "-Inf" or null; results and columns are in any order.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from openclaw_stream.http_client import dig, listed
from openclaw_stream.signoz.query import COUNT, ERRORS, NAME, NAMESPACE, P99
from openclaw_stream.signoz.query_target import QueryTarget


@dataclass(frozen=True, slots=True)
class QueryRow:
    """The aggregations of one service in one window; `p99` is in nanoseconds."""

    count: float
    errors: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The rows of services with traffic; `namespace_unknown` means that no span has a namespace."""

    rows: Mapping[str, QueryRow]
    namespace_unknown: bool = False


def read_response(data: Any, subject: QueryTarget) -> QueryResult:
    """Parse the `data` of a response to the query about a subject."""
    rows = {service: row for service, row in _rows(data, subject) if row.count > 0}
    warnings = (str(dig(each, "message")) for each in listed(dig(data, "warning", "warnings")))
    unknown = not rows and any(names_unknown_namespace(warning) for warning in warnings)
    return QueryResult(rows, unknown)


def names_unknown_namespace(message: str) -> bool:
    """Return whether a message reports an unknown namespace attribute: a warning, in old servers an error."""
    return NAMESPACE in message and "ambiguous" not in message


def _rows(data: Any, subject: QueryTarget) -> Iterator[tuple[str, QueryRow]]:
    for result in listed(dig(data, "data", "results")):
        if dig(result, "queryName") != NAME:
            continue
        columns = listed(dig(result, "columns"))
        # A group column has an aggregation index too.
        kinds = [(dig(column, "columnType"), dig(column, "aggregationIndex")) for column in columns]
        for cells in listed(dig(result, "data")):
            by_kind = list(zip(kinds, listed(cells), strict=False))
            service = next((cell for (kind, _), cell in by_kind if kind == "group"), None)
            count, errors, p99 = (_number(by_kind, index) for index in (COUNT, ERRORS, P99))
            if service in subject.services and count is not None:
                yield service, QueryRow(count, errors, p99)


def _number(cells: Iterable[tuple[tuple[Any, Any], Any]], index: int) -> float | None:
    """Return the value of an aggregation, None if it is not a finite number of 0 or more."""
    value = next((cell for kind, cell in cells if kind == ("aggregation", index)), None)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and value >= 0 else None
