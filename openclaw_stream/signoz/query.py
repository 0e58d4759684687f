"""The query: SigNoz's query builder, version 5.

One grouped query has all names that a service may have, and the response has a row for each that exists. The filter
expression contains no values: they are bound as variables, of types without special values such as `__all__`.
"""

from typing import Any, Final

from openclaw_stream.signoz.query_target import QueryTarget, Window

NAME: Final = "A"
NAMESPACE: Final = "k8s.namespace.name"
COUNT, ERRORS, P99 = range(3)
"""Indexes of the aggregations; the P99 is in nanoseconds."""

_AGGREGATIONS = ("count()", "countIf(status_code = 2)", "p99(duration_nano)")
_STEP = 60


def query_body(subject: QueryTarget, window: Window) -> dict[str, Any]:
    """Return the request body for the golden signals of a subject's services in a window."""
    variables: dict[str, Any] = {"services": {"type": "custom", "value": list(subject.services)}}
    conditions = ["service.name IN $services"]
    if subject.namespace:
        variables["namespace"] = {"type": "text", "value": subject.namespace}
        conditions.append(f"{NAMESPACE} = $namespace")
    conditions.append("(isRoot = true OR isEntryPoint = true)")  # calls to the service, not the spans inside it
    spec = {
        "name": NAME,
        "signal": "traces",
        "stepInterval": _STEP,
        "filter": {"expression": " AND ".join(conditions)},
        "groupBy": [{"name": "service.name", "fieldContext": "resource", "fieldDataType": "string"}],
        "aggregations": [{"expression": expression} for expression in _AGGREGATIONS],
    }
    return {
        "schemaVersion": "v1",
        "start": window.start,
        "end": window.end,
        "requestType": "scalar",
        "noCache": True,
        "variables": variables,
        "compositeQuery": {"queries": [{"type": "builder_query", "spec": spec}]},
    }
