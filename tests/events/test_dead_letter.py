from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.events.dead_letter import DeadLetterHeaders, dead_letter_headers


def headers(original: list[tuple[str, bytes]], reason: str = "empty", bad: list[int] | None = None) -> dict[str, str]:
    result = dead_letter_headers(
        original,
        reason=reason,
        topic="openclaw.alerts.v1",
        partition=3,
        offset=4711,
        timestamp=1_795_345_984_880,
        generation=2,
        bad_indexes=bad or (),
    )
    assert len(dict(result)) == len(result)
    return {name: value.decode() for name, value in result}


def test_the_source_is_added_to_the_original_headers() -> None:
    assert headers([("traceparent", b"00-a"), ("x", b"y")]) == {
        "traceparent": "00-a",
        "x": "y",
        "openclaw-dlq-reason": "empty",
        "openclaw-dlq-topic": "openclaw.alerts.v1",
        "openclaw-dlq-partition": "3",
        "openclaw-dlq-offset": "4711",
        "openclaw-dlq-timestamp": "1795345984880",
        "openclaw-dlq-generation": "2",
    }


def test_the_headers_of_an_earlier_dead_letter_are_replaced() -> None:
    old = [("openclaw-dlq-reason", b"old"), ("openclaw-dlq-bad-indexes", b"9"), ("x", b"y")]
    result = headers(old, "new")
    assert (result["openclaw-dlq-reason"], result["x"]) == ("new", "y")
    assert "openclaw-dlq-bad-indexes" not in result


def test_original_headers_of_the_same_name_are_kept_in_order() -> None:
    original = [("a", b"1"), ("b", b"\xff"), ("a", b"2")]
    result = dead_letter_headers(
        original, reason="empty", topic="t", partition=0, offset=0, timestamp=0, generation=1, bad_indexes=()
    )
    assert result[:3] == original


def test_invalid_indexes_are_listed_up_to_a_limit_and_the_others_counted() -> None:
    assert headers([], bad=[1, 5])["openclaw-dlq-bad-indexes"] == "1,5"
    many = headers([], bad=list(range(130)))
    assert many["openclaw-dlq-bad-indexes"].count(",") == 99
    assert many["openclaw-dlq-bad-others"] == "30"


def test_a_reason_has_no_secret() -> None:
    assert headers([], "bad url postgres://u:hunter2@db/x")["openclaw-dlq-reason"].endswith(
        "[redacted:credentials]@db/x"
    )


@given(st.text(max_size=3000))
def test_any_reason_becomes_one_line_of_bounded_length(reason: str) -> None:
    result = headers([], reason)
    assert len(result["openclaw-dlq-reason"]) <= 500
    assert result["openclaw-dlq-reason"].isprintable()
    DeadLetterHeaders.model_validate(result)
