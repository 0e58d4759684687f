import contextlib
import random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.signoz.client import SigNozError
from openclaw_stream.signoz.query_target import QueryTarget
from openclaw_stream.signoz.response import QueryResult, QueryRow, names_unknown_namespace, read_response

SUBJECT = QueryTarget(("checkout", "cart"), "shop")
GROUP = {"name": "service.name", "aggregationIndex": 0, "columnType": "group"}
RESULTS = [{"name": f"__result_{index}", "aggregationIndex": index, "columnType": "aggregation"} for index in range(3)]


def answer(*rows: list[Any], columns: list[Any] | None = None, **more: Any) -> dict[str, Any]:
    result = {"queryName": "A", "columns": columns or [GROUP, *RESULTS], "data": list(rows)}
    return {"type": "scalar", "data": {"results": [result]}} | more


def warned(message: str) -> dict[str, Any]:
    return {"warning": {"message": "Encountered warnings", "warnings": [{"message": message}]}}


def test_each_service_has_its_row() -> None:
    rows = read_response(answer(["cart", 7, 0, 1e6], ["checkout", 6012, 31, 812345678.123]), SUBJECT).rows
    assert rows == {"checkout": QueryRow(6012, 31, 812345678.123), "cart": QueryRow(7, 0, 1e6)}


def test_columns_and_results_may_be_in_any_order() -> None:
    columns = [RESULTS[2], GROUP, RESULTS[0], RESULTS[1]]
    document = answer([5e6, "cart", 10, 2], columns=columns)
    foreign = {"queryName": "B", "columns": [GROUP, *RESULTS], "data": [["cart", 1, 1, 1]]}
    document["data"]["results"].append(foreign)
    random.shuffle(document["data"]["results"])
    assert read_response(document, SUBJECT).rows == {"cart": QueryRow(10, 2, 5e6)}


@pytest.mark.parametrize("value", ["NaN", "Inf", "-Inf", None])
def test_a_number_that_is_not_finite_is_none(value: Any) -> None:
    assert read_response(answer(["cart", 10, value, value]), SUBJECT).rows == {"cart": QueryRow(10, None, None)}
    assert read_response(answer(["cart", value, 1, 1]), SUBJECT) == QueryResult({})


@pytest.mark.parametrize(
    "document",
    [
        answer(),
        answer(["cart", 0, 0, None]),
        answer([0, 0, None], columns=RESULTS),
        answer(["somebody-else", 10, 0, 1e6]),
        {"data": {"results": []}},
        {"data": {"results": [{"queryName": "A", "columns": None, "data": None}]}},
    ],
)
def test_a_service_without_traffic_has_no_row(document: Any) -> None:
    assert read_response(document, SUBJECT) == QueryResult({})


SERIES = {"queryName": "A", "aggregations": [{"index": 0, "series": [{"values": [{"timestamp": 1, "value": 9}]}]}]}


@pytest.mark.parametrize(
    "document",
    [
        *(answer(["cart", odd, 1, 1]) for odd in ("7", True, -1)),
        answer(["cart", {}, 1, 1]),
        answer([12, 3, 1e6], columns=RESULTS),
        answer(["cart"]),
        answer([]),
        answer(["cart", 9, 0, 1], columns=[{"name": "service.name"}, {"name": "__result_0"}]),
        answer(["cart", 9, 0, 1], columns=[GROUP, *({**each, "aggregationIndex": None} for each in RESULTS)]),
        answer(["cart", 9, 0, 1], type="time_series"),
        {"type": "scalar", "data": {"results": [SERIES]}},
        {"data": {"results": [{"queryName": "B", "columns": [], "data": []}]}},
        {"data": {"results": None}},
        {"data": None},
        {},
        None,
    ],
)
def test_a_response_of_another_form_is_an_error(document: Any) -> None:
    with pytest.raises(SigNozError, match="in a form that is not understood"):
        read_response(document, SUBJECT)


def test_a_namespace_warning_counts_only_without_rows() -> None:
    unknown = warned("key `k8s.namespace.name` not found")
    assert read_response(answer(**unknown), SUBJECT).namespace_unknown
    assert not read_response(answer(["cart", 1, 0, 1], **unknown), SUBJECT).namespace_unknown
    assert not read_response(answer(**warned("key `service.name` not found")), SUBJECT).namespace_unknown
    assert not names_unknown_namespace("Key `k8s.namespace.name` is ambiguous, found 2 different combinations")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.just("aggregation"),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["data", "results", "queryName", "columns", "columnType", "aggregationIndex", "warning"])
            | st.text(),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON, JSON, JSON, JSON)
def test_any_json_is_parsed_or_refused(data: Any, columns: Any, rows: Any, warnings: Any) -> None:
    shaped = {
        "data": {"results": [{"queryName": "A", "columns": columns, "data": rows}, data]},
        "warning": {"warnings": warnings},
    }
    for document in (data, shaped):
        with contextlib.suppress(SigNozError):
            assert set(read_response(orjson.loads(orjson.dumps(document)), SUBJECT).rows) <= set(SUBJECT.services)
