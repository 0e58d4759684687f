"""Links to SigNoz's traces explorer."""

import json
from urllib.parse import quote

from openclaw_stream.signoz.query import NAMESPACE
from openclaw_stream.signoz.query_target import Window


def traces_url(base: str, window: Window, service: str = "", namespace: str = "") -> str:
    """Return a link to the traces of a window, filtered by service and namespace if they are given."""
    names = (("service.name", service), (NAMESPACE, namespace))
    expression = " AND ".join(f"{key} = {_literal(value)}" for key, value in names if value)
    query = f"compositeQuery={_encoded(expression)}&" if expression else ""
    return f"{base}/traces-explorer?{query}startTime={window.start}&endTime={window.end}"


def _literal(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _encoded(expression: str) -> str:
    """Return the state of the explorer, encoded twice: the browser and the explorer each decode it.

    Releases up to v0.130 need more of the state than its filter.
    """
    query = {
        "dataSource": "traces",
        "queryName": "A",
        "expression": "A",
        "aggregateOperator": "noop",
        "filters": {"items": [], "op": "AND"},
        "filter": {"expression": expression},
    }
    state = {"queryType": "builder", "builder": {"queryData": [query], "queryFormulas": []}}
    return quote(quote(json.dumps(state, separators=(",", ":")), safe=""), safe="")
