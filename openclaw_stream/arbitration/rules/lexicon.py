"""Finding the vocabulary's words in the text of alerts, however they are spelt there.

Text is cut into sentences and tokens: CamelCase, snake_case, hyphens and digits all part tokens, a Chinese character
is one. Tokens lose their endings, so that singular and plural, `lagging` and `lag` are alike. Neighbouring tokens are
joined until nothing in the vocabulary begins that way, and the longest word wins: `MySQL`, `my-sql` and `mysql` are
one word, and the `frontend` in `query frontend` is not seen. The time is linear in the text.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[\u4e00-\u9fff]|[!?;|\n\u3002]|\.(?=\s|$)")
_ENDS = frozenset("!?;|\n\u3002.")
_URL = re.compile(r"https?://\S+")
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_VOWELS = frozenset("aeiouy")


class Word(NamedTuple):
    """A word of the vocabulary as it is written there, and the headings it stands under."""

    text: str
    headings: tuple[str, ...]


class WordMatch(NamedTuple):
    """A word found in a sentence, as its tokens `start` to `end`, without the latter."""

    word: Word
    start: int
    end: int


class Lexicon:
    """The vocabulary, ready to be found in text: `headings` maps a heading to its words."""

    def __init__(self, headings: Mapping[str, Iterable[str]], as_is: Iterable[str] = ()) -> None:
        self._as_is = frozenset(as_is)
        self.stem = lru_cache(maxsize=16_384)(self._stem)
        spelt: dict[str, tuple[str, dict[str, None]]] = {}
        for heading, words in headings.items():
            for word in words:
                key = "".join(self.stem(token) for token in _TOKEN.findall(word))
                spelt.setdefault(key, (word, {}))[1][heading] = None
        self._words = {key: Word(text, tuple(under)) for key, (text, under) in spelt.items()}
        self._prefixes = frozenset(key[:end] for key in self._words for end in range(1, len(key) + 1))

    def sentences(self, text: str) -> tuple[tuple[WordMatch, ...], ...]:
        """Return the words found in each sentence of a text; a sentence may hold none."""
        found: list[list[WordMatch]] = []
        tokens = self._tokens(text)
        fresh, at = True, 0
        while at < len(tokens):
            if tokens[at] in _ENDS:
                fresh, at = True, at + 1
                continue
            if fresh:
                found.append([])
                fresh = False
            start = at
            word, at = self._longest(tokens, start)
            if word is not None:
                found[-1].append(WordMatch(word, start, at))
        return tuple(tuple(sentence) for sentence in found)

    def _tokens(self, text: str) -> list[str]:
        return [self.stem(token) for token in _TOKEN.findall(_readable(text)[: len(text)])]

    def _longest(self, tokens: list[str], start: int) -> tuple[Word | None, int]:
        """Return the longest word that begins at `start`, and where to go on."""
        joined, best, after = "", None, start + 1
        for at in range(start, len(tokens)):
            joined += tokens[at]
            if joined not in self._prefixes:
                break
            word = self._words.get(joined)
            if word is not None:
                best, after = word, at + 1
        return best, after

    def _stem(self, token: str) -> str:
        token = token.lower()
        if len(token) <= 3 or token in self._as_is or not token.isascii():  # noqa: PLR2004 - dns, aws, vms stay
            return token
        return _without_verb_ending(_singular(token)).removesuffix("e")


def _readable(text: str) -> str:
    if not text.isascii():
        text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return _URL.sub(" ", text) if "://" in text else text


def _singular(token: str) -> str:
    if token.endswith("ies") and len(token) > len("dies"):
        return token[:-3] + "y"
    if token.endswith(("sses", "xes", "ches", "shes")):
        return token[:-2]
    return token[:-1] if token.endswith("s") and token[-2] not in "sui" else token


def _without_verb_ending(token: str) -> str:
    for ending in ("ing", "ed"):
        root = token.removesuffix(ending)
        if root != token and len(root) >= 3 and not _VOWELS.isdisjoint(root):  # noqa: PLR2004 - not string, not speed
            doubled = root[-1] == root[-2] and root[-1] not in "lszaeiou"
            return root[:-1] if doubled else root
    return token
