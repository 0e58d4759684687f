import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.alerts.decoding.binary import explain, split_schema_id

OTLP = b"\x0a\x04\x12\x02\x12\x00"
EVENT = b"\x0a\x02\x08\x01" + b"\x12\x04am-0" + b"\x1a\x02\x12\x00" + b"\x20\x01"


def test_the_header_of_a_schema_registry_is_split_off() -> None:
    assert split_schema_id(b"\x00\x00\x00\x01\x02{}") == ("258", b"{}")


def test_headers_of_other_registries_are_split_off() -> None:
    assert split_schema_id(b"\x00" + bytes(7) + b"\x0c{}") == ("12", b"{}")
    identifier, rest = split_schema_id(b"\x03\x00" + bytes(15) + b"\x01{}") or ("", b"")
    assert (identifier, rest) == ("00000000-0000-0000-0000-000000000001", b"{}")


@pytest.mark.parametrize("value", [b"", b"\x00", b"\x00\x00\x00\x00\x0c", b"{}{}{}{}", b"\x01\x00\x00\x00\x0c{}"])
def test_a_value_without_the_header_is_left_alone(value: bytes) -> None:
    assert split_schema_id(value) is None


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (OTLP, "encoding: otlp_json"),
        (OTLP * 3, "encoding: otlp_json"),
        (EVENT, "format: json"),
        (EVENT[:-2], "format: json"),
        (b"\x1f\x8b\x08\x00", "compression.type"),
    ],
)
def test_what_is_recognised_is_explained(value: bytes, words: str) -> None:
    assert words in explain(value)


@pytest.mark.parametrize(
    "value", [b"", b"hello", b'\n{"a": 1', OTLP[:-1], OTLP + b"\x0c", b"\x0a\xff", b"\x80" * 20, b"\x1a\x00\x28\x01"]
)
def test_what_is_not_recognised_is_not_explained(value: bytes) -> None:
    assert explain(value) == ""


@given(st.binary(max_size=300))
def test_any_bytes_are_explained_or_not(value: bytes) -> None:
    assert isinstance(explain(value), str)
