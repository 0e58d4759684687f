from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.events.headers import event_headers, traceparent_of

TRACE = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TIME = datetime(2026, 11, 22, 19, 13, 4, 880_187, tzinfo=timezone(timedelta(hours=8)))


def test_an_event_has_cloudevents_attributes() -> None:
    assert event_headers("e-1", "openclaw.decision.v1", "/openclaw.alerts.v1/0", TIME, None) == [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"e-1"),
        ("ce_type", b"openclaw.decision.v1"),
        ("ce_source", b"/openclaw.alerts.v1/0"),
        ("ce_time", b"2026-11-22T11:13:04.880Z"),
        ("content-type", b"application/json"),
    ]


def test_a_traceparent_is_copied() -> None:
    carried = traceparent_of([("a", b"b"), ("traceparent", TRACE)])
    assert carried == TRACE.decode()
    headers = event_headers("e-1", "t", "s", datetime.now(UTC), carried)
    assert ("traceparent", TRACE) in headers
    assert traceparent_of(headers) == carried


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xff\xfe",
        TRACE[:-1],
        TRACE + b"-01",
        TRACE.upper(),
        b"ff" + TRACE[2:],
        TRACE.replace(b"4bf92f3577b34da6a3ce929d0e0e4736", b"0" * 32),
        TRACE.replace(b"00f067aa0ba902b7", b"0" * 16),
        TRACE + b"\n",
        None,
    ],
)
def test_an_invalid_traceparent_is_not_copied(value: bytes | None) -> None:
    assert traceparent_of([("traceparent", value)]) is None


def test_the_first_valid_traceparent_is_used_in_any_case_of_the_name() -> None:
    assert traceparent_of([("traceparent", b"nonsense"), ("Traceparent", TRACE)]) == TRACE.decode()
    assert traceparent_of([("ce_traceparent", TRACE)]) == TRACE.decode()


@given(st.lists(st.tuples(st.text(max_size=12), st.one_of(st.none(), st.binary(max_size=60)))))
def test_any_headers_are_searched_without_an_exception(headers: list[tuple[str, bytes | None]]) -> None:
    assert traceparent_of(headers) is None
