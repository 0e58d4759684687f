import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.text.hidden import escape_hidden, is_hidden, without_hidden


@pytest.mark.parametrize("char", ["\x00", "\x1b", "\u200b", "\u202e", "\u2066", "\ufeff", "\ue000", "\ud800", "\u2028"])
def test_invisible_characters_are_hidden(char: str) -> None:
    assert is_hidden(char)


@pytest.mark.parametrize("char", ["a", "é", "第", "👩", " ", "\u3000", "\u0301"])
def test_letters_marks_and_blanks_are_not_hidden(char: str) -> None:
    assert not is_hidden(char)


def test_line_breaks_and_tabs_stay() -> None:
    assert without_hidden("a\r\nb\u2028c\u2029d\te\x0bf") == "a\nb\nc\nd\tef"


def test_hidden_characters_are_escaped_as_code_points() -> None:
    assert escape_hidden("a\u202eb\nc\x00\U000e0001") == "a<U+202E>b<U+000A>c<U+0000><U+E0001>"
    assert escape_hidden("a\u202eb\nc\td", keep_lines=True) == "a<U+202E>b\nc\td"


@given(st.text())
def test_nothing_hidden_remains(text: str) -> None:
    assert not any(is_hidden(char) and char not in "\n\t" for char in without_hidden(text))
    assert escape_hidden(text).isprintable()
