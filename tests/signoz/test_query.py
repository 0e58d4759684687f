import json

from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.signoz.query import query_body
from openclaw_stream.signoz.query_target import QueryTarget, Window

WINDOW = Window(1_795_300_000_000, 1_795_300_600_000)
PLAIN = query_body(QueryTarget(("a",), "b"), WINDOW)


def test_the_query_body_is_as_documented() -> None:
    spec = PLAIN["compositeQuery"]["queries"][0]["spec"]
    assert spec["filter"]["expression"] == (
        "service.name IN $services AND k8s.namespace.name = $namespace AND (isRoot = true OR isEntryPoint = true)"
    )
    assert [each["expression"] for each in spec["aggregations"]] == [
        "count()",
        "countIf(status_code = 2)",
        "p99(duration_nano)",
    ]
    assert (PLAIN["start"], PLAIN["end"], PLAIN["requestType"]) == (*WINDOW, "scalar")


def test_without_a_namespace_the_filter_has_none() -> None:
    asked = query_body(QueryTarget(("a",), ""), WINDOW)
    assert "namespace" not in json.dumps(asked)
    assert set(asked["variables"]) == {"services"}


@given(st.lists(st.text(min_size=1), min_size=1, max_size=6), st.text(min_size=1))
def test_values_are_only_in_variables(services: list[str], namespace: str) -> None:
    asked = json.loads(json.dumps(query_body(QueryTarget(tuple(services), namespace), WINDOW)))
    assert asked["compositeQuery"] == PLAIN["compositeQuery"]
    assert asked["variables"]["services"]["value"] == services
    assert asked["variables"]["namespace"]["value"] == namespace
    assert {item["type"] for item in asked["variables"].values()} <= {"custom", "text"}
