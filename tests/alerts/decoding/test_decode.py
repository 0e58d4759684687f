import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.alerts.decoding.decode import DecodedRecord, decode
from openclaw_stream.errors import PoisonError
from openclaw_stream.vocabulary import Severity
from tests.alerts.records import DOCUMENTS, READER, RECORD, VALID, mutated


def outcome(value: bytes) -> DecodedRecord | str:
    try:
        return decode(value, RECORD, READER)
    except PoisonError as error:
        return str(error)


def reason(value: bytes) -> str:
    with pytest.raises(PoisonError) as caught:
        decode(value, RECORD, READER)
    return str(caught.value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (b"", "empty"),
        (b" \n ", "empty"),
        (b"hello", "not JSON"),
        (b'{"alert_type": "x"', "not JSON: unexpected end of data"),
        (b'{"alert_type": "x"} {}', "not JSON"),
        (b"\x00\x01\x02\x03", "not JSON"),
        (b"[" * 100_000, "nested"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested"),
        (b"[]", "unknown shape"),
        (b"null", "unknown shape"),
        (b"42", "unknown shape"),
        (b'"alert"', "unknown shape"),
        (b"{}", "no alert_type"),
        (b'{"message": "it burns"}', "keys: message"),
        (b'{"alerts": null}', "no alert_type"),
        (b'{"alert_type": "  "}', "no alert_type"),
    ],
)
def test_an_undecodable_record_is_poison_with_a_reason(value: bytes, words: str) -> None:
    assert words in reason(value)


@pytest.mark.parametrize(
    "value",
    [
        b'\xef\xbb\xbf{"alert_type": "x"}',
        b'{"alert_type": "x", "message": "caf\xe9"}',
        b'{"alert_type": "x", "metrics": {"a": NaN}}',
        b'{"alert_type": "x", "metrics": {"a": -Infinity}}',
        b'{"alert_type": "x", "message": "\\ud800"}',
        b'{"alert_type": "x"}\x00\x00',
    ],
)
def test_an_odd_encoding_is_mended_with_a_warning(value: bytes) -> None:
    decoded = decode(value, RECORD, READER)
    assert [alert.name for alert in decoded.alerts] == ["x"]
    assert decoded.warnings


def test_the_good_alerts_of_a_record_fold_and_the_bad_ones_are_named() -> None:
    decoded = decode(b'[{"alert_type": "x"}, 5, {"alert_type": "y"}, {"message": "z"}]', RECORD, READER)
    assert [alert.name for alert in decoded.alerts] == ["x", "y"]
    assert [fault.index for fault in decoded.faults] == [1, 3]


def test_a_record_of_skipped_alerts_only_is_no_dead_letter() -> None:
    decoded = decode(b'{"alert_type": "x", "state": "pending"}', RECORD, READER)
    assert (decoded.alerts, decoded.faults, decoded.skipped) == ([], [], ["pending"])


def test_a_huge_record_is_decoded_like_any_other() -> None:
    value = orjson.dumps({"alert_type": "x", "message": "y" * 8_000_000, "fingerprint": "f" * 1_000_000})
    assert decode(value, RECORD, READER).alerts[0].name == "x"


def test_a_huge_payload_with_long_common_labels_stays_bounded() -> None:
    common = {f"label{number}": "x" * 200 for number in range(2000)}
    payload = {"alerts": [{"labels": {"alertname": f"a{n}"}} for n in range(5000)], "commonLabels": common}
    decoded = decode(orjson.dumps(payload), RECORD, READER)
    assert len(decoded.alerts) == 5000
    assert all(len(alert.labels) <= 65 for alert in decoded.alerts)


@given(mutated())
def test_a_mutated_record_is_decoded_or_poison(value: bytes) -> None:
    assert isinstance(outcome(value), DecodedRecord | str)


@given(DOCUMENTS)
def test_a_document_of_any_types_is_decoded_or_poison(document: dict[str, object]) -> None:
    result = outcome(orjson.dumps(document))
    assert isinstance(result, DecodedRecord) or result.isprintable()


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_poison(value: bytes) -> None:
    assert isinstance(outcome(value), DecodedRecord | str)


@given(st.one_of(mutated(), st.sampled_from(VALID)))
def test_decoding_is_a_function_of_the_record(value: bytes) -> None:
    assert outcome(value) == outcome(value)


@given(mutated())
def test_decoded_alerts_satisfy_the_expectations_of_the_fold(value: bytes) -> None:
    result = outcome(value)
    for alert in result.alerts if isinstance(result, DecodedRecord) else ():
        assert alert.name.strip()
        assert alert.fingerprint
        assert alert.group_key
        assert not alert.group_key.startswith("#")
        assert isinstance(alert.severity, Severity)
        assert 0 <= alert.member < 1 << 64
        assert alert.starts_at >= 0 <= alert.ends_at
        assert all(isinstance(text, str) for text in (*alert.labels.values(), *alert.annotations.values()))
        assert all(abs(number) < float("inf") for number in alert.metrics.values())


def test_a_reason_is_short_and_has_no_secret() -> None:
    secret = "hunter2" * 3
    value = orjson.dumps({"alert_type": "x", "metrics": {"password": secret, "a" * 5000: "b" * 5000}})
    warnings = decode(value, RECORD, READER).warnings
    assert len(warnings) == 2
    assert all(secret not in warning and len(warning) < 300 for warning in warnings)
    assert len(reason(orjson.dumps({"k" * 5000 + str(n): 1 for n in range(500)}))) < 900


def test_a_record_of_too_many_alerts_is_poison() -> None:
    # No other partition is served while one record is folded.
    payload = orjson.dumps({"alerts": [{"labels": {"alertname": "A"}}] * 10_001})
    with pytest.raises(PoisonError, match="more than 10,000"):
        decode(payload, 0, READER)


def test_a_start_in_the_far_future_is_ignored_even_where_the_record_has_no_time() -> None:
    decoded = decode(b'{"alert_type": "A", "starts_at": 1e30}', 0, READER)
    assert decoded.alerts[0].starts_at == 0
    assert "after the year 2200" in decoded.warnings[0]
