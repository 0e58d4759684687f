"""Extracts evidence from alerts: which categories of the vocabulary each alert name matches, and how strongly.

A name of a service, workload or pod is evidence only where it names a technology: its other words, and where they occur
in texts, are masked, and so are the hashes of pods.

Alert text is untrusted. In a sentence that asks for a team, an owner or a confidence, everything from the request on is
ignored, and so are the team names before it. Labels and annotations that name a team are ignored completely.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from openclaw_stream.alerts.resource_names import workload_of_pod
from openclaw_stream.alerts.subject import WORKLOAD_KINDS
from openclaw_stream.alerts.subject_labels import KIND_OF, RANKS
from openclaw_stream.arbitration.rules.lexicon import Lexicon, TermMatch
from openclaw_stream.arbitration.rules.masking import mask, masked_names
from openclaw_stream.arbitration.rules.rule_set import (
    DIRECTIVE,
    NAMED_IN_TITLE,
    NAMED_SERVICE,
    NAMING,
    OBLIGATION,
    TEAM_WORD,
    TECHNOLOGY,
    FieldWeights,
)
from openclaw_stream.incidents.case import Case, Exemplar
from openclaw_stream.incidents.stated_subject import named_as_down
from openclaw_stream.vocabulary import Severity

_TEXT_LIMIT = 400
_LABEL_LIMIT = 120
_LABELS_MAX = 32
_ANNOTATIONS_MAX = 8
_EXEMPLARS_MAX = 16
_BLANK = re.compile(r"\s")
_DESCRIPTION = "description"
_SCRAPE_JOB = "job"
_NAMESPACE = "namespace"
_CLAIM = "persistentvolumeclaim"
_IS_DOWN = re.compile(
    r"(?:The )?(?P<name>[A-Z][\w-]{0,40}(?: [A-Z][\w-]{0,40}){0,2}) is (?:down|flapping|unavailable|unreachable)\b"
)
_CLOUDS = {f"{TECHNOLOGY}.cloud_platform"}
"""What a platform is named after: its services bear the name of a cloud too."""
_SERVICE_KINDS = WORKLOAD_KINDS - {"pod", "replicaset"} | {"horizontalpodautoscaler", "poddisruptionbudget"}


@dataclass(frozen=True, slots=True)
class Match:
    """The strongest match of one category.

    `strength` is the weight, 0 to 1, of the field that matched. `term` is the vocabulary's spelling, never alert text.
    """

    strength: float
    term: str


Matches = Mapping[str, Match]
"""Matches by category."""

Mentions = tuple[tuple[str, str], ...]
"""Pairs of a category and the term that matched it."""


class Extracted(NamedTuple):
    """The mentions of a text, those of its first sentence apart from the later ones.

    `has_request`: it asks for a team or a confidence.
    """

    first: Mentions
    later: Mentions
    has_request: bool


@dataclass(frozen=True, slots=True)
class AlertEvidence:
    """One alert name of a case, with the matches of all its alerts and their highest severity."""

    name: str
    severity: Severity
    matches: Matches


class EvidenceExtractor:
    """Extracts evidence from cases with one vocabulary."""

    def __init__(self, lexicon: Lexicon, fields: FieldWeights) -> None:
        self._lexicon = lexicon
        self._fields = fields
        # Alert names, labels and summaries of a system repeat.
        self._extracted = lru_cache(maxsize=4096)(self._extract)

    def extract(self, case: Case) -> tuple[AlertEvidence, ...]:
        """Return one entry per alert name, names with exemplars first."""
        matches: dict[str, dict[str, Match]] = {}
        severities: dict[str, Severity] = {}
        names = self._names_to_mask(case)
        for exemplar in case.exemplars[:_EXEMPLARS_MAX]:
            self._add_exemplar(exemplar, names, matches.setdefault(exemplar.name, {}))
            severities[exemplar.name] = max(
                severities.get(exemplar.name, Severity.INFO), exemplar.severity, key=lambda severity: severity.rank
            )
        for name in islice(case.alert_names, _EXEMPLARS_MAX):
            if name not in matches and not name.startswith("#"):
                self._add_text(matches.setdefault(name, {}), mask(name[:_TEXT_LIMIT], names), self._fields.name)
        return tuple(AlertEvidence(name, severities.get(name, case.severity), found) for name, found in matches.items())

    def _names_to_mask(self, case: Case) -> tuple[str, ...]:
        """Return the names of workloads and services in a case that name no technology."""
        subject = case.subject.name if case.subject.kind in WORKLOAD_KINDS else ""
        return masked_names(case, subject, lambda name: not self._technologies_in(name))

    def _add_exemplar(self, exemplar: Exemplar, names: tuple[str, ...], matches: dict[str, Match]) -> None:
        fields = self._fields
        self._add_text(matches, mask(exemplar.name[:_TEXT_LIMIT], names), fields.name)
        for text, first, later in self._texts(exemplar):
            self._add_text(matches, mask(text[:_TEXT_LIMIT], names), first, later)
        for key, value in islice(exemplar.labels.items(), _LABELS_MAX):
            self._add_label(key, value, names, matches)
        for subject in (exemplar.service, exemplar.target_resource.rpartition("/")[2]):
            if not self._names_exporter(subject):
                self._add_name(subject, fields.subject, matches)
        for metric in islice(exemplar.metrics, _LABELS_MAX):
            self._add_text(matches, metric[:_LABEL_LIMIT], fields.label)
        if NAMED_SERVICE not in matches and self._names_unknown_service(exemplar):
            matches[NAMED_SERVICE] = Match(1.0, "")
        if self._is_named_after_service(exemplar):
            matches[NAMED_IN_TITLE] = Match(1.0, "")

    def _add_name(self, name: str, strength: float, matches: dict[str, Match]) -> None:
        """Add the technologies in a name of a service, workload or pod."""
        for category, term in self._technologies_in(name):
            _add(matches, category, term, strength)

    def _technologies_in(self, name: str) -> Mentions:
        extracted = self._extracted(workload_of_pod(name[:_LABEL_LIMIT]))
        known = self._fields.name_categories
        return tuple(
            (category, term)
            for category, term in (*extracted.first, *extracted.later)
            if category.partition(".")[0] in known or category.startswith(TECHNOLOGY)
        )

    def _texts(self, exemplar: Exemplar) -> Iterator[tuple[str, float, float]]:
        """Yield the texts of an alert with the weights of their first and of their later sentences."""
        fields = self._fields
        has_summary = bool(exemplar.message)
        if has_summary:
            yield exemplar.message, fields.summary, fields.detail
        annotations = {key.lower(): value for key, value in islice(exemplar.annotations.items(), _ANNOTATIONS_MAX)}
        has_summary = has_summary or not fields.summary_annotations.isdisjoint(annotations)
        for key, value in annotations.items():
            if key in fields.summary_annotations or (key == _DESCRIPTION and not has_summary):
                yield value, fields.summary, fields.detail
            elif key not in fields.ignored and not self._has_request(key):
                yield value, fields.detail, fields.remainder

    def _add_label(self, key: str, value: str, names: tuple[str, ...], matches: dict[str, Match]) -> None:
        lowered = key.lower()
        fields = self._fields
        if lowered in fields.ignored or self._has_request(lowered) or self._names_exporter(value):
            return
        strength = fields.subject if lowered in fields.subject_labels else fields.label
        if lowered == _CLAIM:  # only measurements of its volume have this label
            _add(matches, "persistent_volume", "persistent volume claim", strength)
        if "/" in value and lowered == _NAMESPACE:  # a product of a cloud, such as AWS/RDS
            self._add_text(matches, value[:_LABEL_LIMIT], fields.subject)
        elif _is_name(key):
            self._add_name(value, strength, matches)
        elif lowered in fields.state_labels:
            self._add_text(matches, value[:_LABEL_LIMIT], fields.summary)
        else:
            self._add_text(matches, mask(value[:_LABEL_LIMIT], names), strength)

    def _add_text(self, matches: dict[str, Match], text: str, first: float, later: float | None = None) -> None:
        """Add the mentions of a text, with the strength of its first sentence and of later ones (by default equal)."""
        extracted = self._extracted(text)
        for category, term in extracted.first:
            _add(matches, category, term, first)
        for category, term in extracted.later:
            _add(matches, category, term, first if later is None else later)

    def _extract(self, text: str) -> Extracted:
        """Extract the mentions of a text; a sentence that is only a request does not count as its first sentence."""
        sentences = self._lexicon.sentences(text)
        first: list[tuple[str, str]] = []
        later: list[tuple[str, str]] = []
        target = first
        for sentence in sentences:
            statement = _without_request(sentence)
            target += [(category, match.term.text) for match in statement for category in match.term.categories]
            if statement or not sentence:
                target = later
        return Extracted(
            first=tuple(first),
            later=tuple(later),
            has_request=any(_request_start(sentence) is not None for sentence in sentences),
        )

    def _names_exporter(self, value: str) -> bool:
        """Return whether a value names an exporter, which is not the subject of the alert."""
        return any(value.endswith(exporter) for exporter in self._fields.exporters)

    def _has_request(self, key: str) -> bool:
        return self._extracted(key[:_LABEL_LIMIT]).has_request

    def _is_named_after_service(self, exemplar: Exemplar) -> bool:
        """Return whether the name of the alert has that of its service, which names no technology."""
        title = exemplar.name[:_TEXT_LIMIT]
        if not exemplar.service:
            down = next(filter(None, (named_as_down(title, text) for text, _, _ in self._texts(exemplar))), "")
            technologies = {category for category, _ in self._technologies_in(title)}
            return bool(down) and technologies <= _CLOUDS and not self._technologies_in(down.rpartition(" ")[2])
        service = exemplar.service[:_LABEL_LIMIT]
        if not service or _BLANK.search(service) or self._technologies_in(service):
            return False
        return mask(title, (service,)) != mask(title, ())

    def _names_unknown_service(self, exemplar: Exemplar) -> bool:
        """Return whether a service without a technology in its name is named: by a single word, or as what is down."""
        named = (value for label, value in islice(exemplar.labels.items(), _LABELS_MAX) if _names_workload(label))
        names = (exemplar.service, *named)
        cut = [name[:_LABEL_LIMIT] for name in names if name and not _BLANK.search(name)]
        if not cut:
            cut = [match["name"] for text, _, _ in self._texts(exemplar) if (match := _IS_DOWN.match(text))]
        return any(not self._technologies_in(name) and not self._has_request(name) for name in cut)


def _names_workload(label: str) -> bool:
    """Return whether a label names a service or workload, or the autoscaler or disruption budget of one."""
    rank = RANKS[label]
    return rank is not None and KIND_OF[rank] in _SERVICE_KINDS


def _is_name(label: str) -> bool:
    """Return whether a label names a service, workload, pod, namespace, host or scrape job."""
    return RANKS[label] is not None or label.lower() == _SCRAPE_JOB


def _add(matches: dict[str, Match], category: str, term: str, strength: float) -> None:
    present = matches.get(category)
    if present is None or present.strength < strength:
        matches[category] = Match(strength, term)


def _without_request(sentence: Sequence[TermMatch]) -> Sequence[TermMatch]:
    """Return the matches before a request in a sentence, without team names and the subject of the request."""
    start = _request_start(sentence)
    if start is None:
        return sentence
    statement = sentence[:start]
    is_obligation = any(OBLIGATION in match.term.categories for match in _with_next(sentence, start))
    if statement and is_obligation and sentence[start].start - statement[-1].end <= 1:
        statement = statement[:-1]  # "the mysql team must", "redis cluster should take this"
    return [match for match in statement if TEAM_WORD not in match.term.categories]


def _request_start(sentence: Sequence[TermMatch]) -> int | None:
    """Return the index of the match with which a sentence begins to ask for a decision, None where it does not."""
    for index in range(len(sentence)):
        categories = [match.term.categories for match in _with_next(sentence, index)]
        if DIRECTIVE in categories[0]:
            return index
        if len(categories) == 2 and (  # noqa: PLR2004 - with the next match
            (OBLIGATION in categories[0] and DIRECTIVE in categories[1])
            or (NAMING in categories[0] and TEAM_WORD in categories[1])
        ):
            return index
    return None


def _with_next(sentence: Sequence[TermMatch], index: int) -> Sequence[TermMatch]:
    """Return a match and the next one, if it follows without a token in between."""
    following = sentence[index + 1 : index + 2]
    return [sentence[index], *(match for match in following if match.start == sentence[index].end)]
