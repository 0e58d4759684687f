"""The alerts that a decision quotes, within a byte budget: the most telling first, each with its own words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from openclaw_stream.incidents.case import Exemplar
from openclaw_stream.incidents.evidence import case_subject, merged, moment, subject_fields
from openclaw_stream.incidents.exemplars import NAME_MAX, TEXT_MAX, exemplar_from, text
from openclaw_stream.incidents.links import DASHBOARD, PANEL, RUNBOOK, link_kind, safe_link
from openclaw_stream.incidents.state import State
from openclaw_stream.text import cut_to_json, even_share, json_size, safe_text
from openclaw_stream.vocabulary import IncidentStatus

EVIDENCE_BYTES = 20 * 1024
"""Most bytes of the evidence of an incident, as JSON."""

_NAME_BYTES = 300
_TEXTS = ("summary", "description")
_LINKS = ("generator_url", RUNBOOK, DASHBOARD, PANEL)
_ITEM_BYTES_MIN = 8
_COUNTS_BYTES = 12
"""The digits that the two counts of what is left out may grow by."""


def quoted_alerts(state: State) -> dict[str, Any]:
    """Return the fields of `IncidentSummary` that depend on the words of its alerts: their quotes, and the subject.

    The alerts share the budget evenly, and what one does not need is left to those after it. Of an alert that needs
    more, other annotations are left out and counted, then labels, then links; its texts are cut last.
    """
    exemplars = sorted(map(exemplar_from, state.exemplars), key=lambda each: (-each.severity.rank, each.starts_at))
    counts = merged(state.alert_names, lambda name: text(name, NAME_MAX))
    evidence: list[dict[str, Any]] = []
    left = EVIDENCE_BYTES
    for number, exemplar in enumerate(exemplars):
        quoted = _quoted(exemplar, left // (len(exemplars) - number))
        # Of names beyond the limit none is counted; the quoted alert itself is one.
        quoted |= {"status": _status(exemplar, state), "count": counts.get(exemplar.name, 1)}
        left -= json_size(quoted) + 1
        evidence.append(quoted)
    shown = len({exemplar.member for exemplar in exemplars})
    return {
        "subject": subject_fields(case_subject(state, exemplars)),
        "evidence": evidence,
        "evidence_left_out": max(state.distinct_alerts - shown, 0),
    }


def _status(exemplar: Exemplar, state: State) -> str:
    """Return firing or resolved; of too many members, first resolved ones are forgotten, then firing ones."""
    if state.status is IncidentStatus.RESOLVED or exemplar.member in state.resolved:
        return "resolved"
    return "firing" if exemplar.member in state.firing or state.overflow else "resolved"


def _quoted(exemplar: Exemplar, size: int) -> dict[str, Any]:
    texts, links, others = _parts(exemplar)
    quoted: dict[str, Any] = {
        "name": cut_to_json(safe_text(exemplar.name, NAME_MAX), _NAME_BYTES),
        "status": "resolved",
        "severity": exemplar.severity,
        "starts_at": moment(exemplar.starts_at) if exemplar.starts_at else None,
        "count": 1 << 31,
        "labels": {},
        "labels_left_out": exemplar.labels_left_out,
        "annotations": {},
        "annotations_left_out": exemplar.annotations_left_out,
        **dict.fromkeys((*texts, *_LINKS), ""),
    }
    room = _Room(size - json_size(quoted) - _COUNTS_BYTES)
    quoted |= room.texts(texts)
    quoted |= room.links(links)
    for field, items in (("labels", exemplar.labels), ("annotations", others)):
        quoted[field] = room.items(items)
        quoted[f"{field}_left_out"] += len(items) - len(quoted[field])
    quoted["annotations_left_out"] += sum(not quoted[kind] for kind in links if kind != "generator_url")
    return quoted


def _parts(exemplar: Exemplar) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Return the texts by field, the links by field, and the other annotations by name."""
    texts = {**dict.fromkeys(_TEXTS, ""), "message": safe_text(exemplar.message, TEXT_MAX)}
    links = {"generator_url": safe_link(exemplar.generator_url)}
    others = {}
    for name, value in exemplar.annotations.items():
        kind, lowered = link_kind(name), name.lower()
        if lowered in _TEXTS and not texts[lowered]:
            texts[lowered] = safe_text(value, TEXT_MAX)
        elif kind and kind not in links and (link := safe_link(value)):
            links[kind] = link
        else:
            others[name] = value
    return texts, links, others


@dataclass(slots=True)
class _Room:
    """The bytes that are left for one alert."""

    left: int

    def texts(self, texts: Mapping[str, str]) -> dict[str, str]:
        """Return the texts, the longest of them cut to what fits."""
        quotes = 2
        share = even_share([json_size(each) - quotes for each in texts.values()], self.left)
        cut = {name: cut_to_json(each, share + quotes) for name, each in texts.items()}
        self.left -= sum(json_size(each) - quotes for each in cut.values())
        return cut

    def links(self, links: Mapping[str, str]) -> dict[str, str]:
        """Return the links that fit, whole; the others are empty."""
        return {name: link if self._spend(len(link)) else "" for name, link in links.items()}

    def items(self, items: Mapping[str, str]) -> dict[str, str]:
        """Return the labels or annotations that fit, by their safe names."""
        fitting: dict[str, str] = {}
        for key, value in items.items():
            if self.left < _ITEM_BYTES_MIN:
                break
            name, shown = safe_text(key, NAME_MAX), safe_text(value, TEXT_MAX, name=key)
            if name not in fitting and self._spend(json_size(name) + json_size(shown) + 2):
                fitting[name] = shown
        return fitting

    def _spend(self, size: int) -> bool:
        fits = size <= self.left
        self.left -= size if fits else 0
        return fits
