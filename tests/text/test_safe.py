import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.text import Hidden, safe_text
from openclaw_stream.text.hidden import is_hidden
from openclaw_stream.text.redaction import plain, redact
from tests.text.secrets import BODY, FRAGMENTS, PAIRS, VENDOR_TOKENS

HIDDEN = [*Hidden]
MARKS = ["\u200b", "\u202e", "\x00", "\ue000", "\u0378", "\ud800", "\u034f", "\ufe0f"]
"""A character of each hidden category, and two marks that are invisible."""


def test_hidden_characters_are_dropped() -> None:
    assert safe_text("a\u202eb\u200bc\x00d\x1b[31me\ufefff\u2066g", 100) == "abcd[31mefg"


def test_lines_and_scripts_stay() -> None:
    assert safe_text("  第一行\r\n第二行\ttab é  ", 100) == "第一行\n第二行\ttab é"
    assert safe_text("a\u2028b\u2029c", 100) == "a\nb\nc"


def test_hidden_characters_are_escaped() -> None:
    assert safe_text("a\u202eb\nc\x00", 100, hidden=Hidden.ESCAPE) == "a<U+202E>b<U+000A>c<U+0000>"
    assert safe_text("a\u202eb\n\tc", 100, hidden=Hidden.ESCAPE_KEEP_LINES) == "a<U+202E>b\n\tc"


def test_hidden_characters_are_kept() -> None:
    assert safe_text(" a\u202eb\n", 100, hidden=Hidden.KEEP) == " a\u202eb\n"


@pytest.mark.parametrize("hidden", HIDDEN)
def test_white_space_is_joined_in_one_line(hidden: Hidden) -> None:
    assert safe_text("  a\r\n\t b\u2028c\x0bd ", 100, hidden=hidden, one_line=True) == "a b c d"
    assert safe_text("password:\nhunter2", 100, hidden=hidden, one_line=True) == "password: [redacted:password]"
    assert safe_text("a " * 10**6, 10, hidden=hidden, one_line=True) == "a a a a a…"


@pytest.mark.parametrize("hidden", HIDDEN)
def test_a_long_text_is_cut_with_an_ellipsis(hidden: Hidden) -> None:
    assert safe_text("x" * 50, 10, hidden=hidden) == "x" * 9 + "…"
    assert safe_text("x" * 10, 10, hidden=hidden) == "x" * 10


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("mark", MARKS)
def test_a_hidden_character_conceals_no_secret(hidden: Hidden, mark: str) -> None:
    assert safe_text(f"pass{mark}word=hunter2", 100, hidden=hidden) == "password=[redacted:password]"
    for token in VENDOR_TOKENS.values():
        shown = safe_text(f"x {token[:9]}{mark}{token[9:]} y", 300, hidden=hidden)
        assert token not in plain(shown)


@pytest.mark.parametrize("hidden", HIDDEN)
def test_redaction_leaves_no_half_of_the_next_secret(hidden: Hidden) -> None:
    assert "ghp_" not in safe_text(f"password={'x' * 590} ghp_{'a1B2' * 9}", 300, hidden=hidden)


@pytest.mark.parametrize("token", VENDOR_TOKENS.values(), ids=VENDOR_TOKENS)
def test_a_cut_shows_no_half_secret(token: str) -> None:
    before, after = f"password={'x' * 500} ", " and more" * 100
    for bound in range(len(before) - 256, len(before + token), 2):
        shown = re.sub(r"\[redacted:[a-z-]+\]", "", safe_text(before + token + after, bound // 2))
        assert token[:6] not in shown


def test_a_cut_shows_no_start_of_a_long_secret() -> None:
    before, after = "the token is ", " and more" * 100
    for limit in range(4, 130):
        assert "eyJ" not in safe_text(f"{before}{VENDOR_TOKENS['jwt']}{BODY * 20}{after}", limit)


def test_a_text_without_blanks_is_not_left_out() -> None:
    assert safe_text("記憶體不足" * 200, 100) == ("記憶體不足" * 20)[:99] + "…"
    assert safe_text("x," * 1000, 100) == ("x," * 50)[:99] + "…"


def test_a_text_cut_before_redaction_ends_with_an_ellipsis() -> None:
    assert safe_text(f"password={'x' * 10_000}", 100) == "password=[redacted:password]…"


def test_the_length_of_a_cut_text_is_shown() -> None:
    assert safe_text("x" * 70_000, 50, show_length=True) == "x" * 30 + "… (70000 characters)"
    assert safe_text("x" * 50, 50, show_length=True) == "x" * 50


def test_what_dropping_has_joined_is_redacted() -> None:
    # In its plain form the token follows a letter and is not recognised; it is in the text without hidden characters.
    token = VENDOR_TOKENS["aws-key"]
    assert token not in safe_text(f"\u00aa{token[:9]}\u200b{token[9:]}", 100)


def test_an_escape_that_redaction_decodes_stays_visible() -> None:
    assert safe_text(r"p\u0061ssword=hunter2 \u202e\ue000\u2028x", 100) == "password=[redacted:password] \nx"


@pytest.mark.parametrize("hidden", HIDDEN)
def test_own_secrets_are_replaced_wherever_they_are(hidden: Hidden) -> None:
    for before in range(190, 215):
        shown = safe_text("x" * before + "0wn.key", 200, hidden=hidden, secrets=["", "0wn.key"])
        assert "0wn" not in shown
    assert "0wn.key" not in safe_text("0wn\u200b.key", 100, secrets=["0wn.key"])


@pytest.mark.parametrize("name", ["password", "db.password", "pass\u200bword", "\uff50\uff41\uff53\uff53word", "密碼"])
@pytest.mark.parametrize("hidden", HIDDEN)
def test_a_name_marks_its_value_as_a_secret(name: str, hidden: Hidden) -> None:
    assert safe_text("hunter2", 100, hidden=hidden, name=name) == "[redacted:password]"
    assert safe_text("x" * 1000, 10, hidden=hidden, name=name) == "[redacted…"


@pytest.mark.parametrize("name", ["summary", "a=b", "bearer a1", "AKIA" + "IOSFODNN7EXAMPLE", "", ":", "\u200b"])
def test_a_name_never_appears_in_the_text(name: str) -> None:
    assert safe_text("pod checkout restarts", 100, name=name) in {"pod checkout restarts", "restarts"} or (
        "[redacted:" in safe_text("pod checkout restarts", 100, name=name)
    )


@given(st.text(), st.integers(1, 50), st.sampled_from(HIDDEN), st.booleans(), st.text(max_size=20))
def test_a_result_is_never_longer_than_the_limit(
    text: str,
    limit: int,
    hidden: Hidden,
    one_line: bool,  # noqa: FBT001 - drawn by hypothesis
    name: str,
) -> None:
    shown = safe_text(text, limit, hidden=hidden, one_line=one_line, name=name, secrets=["ab"])
    assert len(shown) <= limit


@given(st.text(), st.integers(1, 50))
def test_nothing_hidden_is_published(text: str, limit: int) -> None:
    assert not any(is_hidden(char) and char not in "\n\t" for char in safe_text(text, limit))
    assert safe_text(text, limit, hidden=Hidden.ESCAPE).isprintable()
    assert safe_text(text, limit, one_line=True).replace("\u3000", "").isprintable()


@given(st.lists(FRAGMENTS, max_size=6).map("".join), st.sampled_from([Hidden.DROP, Hidden.KEEP]), st.booleans())
def test_a_safe_text_stays_as_it_is(text: str, hidden: Hidden, one_line: bool) -> None:  # noqa: FBT001 - drawn
    once = safe_text(text, 10_000, hidden=hidden, one_line=one_line)
    assert safe_text(once, 10_000, hidden=hidden, one_line=one_line) == once


@given(
    st.sampled_from(sorted(VENDOR_TOKENS.values())),
    st.sampled_from(["", *MARKS]),
    st.integers(0, 700),
    st.integers(20, 300),
    st.sampled_from(HIDDEN),
)
def test_no_part_of_a_token_is_left_after_a_cut(token: str, mark: str, before: int, limit: int, hidden: Hidden) -> None:
    """Wherever bound and limit fall: redacting the text before the token moves it towards the start."""
    text = f"password={'x' * before} {mark.join(token)} and more{' text' * 200}"
    shown = plain(safe_text(text, limit, hidden=hidden))
    assert token[:6] not in re.sub(r"\[redacted:[a-z-]*", "", shown)


@given(st.sampled_from(PAIRS), st.text(alphabet="abcXYZ019", min_size=8, max_size=40), st.integers(10, 200))
def test_no_part_of_a_named_value_is_left_after_a_cut(pair: tuple[str, str], secret: str, limit: int) -> None:
    text = f"{'x ' * 80}{pair[0].format('Q7' + secret)}{' text' * 200}"
    assert "Q7" not in safe_text(text, limit)


@given(st.text(), st.integers(1, 200))
def test_what_is_published_has_no_secret(text: str, limit: int) -> None:
    shown = safe_text(text, limit)
    assert redact(shown) == shown or shown.endswith("…")
