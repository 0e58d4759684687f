from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.alerts.json_values import parse
from openclaw_stream.errors import PoisonError
from tests.alerts.records import JSON_VALUES


def parsed(text: bytes | str) -> tuple[Any, list[str]]:
    warnings: list[str] = []
    return parse(text, warnings), warnings


def reason(text: bytes | str) -> str:
    with pytest.raises(PoisonError) as caught:
        parsed(text)
    return str(caught.value)


@given(JSON_VALUES)
def test_json_is_read_without_a_warning(value: Any) -> None:
    assert parsed(orjson.dumps(value)) == (value, [])


@pytest.mark.parametrize(
    ("text", "value", "warning"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}, "byte order mark"),
        ('\ufeff{"a": 1}', {"a": 1}, "byte order mark"),
        (b'{"a": 1}\x00\x00', {"a": 1}, "NUL bytes"),
        (b'{"a": 1}\n\x00', {"a": 1}, "NUL bytes"),
        (b'{"a": NaN, "b": [Infinity, -Infinity, 1e999]}', {"a": None, "b": [None] * 3}, "NaN or infinite"),
        (b'{"a": -1e999}', {"a": None}, "NaN or infinite"),
        (b'{"a": "\\ud800 x"}', {"a": "\ufffd x"}, "lone surrogate"),
        (b'{"\\udfff": "\\ud83d\\ude00"}', {"\ufffd": "\U0001f600"}, "lone surrogate"),
        (b'{"a": "caf\xe9"}', {"a": "café"}, "Latin-1"),
        ('{"a": "é"}'.encode("utf-16"), {"a": "é"}, "UTF-16"),
        (b'{"a": NaN, "b": "\\\\ud800"}', {"a": None, "b": "\\ud800"}, "NaN or infinite"),
    ],
)
def test_what_is_nearly_json_is_mended_with_one_warning(text: bytes | str, value: Any, warning: str) -> None:
    found, warnings = parsed(text)
    assert found == value
    assert len(warnings) == 1
    assert warning in warnings[0]


def test_each_kind_of_fault_is_a_warning_once() -> None:
    warnings: list[str] = []
    for _ in range(3):
        parse(b'\xef\xbb\xbf{"a": NaN, "b": "\\ud800"}\x00', warnings)
    assert len(warnings) == 4


def test_a_long_integer_beside_nan_stays_a_number() -> None:
    assert parsed(f"[NaN, {'9' * 30}, 18446744073709551615, {'9' * 5000}]")[0] == [
        None,
        pytest.approx(1e30),
        18446744073709551615,
        None,
    ]


def test_line_breaks_and_tabs_within_texts_are_kept_with_a_warning() -> None:
    assert parsed('{"a": "x\n\ty"}') == ({"a": "x\n\ty"}, ["value: a line break or tab within a text kept"])
    assert parsed('{"a":\n1}') == ({"a": 1}, [])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"hello", "not JSON"),
        (b'{"alert_type": "x"', "not JSON: unexpected end of data"),
        (b'{"a": NaN', "not JSON: NaN is no number"),
        (b'{"a": 1} {}', "not JSON"),
        (b'{"a": 1,}', "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b'{"a": "\xff"', "not UTF-8: invalid start byte at byte 7"),
        (b'{"a": "\x01"}', "not JSON"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"[" * 100_000, "nested"),
        (b"[NaN, " + b"[" * 5000 + b"]" * 5000 + b"]", "nested"),
        ("\ud800", "not JSON"),
    ],
)
def test_what_is_no_json_is_refused_with_the_place(text: bytes | str, words: str) -> None:
    assert words in reason(text)


@given(st.one_of(st.binary(max_size=100), st.text(max_size=100)))
def test_any_text_is_read_or_refused(text: bytes | str) -> None:
    try:
        value = parse(text, [])
    except PoisonError:
        return
    assert orjson.loads(orjson.dumps(value)) == value
