from base64 import b64encode
from time import monotonic
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.alerts.decoding.frames import Unwrapped, unwrap
from openclaw_stream.alerts.formats import Skipped, Unreadable, adapter_for
from openclaw_stream.errors import PoisonError
from openclaw_stream.events.examples import ALERTMANAGER
from tests.alerts.records import DOCUMENTS, JSON_VALUES, VALID, mutated

ALERT: dict[str, Any] = {"alert_type": "HighErrorRate", "severity": "critical", "namespace": "shop"}
OTHER: dict[str, Any] = {"alert_type": "HighLatency"}
TEXT = orjson.dumps(ALERT).decode()
SOURCE = {"connector": "postgresql", "db": "alerts", "table": "alerts"}


def unwrapped(value: Any) -> Unwrapped:
    return unwrap(value if isinstance(value, bytes) else orjson.dumps(value))


def reason(value: Any) -> str:
    with pytest.raises(PoisonError) as caught:
        unwrapped(value)
    return str(caught.value)


def documents_or_reason(value: bytes) -> list[Any]:
    try:
        return unwrap(value).documents
    except PoisonError as error:
        return [str(error)]


def logs(*bodies: Any) -> dict[str, Any]:
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": body} for body in bodies]}]}]}


def event(data: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": "1", "type": "t", "source": "s", "data": data}


FRAMED = {
    "none": ALERT,
    "Confluent's JSON Schema": b"\x00\x00\x00\x00\x0c" + TEXT.encode(),
    "Confluent's JSON Schema around a text": b"\x00\x00\x00\x00\x0c" + orjson.dumps(TEXT),
    "Connect without a schema": {"schema": None, "payload": ALERT},
    "Connect with a struct": {"schema": {"type": "struct", "fields": []}, "payload": ALERT},
    "Connect with a text": {"schema": {"type": "string", "optional": False}, "payload": TEXT},
    "Connect with bytes": {"schema": {"type": "bytes"}, "payload": b64encode(TEXT.encode()).decode()},
    "Debezium": {"before": None, "after": ALERT, "source": SOURCE, "op": "c", "ts_ms": 1},
    "Debezium in Connect": {"schema": {}, "payload": {"before": {}, "after": ALERT, "source": SOURCE, "op": "u"}},
    "Debezium of a snapshot": {"after": ALERT, "source": {**SOURCE, "snapshot": "true"}, "op": "r"},
    "Debezium for MongoDB": {"after": TEXT, "source": {"connector": "mongodb"}, "op": "c"},
    "a text": TEXT,
    "a text in a text": orjson.dumps(TEXT).decode(),
    "CloudEvents": event(ALERT),
    "CloudEvents with a text": event(TEXT),
    "CloudEvents with base64": {"specversion": "1.0", "data_base64": b64encode(TEXT.encode()).decode()},
    "Vector": {"message": TEXT, "path": "/", "source_type": "http_server", "timestamp": "2026-11-22T11:13:20Z"},
    "Fluent Bit": {"@timestamp": 1795346000.17, "log": TEXT},
    "Fluent Bit with a line end": {"date": 1795346000.17, "log": f"{TEXT}\n", "stream": "stdout"},
    "OpenTelemetry": logs({"stringValue": TEXT}),
    "OpenTelemetry with bytes": logs({"bytesValue": b64encode(TEXT.encode()).decode()}),
    "OpenTelemetry with a map": logs(
        {"kvlistValue": {"values": [{"key": key, "value": {"stringValue": text}} for key, text in ALERT.items()]}}
    ),
    "space around": f"\n {TEXT} \r\n".encode(),
}


@pytest.mark.parametrize("value", FRAMED.values(), ids=FRAMED.keys())
def test_an_alert_is_taken_out_of_its_frame(value: Any) -> None:
    found = unwrapped(value)
    assert (found.documents, found.batch, found.warnings) == ([ALERT], False, [])


BATCHES = {
    "an array": [ALERT, OTHER],
    "arrays in an array": [[ALERT], [OTHER]],
    "lines": TEXT.encode() + b"\n" + orjson.dumps(OTHER) + b"\n",
    "lines of Windows": TEXT.encode() + b"\r\n\r\n" + orjson.dumps(OTHER),
    "lines in a text": TEXT + "\n" + orjson.dumps(OTHER).decode(),
    "a CloudEvents batch": [event(ALERT), event(OTHER)],
    "CloudEvents with an array": event([ALERT, OTHER]),
    "OpenTelemetry": logs({"stringValue": TEXT}, {"stringValue": orjson.dumps(OTHER).decode()}),
    "an array in Confluent's frame": b"\x00\x00\x00\x00\x0c" + orjson.dumps([ALERT, OTHER]),
    "lines in the field of a log shipper": {"log": TEXT + "\n" + orjson.dumps(OTHER).decode()},
}


@pytest.mark.parametrize("value", BATCHES.values(), ids=BATCHES.keys())
def test_a_frame_around_several_alerts_is_a_batch(value: Any) -> None:
    if isinstance(value, str):
        value = value.encode()
    found = unwrapped(value)
    assert (found.documents, found.batch, found.warnings) == ([ALERT, OTHER], True, [])


def test_an_array_of_one_is_a_batch_too() -> None:
    assert unwrapped([ALERT]) == Unwrapped([ALERT], batch=True)


@pytest.mark.parametrize("value", VALID)
def test_what_has_no_frame_is_one_document(value: bytes) -> None:
    document = orjson.loads(value)
    assert "specversion" in document or unwrap(value) == Unwrapped([document])


@pytest.mark.parametrize(
    "document",
    [
        {**ALERT, "message": TEXT},
        {**ALERT, "schema": {}, "payload": {}},
        {**ALERT, "op": "c", "source": {}, "after": OTHER},
        {**ALERTMANAGER, "message": TEXT},
        {"message": "it burns"},
        {"message": "[12:00] it burns"},
        {"message": 5, "log": None},
        {"schema": {}, "payload": {}, "more": 1},
        {"op": "c", "after": ALERT},
        {},
    ],
)
def test_what_only_resembles_a_frame_is_left_as_it_is(document: dict[str, Any]) -> None:
    assert unwrapped(document) == Unwrapped([document])


@pytest.mark.parametrize(
    "value",
    [
        {"before": ALERT, "after": None, "source": SOURCE, "op": "d"},
        {"schema": {}, "payload": {"before": ALERT, "after": None, "source": SOURCE, "op": "d"}},
        {"source": SOURCE, "op": "t"},
        {"schema": None, "payload": None},
    ],
)
def test_a_deleted_row_is_skipped(value: dict[str, Any]) -> None:
    assert unwrapped(value) == Unwrapped([Skipped("tombstone")])


def test_columns_of_json_are_parsed() -> None:
    row = {**ALERT, "labels": '{"pod": "checkout-0"}', "metrics": '{"p99": 1.5}', "annotations": "no JSON"}
    (document,) = unwrapped({"after": row, "source": SOURCE, "op": "c"}).documents
    assert document == {**ALERT, "labels": {"pod": "checkout-0"}, "metrics": {"p99": 1.5}, "annotations": "no JSON"}


def test_a_bad_line_is_a_fault_in_its_place() -> None:
    result = unwrap(b"\n".join([TEXT.encode(), b'{"alert_type": "cu', b"5", orjson.dumps(OTHER)]))
    first, second, third, fourth = result.documents
    assert (first, fourth, result.batch) == (ALERT, OTHER, True)
    assert isinstance(second, Unreadable)
    assert "not JSON" in second.reason
    assert third == Unreadable(
        "unknown shape: expected an object: an alert, a payload with alerts[], or a frame around one; got the number 5"
    )


def test_an_element_that_cannot_be_read_is_a_fault_in_its_place() -> None:
    result = unwrapped([ALERT, 5, event(event(ALERT)), [], {"schema": None, "payload": None}])
    assert result.documents[0] == ALERT
    assert [type(document) for document in result.documents[1:]] == [Unreadable, Unreadable, Unreadable, Skipped]


def test_a_log_record_without_a_body_is_a_fault_in_its_place() -> None:
    result = unwrapped(logs({"stringValue": TEXT}, {}, {"stringValue": "started"}))
    assert result.documents[0] == ALERT
    assert [type(document) for document in result.documents[1:]] == [Unreadable, Unreadable]


def test_logs_without_records_are_skipped() -> None:
    assert unwrapped({"resourceLogs": []}) == Unwrapped([Skipped("empty")])


@pytest.mark.parametrize(
    ("value", "warning"),
    [
        (b"\xef\xbb\xbf" + TEXT.encode(), "byte order mark"),
        (TEXT.encode() + b"\x00", "NUL bytes"),
        (b'{"alert_type": "HighErrorRate", "severity": "critical", "namespace": "shop", "x": NaN}', "NaN"),
        (b'{"alert_type": "caf\xe9"}', "Latin-1"),
        (b'{"alert_type": "a\\ud800"}', "lone surrogate"),
        (b"\x00\x00\x00\x00\x0c\xef\xbb\xbf" + TEXT.encode(), "byte order mark"),
    ],
)
def test_what_is_nearly_json_is_mended_with_a_warning(value: bytes, warning: str) -> None:
    result = unwrap(value)
    assert result.documents[0]["alert_type"]
    assert [warning in text for text in result.warnings] == [True]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (b"", "empty"),
        (b" \n ", "empty"),
        (b"hello", "not JSON"),
        (b"hello\nworld", "not JSON"),
        (b"\x00\x01\x02\x03", "not JSON"),
        (b"\x00\x00\x00\x00\x0c\x02\x06abc", "schema id 12: configure the producer to write JSON"),
        (b"\x0a\x04\x12\x02\x12\x00", "set `encoding: otlp_json`"),
        (b"\x1f\x8b\x08\x00\x00", "compression.type"),
        (TEXT.encode()[:-1], "not JSON: unexpected end of data"),
        (b'{\n"alert_type": "a",\n"labels":\n{"a": "b"}', "not JSON"),
        (b'[\n{"alert_type": "a"},\n{"alert_type": "b"}', "not JSON"),
        (b"[" * 100_000, "nested"),
        (b"null", "got null"),
        (b"42", "got the number 42"),
        (b'"alert"', "unknown shape: expected an object"),
        (b'""', "unknown shape"),
        (b"[]", "got an empty array"),
        (b'"[]"', "got an empty array"),
        ({"schema": {"type": "bytes"}, "payload": "@"}, "not base64"),
        ({"schema": {}, "payload": 5}, "got the number 5"),
        ({"source": SOURCE, "op": "u"}, 'without `after` (op is the string "u")'),
        ({"message": '{"alert_type": "cu'}, "message: not JSON"),
        (logs({}), "without a body"),
        (event(None), "without data"),
        (event("plain text"), "not JSON"),
        (event(event(ALERT)), "a CloudEvents event within another"),
        (event({"schema": None, "payload": event(ALERT)}), "a CloudEvents event within another"),
        ({"specversion": "1.0", "data_base64": "@"}, "not base64"),
    ],
)
def test_what_holds_no_document_is_refused_with_a_reason(value: Any, words: str) -> None:
    assert words in reason(value)


def test_frames_within_one_another_are_removed_up_to_a_depth_of_four() -> None:
    framed: Any = ALERT
    for _ in range(4):
        framed = {"schema": None, "payload": framed}
    assert unwrapped(framed).documents == [ALERT]
    assert "more than 4 frames" in reason({"schema": None, "payload": framed})


def test_texts_within_one_another_are_parsed_up_to_a_depth_of_four() -> None:
    text = TEXT
    for _ in range(5):
        text = orjson.dumps(text).decode()
    assert "more than 4 frames" in reason(text.encode())


@pytest.mark.parametrize(
    "value",
    [
        [ALERT] * 10_001,
        [[ALERT] * 6000, [ALERT] * 6000],
        b"\n".join([TEXT.encode()] * 10_001),
        logs(*[{"stringValue": TEXT}] * 10_001),
        [logs(*[{"stringValue": TEXT}] * 6000)] * 2,
    ],
    ids=["array", "arrays", "lines", "logs", "logs in an array"],
)
def test_a_record_of_too_many_documents_is_refused_whole(value: Any) -> None:
    assert "more than 10,000: send fewer at a time" in reason(value)


def test_a_record_of_the_most_documents_is_read() -> None:
    assert len(unwrapped([ALERT] * 10_000).documents) == 10_000


def test_a_record_that_is_too_large_is_refused() -> None:
    assert "more than 33,554,432" in reason(b" " * ((32 << 20) + 1))


@pytest.mark.parametrize(
    "value",
    [
        b"[" + b"NaN," * 500_000 + b"1]",
        b'{"a": "' + b"\xe9" * 4_000_000,
        b"\n" * 4_000_000 + b"{}",
        b"{}\n" * 1_000_000,
        b"\x0a\x00" * 2_000_000,
        b'"' + b"\\\\" * 1_000_000 + b'"',
        b'{"message": "' + b"[" * 1_000_000 + b'"}',
    ],
    ids=["numbers", "Latin-1", "line ends", "empty objects", "fields", "backslashes", "brackets"],
)
def test_a_large_record_without_an_alert_is_read_in_seconds(value: bytes) -> None:
    start = monotonic()
    assert documents_or_reason(value)
    assert monotonic() - start < 10


def framed(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    texts = inner.map(lambda value: orjson.dumps(value).decode())
    return st.one_of(
        st.lists(inner, max_size=3),
        texts,
        st.builds(lambda value: {"schema": None, "payload": value}, st.one_of(inner, texts)),
        st.builds(lambda value: {"op": "c", "source": {}, "after": value}, inner),
        st.builds(event, st.one_of(inner, texts)),
        st.builds(lambda value: {"message": value}, texts),
        st.builds(lambda value: logs({"stringValue": value}), texts),
        st.builds(lambda value: {"resourceLogs": value}, inner),
    )


@given(st.recursive(st.one_of(DOCUMENTS, JSON_VALUES), framed, max_leaves=6))
def test_frames_around_anything_are_removed_or_refused(value: Any) -> None:
    documents = documents_or_reason(orjson.dumps(value))
    assert documents
    assert all(isinstance(document, dict | str | Skipped | Unreadable) for document in documents)


@given(st.one_of(st.binary(max_size=200), mutated(), mutated().map(lambda value: b"\x00\x00\x00\x00\x01" + value)))
def test_any_bytes_are_unwrapped_or_refused(value: bytes) -> None:
    assert documents_or_reason(value)


CART = {"alert_type": "HighErrorRate", "service": "cart"}


@pytest.mark.parametrize(
    "value",
    [
        {"payload": CART},
        {"data": orjson.dumps(CART).decode(), "type": "alert"},
        {"Type": "Notification", "Message": orjson.dumps(CART).decode()},
        {"alert": {"labels": {"alertname": "A"}}},
        {"detail": CART, "detail-type": "alert"},
        {"body": {"alerts": [{"labels": {"alertname": "A"}}]}, "headers": {}},
    ],
)
def test_an_alert_in_a_field_of_an_object_that_is_none_is_found(value: dict[str, Any]) -> None:
    (document,) = unwrap(orjson.dumps(value)).documents
    assert adapter_for(document) is not None


def test_each_record_of_a_rest_proxys_body_is_a_document() -> None:
    body = orjson.dumps({"records": [{"value": CART}, {"key": "k", "value": CART}]})
    assert unwrap(body).documents == [CART, CART]


@pytest.mark.parametrize("separator", [b"", b" ", b"\x1e", b"\n\n"])
def test_alerts_that_stand_one_after_another_are_a_batch(separator: bytes) -> None:
    assert unwrap(separator.join([orjson.dumps(CART)] * 3)).documents == [CART] * 3


@pytest.mark.parametrize("end", [b"{}", b"{", b"x", b'{"alert_type": "B"'])
def test_an_alert_before_something_else_is_refused(end: bytes) -> None:
    with pytest.raises(PoisonError):
        unwrap(orjson.dumps(CART) + end)


@pytest.mark.parametrize("odd", [{"alerts": None}, {"alerts": "none"}, {"specversion": 1}])
def test_an_odd_field_that_is_named_like_a_frame_loses_no_alert(odd: dict[str, Any]) -> None:
    assert unwrap(orjson.dumps(CART | odd)).documents == [CART | odd]
