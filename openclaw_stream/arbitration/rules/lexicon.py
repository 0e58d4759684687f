"""Matches the terms of the vocabulary in alert text, independent of spelling.

Text is split into sentences and tokens: CamelCase, snake_case, hyphens and digits separate tokens, and each Chinese
character is a token. Tokens are stemmed, so that singular and plural, `lagging` and `lag` are equal. Adjacent tokens
are joined while some term has that prefix, and the longest term wins: `MySQL`, `my-sql` and `mysql` are one term, and
the `frontend` in `query frontend` does not match. The time is linear in the length of the text.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[\u4e00-\u9fff]|[!?;|~\n\u3002]|\.(?=\s|$)")
_SENTENCE_ENDS = frozenset("!?;|\n\u3002.")
_URL = re.compile(r"https?://\S+")
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_VOWELS = frozenset("aeiouy")


class Term(NamedTuple):
    """A term as the vocabulary spells it, and its categories."""

    text: str
    categories: tuple[str, ...]


class TermMatch(NamedTuple):
    """A term found in a sentence at the tokens `start` (inclusive) to `end` (exclusive)."""

    term: Term
    start: int
    end: int


class Lexicon:
    """The vocabulary, indexed for matching.

    Args:
        categories: The terms of each category.
        unstemmed: Tokens whose ending is part of the word, such as `nats`.
    """

    def __init__(self, categories: Mapping[str, Iterable[str]], unstemmed: Iterable[str] = ()) -> None:
        self._unstemmed = frozenset(unstemmed)
        self.stem = lru_cache(maxsize=16_384)(self._stem)
        by_stems: dict[str, tuple[str, dict[str, None]]] = {}
        for category, terms in categories.items():
            for term in terms:
                key = "".join(self.stem(token) for token in _TOKEN.findall(term))
                by_stems.setdefault(key, (term, {}))[1][category] = None
        self._terms = {key: Term(text, tuple(named)) for key, (text, named) in by_stems.items()}
        self._prefixes = frozenset(key[:end] for key in self._terms for end in range(1, len(key) + 1))

    def sentences(self, text: str) -> tuple[tuple[TermMatch, ...], ...]:
        """Return the terms found in each sentence of a text; a sentence may have none."""
        found: list[list[TermMatch]] = []
        tokens = self._tokens(text)
        new_sentence, position = True, 0
        while position < len(tokens):
            if tokens[position] in _SENTENCE_ENDS:
                new_sentence, position = True, position + 1
                continue
            if new_sentence:
                found.append([])
                new_sentence = False
            start = position
            term, position = self._longest(tokens, start)
            if term is not None:
                found[-1].append(TermMatch(term, start, position))
        return tuple(tuple(sentence) for sentence in found)

    def _tokens(self, text: str) -> list[str]:
        return [self.stem(token) for token in _TOKEN.findall(_normalized(text)[: len(text)])]

    def _longest(self, tokens: list[str], start: int) -> tuple[Term | None, int]:
        """Return the longest term that begins at `start`, and the position after it."""
        joined, longest, after = "", None, start + 1
        for position in range(start, len(tokens)):
            joined += tokens[position]
            if joined not in self._prefixes:
                break
            term = self._terms.get(joined)
            if term is not None:
                longest, after = term, position + 1
        return longest, after

    def _stem(self, token: str) -> str:
        token = token.lower()
        if len(token) <= 3 or token in self._unstemmed or not token.isascii():  # noqa: PLR2004 - dns, aws, vms stay
            return token
        return _without_verb_ending(_singular(token)).removesuffix("e")


def _normalized(text: str) -> str:
    if not text.isascii():
        text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return _URL.sub("~", text) if "://" in text else text


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
