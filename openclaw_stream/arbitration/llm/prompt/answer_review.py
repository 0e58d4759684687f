"""Reviews a valid answer against its case: whether it is a judgement of this case at all, and which names it invents.

An answer that repeats the prompt or its example, repeats itself or is in another language is none. A name that the
evidence does not hold is removed, with its sentence in prose, and the judgement stands.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from openclaw_stream.alerts.titles import subject_title
from openclaw_stream.arbitration.llm.prompt.foreign_names import evidence_names, foreign_names, is_known, stated_numbers
from openclaw_stream.arbitration.llm.prompt.prose_language import is_in_language
from openclaw_stream.arbitration.llm.prompt.repetition import (
    copied_share,
    groups_of,
    is_han,
    loops,
    sentences_of,
    words_of,
)
from openclaw_stream.arbitration.llm.prompt.response import Answer, AnswerError, AnswerFault, parse_answer
from openclaw_stream.arbitration.llm.prompt.template import EXAMPLE_CASE, INSTRUCTIONS, LANGUAGES, example_answer
from openclaw_stream.events.decision import GoldenSignals, Judgement
from openclaw_stream.incidents.case import Case
from openclaw_stream.text import Hidden, safe_text
from openclaw_stream.vocabulary import Language

_TEXTS: Final = (
    "description",
    "reasoning",
    "responsibility_reasoning",
    "deviation_analysis",
    "signoz_correlation",
)
_SAYS_SOMETHING: Final = re.compile(r"[^\W\d_]{2}")
_GROUP, _HAN_GROUP = 4, 6
_COPIED_WORDS_MIN, _COPIED_HAN_MIN = 8, 12
_COPIED: Final = 0.7
_INSTRUCTION_WORDS_MIN: Final = 4
_TITLE_WORDS_MIN: Final = 5
_NAME_MAX: Final = 80
_TEXT_MAX: Final = 8000


@dataclass(frozen=True, slots=True)
class AnswerReader:
    """Reads the answers to one case; all of them are held against its evidence."""

    case: Case
    metrics: GoldenSignals | None
    language: Language

    def read(self, text: str) -> Answer:
        """Return the answer in a text.

        Raises:
            AnswerError: There is none, or it is no judgement of this case.
        """
        answer = parse_answer(text)
        evidence = evidence_names(self.case, self.metrics)
        if not _is_of_example(self.case) and _repeats_example(answer.judgement, self.case, evidence):
            raise AnswerError(AnswerFault.EXAMPLE, "it repeats the prompt or its example; judge the incident at hand")
        if any(map(loops, _prose(answer.judgement))):
            raise AnswerError(AnswerFault.LOOP, "it repeats itself; write each sentence once")
        if not _is_in_language(answer.judgement, self.language, evidence):
            raise AnswerError(AnswerFault.LANGUAGE, f"its prose is not in {LANGUAGES[self.language]}")
        if not _SAYS_SOMETHING.search(f"{answer.judgement.description} {answer.judgement.reasoning}"):
            raise AnswerError(AnswerFault.SCHEMA, "description: it says nothing about this incident")
        return _without_foreign_names(answer, self.case, evidence)


def _prose(judgement: Judgement) -> Iterator[str]:
    yield judgement.action_title
    yield from (getattr(judgement, name) for name in _TEXTS)
    yield from (each.description for each in judgement.optimization_suggestions)


def _is_in_language(judgement: Judgement, language: Language, evidence: str) -> bool:
    title = judgement.action_title
    title = "" if title.casefold() in evidence else title  # the alert's own words are in any language
    texts = [judgement.description, " ".join(getattr(judgement, name) for name in _TEXTS)]
    return is_in_language(title, texts, language)


# ---- the example


def _is_of_example(case: Case) -> bool:
    return (case.namespace, case.service) == (EXAMPLE_CASE.namespace, EXAMPLE_CASE.service)


@cache
def _example_groups(size: int) -> frozenset[tuple[str, ...]]:
    examples = (parse_answer(example_answer(language)).judgement for language in Language)
    prose = [words_of(text) for example in examples for text in _prose(example)]
    return frozenset(group for words in (*prose, *_instructions()) for group in groups_of(words, size))


@cache
def _instructions() -> frozenset[tuple[str, ...]]:
    """Return the words of each sentence of the prompt's instructions."""
    sentences = (tuple(words_of(each)) for text in INSTRUCTIONS for each in sentences_of(text))
    return frozenset(words for words in sentences if len(words) >= _INSTRUCTION_WORDS_MIN)


def _repeats_example(judgement: Judgement, case: Case, evidence: str) -> bool:
    """Return whether prose is that of the prompt or an example, also with other names, or has its service or alert."""
    prose = [text for text in _prose(judgement) if text]
    names = (EXAMPLE_CASE.service, *EXAMPLE_CASE.alert_names)
    if any(name.casefold() in text.casefold() and not is_known(name, evidence) for text in prose for name in names):
        return True
    return _is_title_of_example(judgement.action_title, stated_numbers(case)) or any(map(_is_copied, prose))


def _is_copied(text: str) -> bool:
    words, han = words_of(text), is_han(text)
    if tuple(words) in _instructions():
        return True
    if len(words) < (_COPIED_HAN_MIN if han else _COPIED_WORDS_MIN):
        return False
    size = _HAN_GROUP if han else _GROUP
    return copied_share(words, _example_groups(size), size) >= _COPIED


def _is_title_of_example(title: str, numbers: set[str]) -> bool:
    """Return whether a title is that of an example with another name, and no alert states one of its numbers."""
    words = set(words_of(title))
    if len(words) < _TITLE_WORDS_MIN or words & numbers:
        return False
    titles = (parse_answer(example_answer(language)).judgement.action_title for language in Language)
    return any(set(words_of(each)) - set(words_of(EXAMPLE_CASE.service)) <= words for each in titles)


# ---- names


def _without_foreign_names(answer: Answer, case: Case, evidence: str) -> Answer:
    judgement, dropped = answer.judgement, list[str]()
    affected, foreign = _split_names(judgement.affected_services, evidence)
    related, more_foreign = _split_names(judgement.blast_radius.related_services, evidence)
    foreign += more_foreign
    dropped += (f"{_quoted(name)} removed: the alerts do not name it" for name in foreign)
    texts = {name: _kept(name, getattr(judgement, name), evidence, foreign, dropped) for name in _TEXTS}
    title = _kept("action_title", judgement.action_title, evidence, foreign, dropped)
    trouble = next((each.name for each in case.exemplars), "") or next(iter(case.alert_names), "")
    suggestions = [
        each.model_copy(update={"description": _kept("suggestion", each.description, evidence, foreign, dropped)})
        for each in judgement.optimization_suggestions
    ]
    changes: dict[str, Any] = {
        **texts,
        "action_title": title or subject_title(case.subject, trouble),
        "affected_services": affected,
        "blast_radius": judgement.blast_radius.model_copy(update={"related_services": related}),
        "optimization_suggestions": suggestions,
    }
    return replace(answer, judgement=judgement.model_copy(update=changes), dropped=(*answer.dropped, *dropped))


def _split_names(names: list[str], evidence: str) -> tuple[list[str], list[str]]:
    """Return the names that the evidence holds, and the others."""
    known = [name for name in names if is_known(name, evidence)]
    return known, [name for name in names if name and name not in known]


def _kept(field: str, text: str, evidence: str, foreign: list[str], dropped: list[str]) -> str:
    """Return a text without the sentences that have a foreign name."""
    # Redacted first: the rest of a secret is not recognized without the words before it.
    sentences = sentences_of(safe_text(text, _TEXT_MAX))
    named = {sentence: next(foreign_names(sentence, evidence, foreign), "") for sentence in sentences}
    if not any(named.values()):
        return text
    dropped += (
        f"a sentence of {field} removed: the alerts do not name {_quoted(name)}" for name in named.values() if name
    )
    return " ".join(sentence for sentence in sentences if not named[sentence])


def _quoted(name: str) -> str:
    return safe_text(name, _NAME_MAX, hidden=Hidden.ESCAPE)
