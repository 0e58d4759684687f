"""Masks the names of services and the hashes of pods in texts, which say nothing about a fault."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from openclaw_stream.alerts.resource_names import workload_of_pod
from openclaw_stream.alerts.subject_labels import KIND_OF, RANKS
from openclaw_stream.incidents.case import Case

_MASK = "~"
_NAME_MAX = 120
_NAMES_MAX = 32
_LABELS_MAX = 32
_EXEMPLARS_MAX = 16
_NOT_MASKED = frozenset(("namespace", "node", "host", "datasource"))
_PODS = frozenset(("pod", "replicaset"))
_SHARE = re.compile(
    r"(?<![\w`'\"])[`'\"]?[A-Za-z][\w./-]*[`'\"]?:? \(?(?P<share>\d{1,3})(?:\.\d+)? ?%\)?(?=\s*(?:[,;、，.)]|and\b|$))"
)
_MOST, _LITTLE = 60, 15
_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[\u4e00-\u9fff]+")
# Kubernetes draws the hashes of pods from these letters.
_POD = re.compile(r"(?<=[a-z0-9])-[bcdfghjklmnpqrstvwxz2456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}(?![a-z0-9-])")


def masked_names(case: Case, subject: str, is_plain: Callable[[str], bool]) -> tuple[str, ...]:
    """Return the names to mask in the texts of a case, longest first.

    Args:
        case: The case.
        subject: The name of its subject, if that is a workload or service.
        is_plain: Whether a name names no technology.
    """
    names = dict.fromkeys([subject, case.service, *case.services, *_names_in(case)])
    plain = (name for name in names if name and len(name) <= _NAME_MAX and is_plain(name))
    return tuple(sorted(plain, key=len, reverse=True)[:_NAMES_MAX])


def mask(text: str, names: tuple[str, ...]) -> str:
    """Return a text without pod hashes, small shares and these names, however spelled (`cart-api`, `CartApi`)."""
    if "-" in text:
        text = _POD.sub("", text)
    if "%" in text:
        text = _without_small_shares(text)
    pattern = _pattern(names)
    return pattern.sub(_MASK, text) if pattern else text


def _without_small_shares(text: str) -> str:
    """Return a text without what has a small share where something else has most: `pricing` 91%, `redis` 2%."""
    shares = [(int(match["share"]), match[0]) for match in _SHARE.finditer(text)]
    if len(shares) > 1 and max(shares)[0] >= _MOST:
        for share, item in shares:
            text = text.replace(item, _MASK) if share <= _LITTLE else text
    return text


def _names_in(case: Case) -> Iterator[str]:
    for exemplar in case.exemplars[:_EXEMPLARS_MAX]:
        yield exemplar.service
        yield exemplar.target_resource.rpartition("/")[2]
        for label, value in list(exemplar.labels.items())[:_LABELS_MAX]:
            rank = RANKS[label]
            if rank is not None and KIND_OF[rank] in _PODS:
                yield value
                yield workload_of_pod(value)
            elif rank is not None and KIND_OF[rank] not in _NOT_MASKED:
                yield value


@lru_cache(maxsize=1024)
def _pattern(names: tuple[str, ...]) -> re.Pattern[str] | None:
    spelled = [each for each in map(_any_spelling, names) if each]
    return re.compile("|".join(spelled)) if spelled else None


def _any_spelling(name: str) -> str:
    tokens = [f"(?i:{re.escape(token)})" for token in _TOKEN.findall(name)]
    if not tokens:
        return ""
    return r"(?:(?<![A-Za-z0-9])|(?<=[a-z0-9])(?=[A-Z]))" + r"[-_. ]?".join(tokens) + r"(?![a-z0-9])"
