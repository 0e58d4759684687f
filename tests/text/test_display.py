"""Texts fit to be published."""

from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_stream.incidents.evidence import text as evidence_text
from openclaw_stream.text.display import clean, is_hidden, visible


def test_hidden_characters_are_taken_out() -> None:
    assert clean("a\u202eb\u200bc\x00d\x1b[31me\ufefff\u2066g", 100) == "abcd[31mefg"


def test_lines_and_scripts_stay() -> None:
    assert clean("  第一行\r\n第二行\ttab é  ", 100) == "第一行\n第二行\ttab é"
    assert clean("a\u2028b\u2029c", 100) == "a\nb\nc"


def test_secrets_are_taken_out() -> None:
    assert "hunter2" not in clean("login with password=hunter2 fails", 200)
    assert "hunter2" not in visible("kubectl delete pod/x --password=hunter2", 200)


def test_a_secret_that_makes_room_shows_no_half_of_the_next() -> None:
    text = f"password={'x' * 590} ghp_{'a1B2' * 9}"
    assert "ghp_" not in visible(text, 300)
    assert "ghp_" not in evidence_text(text, 300)


def test_long_texts_are_cut_with_a_sign() -> None:
    assert clean("x" * 50, 10) == "x" * 9 + "…"
    assert visible("x" * 50, 10) == "x" * 9 + "…"


def test_hidden_characters_are_shown_in_what_was_refused() -> None:
    assert visible("a\u202eb\nc\x00", 100) == "a<U+202E>b<U+000A>c<U+0000>"


def test_a_hidden_character_hides_no_secret() -> None:
    assert visible("pass\u200bword=hunter2", 100) == "password=[redacted:password]"


@settings(deadline=None)
@given(st.text(), st.integers(2, 50))
def test_nothing_hidden_gets_through(text: str, limit: int) -> None:
    assert len(clean(text, limit)) <= limit
    assert len(visible(text, limit)) <= limit
    assert not any(is_hidden(char) and char not in "\n\t" for char in clean(text, limit))
    assert not any(is_hidden(char) for char in visible(text, limit))
