"""The response: one row per service; its shape is not trusted.

Non-finite numbers are the strings "NaN", "Inf" and "-Inf" or null; results and columns are in any order. A response of
another form is an error: that it is not understood does not show that there is no traffic.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from openclaw_stream.http_client import dig, listed
from openclaw_stream.signoz.client import SigNozError
from openclaw_stream.signoz.query import COUNT, ERRORS, NAME, NAMESPACE, P99
from openclaw_stream.signoz.query_target import QueryTarget

_MISSING: Final = object()


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
    """Parse the `data` of a response to the query about a subject.

    Raises:
        SigNozError: It has another form.
    """
    rows = {service: row for service, row in _rows(data) if row.count > 0 and service in subject.services}
    warnings = (str(dig(each, "message")) for each in listed(dig(data, "warning", "warnings")))
    unknown = not rows and any(names_unknown_namespace(warning) for warning in warnings)
    return QueryResult(rows, unknown)


def names_unknown_namespace(message: str) -> bool:
    """Return whether a message reports an unknown namespace attribute: a warning, in old servers an error."""
    return NAMESPACE in message and "ambiguous" not in message


def _rows(data: Any) -> Iterator[tuple[str, QueryRow]]:
    """Yield the rows of the query, by service; the service is empty in a row without one."""
    results = dig(data, "data", "results")
    if dig(data, "type") not in {None, "scalar"} or not isinstance(results, list):
        raise _unknown_form("it has no scalar results")
    own = [result for result in results if dig(result, "queryName") == NAME]
    if results and not own:
        raise _unknown_form("it has no result of the query")
    for result in own:
        columns = listed(dig(result, "columns"))
        # A group column has an aggregation index too.
        kinds = [(dig(column, "columnType"), dig(column, "aggregationIndex")) for column in columns]
        for cells in _cells(result):
            yield _row(list(zip(kinds, listed(cells), strict=False)))


def _cells(result: dict[str, Any]) -> list[Any]:
    cells = result.get("data", "")
    if cells is not None and not isinstance(cells, list):
        raise _unknown_form("its result has no rows")
    return cells or []


def _row(by_kind: list[tuple[tuple[Any, Any], Any]]) -> tuple[str, QueryRow]:
    service = next((cell for (kind, _), cell in by_kind if kind == "group"), None)
    count, errors, p99 = (_number(by_kind, index) for index in (COUNT, ERRORS, P99))
    if count is None and not _is_not_finite(by_kind):
        raise _unknown_form("a row has no count")
    if count and not isinstance(service, str):
        raise _unknown_form("a row has no service")
    return str(service or ""), QueryRow(count or 0, errors, p99)


def _cell(by_kind: Iterable[tuple[tuple[Any, Any], Any]], index: int) -> Any:
    return next((cell for kind, cell in by_kind if kind == ("aggregation", index)), _MISSING)


def _is_not_finite(by_kind: Iterable[tuple[tuple[Any, Any], Any]]) -> bool:
    """Return whether the count is there and is one of the spellings of a number that is not finite."""
    return _cell(by_kind, COUNT) in (None, "NaN", "Inf", "+Inf", "-Inf")


def _number(by_kind: Iterable[tuple[tuple[Any, Any], Any]], index: int) -> float | None:
    """Return the value of an aggregation, None if it is not a finite number of 0 or more."""
    value = _cell(by_kind, index)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and value >= 0 else None


def _unknown_form(detail: str) -> SigNozError:
    return SigNozError(f"SigNoz answered in a form that is not understood: {detail}")
