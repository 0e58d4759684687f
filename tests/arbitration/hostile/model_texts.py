"""Faults in the texts of small models, found without the code under test: copies of the example, loops, languages."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from openclaw_stream.arbitration.llm.prompt.template import EXAMPLE_CASE, example_answer
from openclaw_stream.vocabulary import Language

_FIELDS = (
    "action_title",
    "description",
    "reasoning",
    "responsibility_reasoning",
    "deviation_analysis",
    "signoz_correlation",
)
_WORD = re.compile(r"[\u4e00-\u9fff]|[^\W_\u4e00-\u9fff]+")
_ENGLISH_WORD = re.compile(r"(?<![\w/.-])[A-Za-z]{2,}(?![\w/-])")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_SENTENCE_END = re.compile(r"(?<=[。；;])|(?<=\.)\s+")
_SENTENCE_WORDS_MIN = 6
_GROUP, _TIMES = 8, 3
_ENGLISH_WORDS = 8


def judgement_texts(decision: dict[str, Any]) -> list[str]:
    """Return the prose of a `decision` block, without empty texts."""
    texts = [decision[name] for name in _FIELDS]
    texts += [each["description"] for each in decision["optimization_suggestions"]]
    return [text for text in texts if text]


def copied_sentences(texts: Sequence[str], evidence: str) -> Iterator[str]:
    """Yield the sentences and names of the prompt's example in some texts that the evidence does not hold."""
    published = " ".join(_WORD.findall(" ".join(texts).casefold()))
    known = " ".join(_WORD.findall(evidence.casefold()))
    for copied in (*_example_sentences(), EXAMPLE_CASE.service, EXAMPLE_CASE.namespace, *EXAMPLE_CASE.alert_names):
        words = " ".join(_WORD.findall(copied.casefold()))
        if f" {words} " in f" {published} " and words not in known:
            yield copied


def is_repetitive(text: str) -> bool:
    """Return whether a group of eight words or Chinese characters occurs three times in a text."""
    words = _WORD.findall(text.casefold())
    groups = Counter(tuple(words[start : start + _GROUP]) for start in range(len(words) - _GROUP + 1))
    return any(count >= _TIMES for count in groups.values())


def is_written_in(language: Language, text: str) -> bool:
    """Return whether a text is in a language; names and a few words of another one do not count."""
    han, english = len(_HAN.findall(text)), len(_ENGLISH_WORD.findall(text))
    return han <= english if language is Language.EN else english < _ENGLISH_WORDS or english <= han


def _example_sentences() -> Iterator[str]:
    for language in Language:
        for text in judgement_texts(json.loads(example_answer(language))):
            sentences = _SENTENCE_END.split(text)
            yield from (each for each in sentences if len(_WORD.findall(each)) >= _SENTENCE_WORDS_MIN)
