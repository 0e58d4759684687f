"""Texts that repeat themselves or another text, measured on words; a Chinese character counts as a word."""

import re
import zlib
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

Words = Sequence[str]

_WORD: Final = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+")
_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_SENTENCE_END: Final = re.compile(r"(?<=[!?。！？；;])\s*|(?<=\.)\s+|\n+")

_WORDS_MIN: Final = 12
_TIMES_MIN: Final = 3
_HALF: Final = 0.5
_GROUPS: Final = range(4, 13)
_HAN_GROUPS: Final = range(8, 25)
_COMPRESSED_BYTES_MIN: Final = 300
_COMPRESSED_RATIO: Final = 0.22
"""Prose is compressed to about half of its size, a loop to a small part."""


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case."""
    return [word.casefold() for word in _WORD.findall(text)]


def sentences_of(text: str) -> list[str]:
    """Return the sentences of a text, without those that are empty."""
    return [sentence for each in _SENTENCE_END.split(text) if (sentence := each.strip())]


def loops(text: str) -> bool:
    """Return whether a text repeats itself: one group of words, or repeated sentences, make up half of it."""
    words = words_of(text)
    if len(words) < _WORDS_MIN:
        return False
    data = text.encode(errors="replace")
    if len(data) >= _COMPRESSED_BYTES_MIN and len(zlib.compress(data)) < _COMPRESSED_RATIO * len(data):
        return True
    return _is_periodic(words) or _repeats_sentences(text, len(words)) or _repeats_group(words)


def copied_share(words: Words, groups: Collection[tuple[str, ...]], size: int) -> float:
    """Return the share of words that are in one of some groups of `size` words, 0 to 1."""
    copied = {
        position
        for start in range(len(words) - size + 1)
        if tuple(words[start : start + size]) in groups
        for position in range(start, start + size)
    }
    return len(copied) / len(words) if words else 0.0


def groups_of(words: Words, size: int) -> set[tuple[str, ...]]:
    """Return all groups of `size` words that follow each other."""
    return {tuple(words[start : start + size]) for start in range(len(words) - size + 1)}


def is_han(text: str) -> bool:
    """Return whether most words of a text are Chinese characters."""
    return 2 * len(_HAN.findall(text)) > len(words_of(text))


def _is_periodic(words: Words) -> bool:
    """Return whether half of the words is one group that is repeated without a gap, three times at least."""
    for period in range(1, len(words) // _TIMES_MIN + 1):
        run = longest = 0
        for position in range(period, len(words)):
            run = run + 1 if words[position] == words[position - period] else 0
            longest = max(longest, run)
        if longest >= (_TIMES_MIN - 1) * period and longest + period > _HALF * len(words) and longest > _TIMES_MIN:
            return True
    return False


def _repeats_sentences(text: str, total: int) -> bool:
    """Return whether sentences that occurred before make up half of a text."""
    seen: set[tuple[str, ...]] = set()
    repeated = 0
    for sentence in sentences_of(text):
        words = tuple(words_of(sentence))
        repeated += len(words) if words in seen else 0
        seen.add(words)
    return repeated >= _HALF * total


def _repeats_group(words: Words) -> bool:
    """Return whether a group of words, with others between its repetitions, makes up more than half of a text."""
    for size in _HAN_GROUPS if is_han("".join(words)) else _GROUPS:
        counts = Counter(tuple(words[start : start + size]) for start in range(len(words) - size + 1))
        for group, count in counts.most_common(3):
            if count >= _TIMES_MIN and copied_share(words, {group}, size) > _HALF:
                return True
    return False
