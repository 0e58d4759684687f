from base64 import b64encode
from typing import Any

import pytest

from openclaw_stream.alerts.decoding.otel_logs import bodies_of, is_logs


def logs(*bodies: Any) -> dict[str, Any]:
    records = [{"observedTimeUnixNano": "1795346000000000000", "body": body} for body in bodies]
    return {"resourceLogs": [{"resource": {}, "scopeLogs": [{"scope": {}, "logRecords": records}]}]}


def pair(key: str, **value: Any) -> dict[str, Any]:
    return {"key": key, "value": value}


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ({"stringValue": "{}"}, "{}"),
        ({"bytesValue": b64encode(b"{}").decode()}, b"{}"),
        ({"bytesValue": "no base64"}, None),
        ({"boolValue": True}, True),
        ({"intValue": "42"}, 42),
        ({"intValue": 42}, 42),
        ({"intValue": "odd"}, "odd"),
        ({"doubleValue": 1.5}, 1.5),
        ({"arrayValue": {"values": [{"stringValue": "a"}, {"intValue": "1"}]}}, ["a", 1]),
        ({"kvlistValue": {"values": [pair("a", stringValue="x"), pair("b", kvlistValue={}), 5]}}, {"a": "x", "b": {}}),
        ({"kvlistValue": {}}, {}),
        ({}, None),
        (None, None),
        ("text", None),
    ],
)
def test_a_body_is_read_as_its_value(body: Any, value: Any) -> None:
    assert bodies_of(logs(body)) == [value]


def test_all_records_of_all_scopes_are_read_in_order() -> None:
    first, second = logs({"stringValue": "a"}, {"stringValue": "b"}), logs({"stringValue": "c"})
    together = {"resourceLogs": [*first["resourceLogs"], 5, *second["resourceLogs"]]}
    assert bodies_of(together) == ["a", "b", "c"]


@pytest.mark.parametrize("odd", [[], [5], [{}], [{"scopeLogs": 5}], [{"scopeLogs": [{"logRecords": {}}]}]])
def test_logs_without_records_hold_nothing(odd: Any) -> None:
    assert bodies_of({"resourceLogs": odd}) == []


def test_logs_are_recognised_by_their_resources() -> None:
    assert is_logs(logs())
    assert not is_logs({"resourceLogs": {}})
    assert not is_logs({"resourceSpans": []})


def test_a_body_nested_too_deep_is_cut_off() -> None:
    body: dict[str, Any] = {"stringValue": "deep"}
    for _ in range(300):
        body = {"arrayValue": {"values": [body]}}
    value = bodies_of(logs(body))[0]
    depth = 0
    while isinstance(value, list):
        (value,) = value
        depth += 1
    assert value is None
    assert depth < 40
