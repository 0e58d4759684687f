"""The dashboard deploy/grafana/dashboard.json, and its queries as Prometheus gets them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

DASHBOARD: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "deploy" / "grafana" / "dashboard.json").read_text(encoding="utf-8")
)
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


class Query(NamedTuple):
    """One query of a panel."""

    panel: str
    expression: str


def queries() -> Iterator[Query]:
    """Yield the query of every target of every panel."""
    for panel in PANELS:
        for target in panel["targets"]:
            yield Query(panel["title"], target["expr"])


def filled_in(expression: str, rate_seconds: int, range_seconds: int) -> str:
    """Return a query with Grafana's own variables replaced."""
    return expression.replace("$__rate_interval", f"{rate_seconds}s").replace("$__range", f"{range_seconds}s")
