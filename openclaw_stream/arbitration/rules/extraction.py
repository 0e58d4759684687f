"""What the alerts of a case speak of: the headings of the vocabulary they touch, and how plainly.

Alert text is written by strangers. A sentence that asks for a team, an owner or a confidence says nothing from there
on, and the teams it names before that are not heard; labels that name a team are not read at all.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from openclaw_stream.arbitration.rules.table import DIRECTIVE, NAMED_SERVICE, NAMING, OBLIGATION, TEAM_WORD, Fields
from openclaw_stream.arbitration.rules.words import Lexicon, WordMatch
from openclaw_stream.incidents.case import Case, Exemplar
from openclaw_stream.vocabulary import Severity

_TEXT_LIMIT = 400
_LABEL_LIMIT = 120
_LABELS_MAX = 32
_ANNOTATIONS_MAX = 8
_EXEMPLARS_MAX = 16
_BLANK = re.compile(r"\s")
_SERVICE_LABELS = ("service", "service_name", "service.name", "app", "application")


@dataclass(frozen=True, slots=True)
class Sighting:
    """A heading seen: `strength` is 0 to 1, `word` the vocabulary's own word, never the alert's text."""

    strength: float
    word: str


Evidence = Mapping[str, Sighting]
Told = tuple[tuple[str, str], ...]
"""Headings, each with the word that told of it."""


class Heard(NamedTuple):
    """What a text tells: in its first sentence, and in those after it.

    `asks` tells whether there is a directive in it, `known` whether any of its words is in the vocabulary.
    """

    first: Told
    later: Told
    asks: bool
    known: bool


@dataclass(frozen=True, slots=True)
class Signal:
    """One alert name of a case with all that its alerts speak of."""

    name: str
    severity: Severity
    evidence: Evidence


class EvidenceReader:
    """Reads alerts with a vocabulary."""

    def __init__(self, lexicon: Lexicon, fields: Fields) -> None:
        self._lexicon = lexicon
        self._fields = fields
        # The names, labels and summaries of a system repeat.
        self._heard = lru_cache(maxsize=4096)(self._hear)

    def signals(self, case: Case) -> tuple[Signal, ...]:
        """Return one signal per alert name, those with exemplars first."""
        seen: dict[str, dict[str, Sighting]] = {}
        worst: dict[str, Severity] = {}
        for exemplar in case.exemplars[:_EXEMPLARS_MAX]:
            self._read(exemplar, seen.setdefault(exemplar.name, {}))
            worst[exemplar.name] = max(worst.get(exemplar.name, Severity.INFO), exemplar.severity, key=_rank)
        for name in islice(case.alert_names, _EXEMPLARS_MAX):
            if name not in seen and not name.startswith("#"):
                self._name(name, seen.setdefault(name, {}))
        return tuple(Signal(name, worst.get(name, case.severity), evidence) for name, evidence in seen.items())

    def _read(self, exemplar: Exemplar, into: dict[str, Sighting]) -> None:
        fields = self._fields
        self._name(exemplar.name, into)
        for text, strengths in self._texts(exemplar):
            self._note(into, text, strengths)
        for key, value in islice(exemplar.labels.items(), _LABELS_MAX):
            self._label(key, value, into)
        for subject in (exemplar.service, exemplar.target_resource.rpartition("/")[2]):
            if not self._is_source(subject):
                self._note(into, subject, (fields.subject, fields.subject), _LABEL_LIMIT)
        for metric in islice(exemplar.metrics, _LABELS_MAX):
            self._note(into, metric, (fields.label, fields.label), _LABEL_LIMIT)
        if NAMED_SERVICE not in into and self._names_a_service(exemplar):
            into[NAMED_SERVICE] = Sighting(1.0, "")

    def _name(self, name: str, into: dict[str, Sighting]) -> None:
        self._note(into, name, (self._fields.name, self._fields.name))

    def _texts(self, exemplar: Exemplar) -> Iterator[tuple[str, tuple[float, float]]]:
        """Return the texts of an alert with how plainly their first and their later sentences speak."""
        fields = self._fields
        headline, detail = (fields.headline, fields.detail), (fields.detail, fields.aside)
        if exemplar.message:
            yield exemplar.message, headline
        for key, value in islice(exemplar.annotations.items(), _ANNOTATIONS_MAX):
            known = key.lower()
            if known in fields.headlines:
                yield value, headline
            elif known not in fields.ignored and not self._directs(known):
                yield value, detail

    def _label(self, key: str, value: str, into: dict[str, Sighting]) -> None:
        key = key.lower()
        fields = self._fields
        if key in fields.ignored or self._directs(key) or self._is_source(value):
            return
        strength = fields.subject if key in fields.subjects else fields.label
        self._note(into, value, (strength, strength), _LABEL_LIMIT)
        if key not in fields.common:
            self._note(into, key, (fields.key, fields.key), _LABEL_LIMIT)

    def _note(
        self,
        into: dict[str, Sighting],
        text: str,
        strengths: tuple[float, float],
        limit: int = _TEXT_LIMIT,
    ) -> None:
        heard = self._heard(text[:limit])
        for told, strength in zip((heard.first, heard.later), strengths, strict=True):
            for heading, word in told:
                known = into.get(heading)
                if known is None or known.strength < strength:
                    into[heading] = Sighting(strength, word)

    def _hear(self, text: str) -> Heard:
        """Listen to a text; a sentence that only asks is no sentence."""
        sentences = self._lexicon.sentences(text)
        first: list[tuple[str, str]] = []
        later: list[tuple[str, str]] = []
        into = first
        for sentence in sentences:
            telling = _telling(sentence)
            into += [(heading, found.word.text) for found in telling for heading in found.word.headings]
            if telling or not sentence:
                into = later
        return Heard(
            first=tuple(first),
            later=tuple(later),
            asks=any(_asks_at(sentence) is not None for sentence in sentences),
            known=any(sentences),
        )

    def _is_source(self, value: str) -> bool:
        """Tell whether a value names where it was measured: it says nothing of what is wrong."""
        return any(value.endswith(source) for source in self._fields.sources)

    def _directs(self, key: str) -> bool:
        return self._heard(key[:_LABEL_LIMIT]).asks

    def _names_a_service(self, exemplar: Exemplar) -> bool:
        """Tell whether a service is named by a name without blanks, no word of which is in the vocabulary."""
        names = (exemplar.service, *(exemplar.labels.get(label, "") for label in _SERVICE_LABELS))
        shown = (name[:_LABEL_LIMIT] for name in names if name)
        return any(not _BLANK.search(name) and not self._heard(name).known for name in shown)


def _telling(sentence: Sequence[WordMatch]) -> Sequence[WordMatch]:
    """Return what tells something: not what follows a request, nor the teams and the subject named before it."""
    at = _asks_at(sentence)
    if at is None:
        return sentence
    told = sentence[:at]
    obliged = any(OBLIGATION in found.word.headings for found in _pair(sentence, at))
    if told and obliged and sentence[at].start - told[-1].end <= 1:
        told = told[:-1]  # "the mysql team must", "redis cluster should take this"
    return [found for found in told if TEAM_WORD not in found.word.headings]


def _asks_at(sentence: Sequence[WordMatch]) -> int | None:
    """Return where a sentence begins to ask for something."""
    for at in range(len(sentence)):
        headings = [found.word.headings for found in _pair(sentence, at)]
        if DIRECTIVE in headings[0]:
            return at
        if len(headings) == 2 and (  # noqa: PLR2004 - with the word that follows
            (OBLIGATION in headings[0] and DIRECTIVE in headings[1])
            or (NAMING in headings[0] and TEAM_WORD in headings[1])
        ):
            return at
    return None


def _pair(sentence: Sequence[WordMatch], at: int) -> Sequence[WordMatch]:
    """Return a word with the one that follows it, if that does so at once."""
    following = sentence[at + 1 : at + 2]
    return [sentence[at], *(found for found in following if found.start == sentence[at].end)]


def _rank(severity: Severity) -> int:
    return severity.rank
