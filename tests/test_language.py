"""The language of the package: archaic and household words per 1,000 lines."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

import openclaw_stream

LIMIT = 2.0
"""Words per 1,000 lines."""

PHRASES = ("for ever", "left alone", "let go", "in vain")
WORDS = (
    *("tell", "tells", "told", "hear", "hears", "heard", "anew", "nobody", "somebody", "whoever"),
    *("stranger", "strangers", "owe", "owed", "bury", "buries", "buried", "exhume", "cursed"),
    *("thrice", "house", "desk", "errand"),
    *PHRASES,
)
_PATTERN = re.compile(rf"\b(?:{'|'.join(WORDS).replace(' ', '[ ]')})\b", re.IGNORECASE)
_LINE_BREAK = re.compile(r"\s*\n\s*(?:#\s*)?")


def count(text: str) -> Counter[str]:
    """Count the words of the list in a module's text, names split at underscores; a phrase may span two lines."""
    joined = _LINE_BREAK.sub(" ", text.replace("_", " "))
    return Counter(match.group().lower() for match in _PATTERN.finditer(joined))


def per_thousand_lines(texts: Iterable[str]) -> tuple[float, Counter[str]]:
    """Return the words of the list per 1,000 lines of all texts, and how often each occurs."""
    lines, words = 0, Counter[str]()
    for text in texts:
        lines += len(text.splitlines())
        words += count(text)
    return 1000 * words.total() / lines, words


def test_the_package_is_written_in_plain_english(capsys: pytest.CaptureFixture[str]) -> None:
    paths = sorted(Path(openclaw_stream.__file__).parent.rglob("*.py"))
    rate, words = per_thousand_lines(path.read_text(encoding="utf-8") for path in paths)
    with capsys.disabled():
        print(f"\narchaic words per 1,000 lines of the package: {rate:.2f} (limit {LIMIT:g})")  # noqa: T201 - its figure
    assert rate <= LIMIT, words.most_common()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# Nobody told us.", ["nobody", "told"]),
        ('"""It waits for ever."""', ["for ever"]),
        ("# It waits for\n    # ever, in\n    vain.", ["for ever", "in vain"]),
        ("def bury_house(desk): ...", ["bury", "house", "desk"]),
        ('__owed = HOUSE_RULES["tell_tells"]', ["owed", "house", "tell", "tells"]),
        ("clickhouse = foretell(whomsoever, desktop, houses, forever, letting_go)", []),
        ("let = go", []),
    ],
)
def test_words_are_counted_wherever_they_are(text: str, words: list[str]) -> None:
    assert sorted(count(text).elements()) == sorted(words)


def test_every_word_of_the_list_is_counted() -> None:
    assert count(" ".join(WORDS)) == Counter(WORDS)


def test_the_rate_is_that_of_all_texts_together() -> None:
    rate, words = per_thousand_lines(["# told\n" * 3, "x = 1\n" * 997, "", "# desk\n" * 1000])
    assert rate == 1003 / 2
    assert words == {"told": 3, "desk": 1000}
