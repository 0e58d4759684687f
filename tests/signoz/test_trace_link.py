import json
import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.signoz.query_target import Window
from openclaw_stream.signoz.trace_link import traces_url

BASE = "https://signoz.example:8443"
WINDOW = Window(1_795_300_000_000, 1_795_300_600_000)
LITERAL = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)


def state(link: str) -> Any:
    """Return the state that the explorer restores: browser and explorer each decode the parameter."""
    return json.loads(unquote(parse_qs(urlsplit(link).query)["compositeQuery"][0]))


def expression(link: str) -> str:
    found: str = state(link)["builder"]["queryData"][0]["filter"]["expression"]
    return found


def test_a_link_filters_the_traces_of_the_window() -> None:
    link = traces_url(BASE, WINDOW, "checkout", "shop")
    assert link.startswith(f"{BASE}/traces-explorer?compositeQuery=%257B%2522queryType")
    assert link.endswith("&startTime=1795300000000&endTime=1795300600000")
    assert state(link)["builder"]["queryData"][0]["dataSource"] == "traces"
    assert expression(link) == "service.name = 'checkout' AND k8s.namespace.name = 'shop'"
    assert expression(traces_url(BASE, WINDOW, "checkout")) == "service.name = 'checkout'"


def test_a_link_without_a_service_has_the_window_only() -> None:
    assert traces_url(BASE, WINDOW) == f"{BASE}/traces-explorer?startTime=1795300000000&endTime=1795300600000"


@given(st.text(min_size=1), st.text(min_size=1))
def test_no_name_can_end_its_string_literal(service: str, namespace: str) -> None:
    link = traces_url(BASE, WINDOW, service, namespace)
    assert re.fullmatch(r"[!-~]+", link)
    assert set(parse_qs(urlsplit(link).query)) == {"compositeQuery", "startTime", "endTime"}
    found = expression(link)
    assert LITERAL.sub("?", found) == "service.name = ? AND k8s.namespace.name = ?"
    assert [re.sub(r"\\(.)", r"\1", each, flags=re.DOTALL) for each in LITERAL.findall(found)] == [service, namespace]
