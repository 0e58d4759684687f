"""Status words of other systems."""

from enum import Enum


class Stated(Enum):
    """What a status word states."""

    FIRING = "firing"
    RESOLVED = "resolved"
    PENDING = "pending"
    SUPPRESSED = "suppressed"


_WORDS = {
    Stated.FIRING: "firing active alert alerting alarm fire open opened ongoing problem triggered trigger acknowledged "
    "nodata no_data unprocessed",
    Stated.RESOLVED: "resolved resolve ok closed close clear cleared recovered recovery inactive normal healthy up",
    Stated.PENDING: "pending",
    Stated.SUPPRESSED: "suppressed muted silenced inhibited",
}
_STATUSES = {word: stated for stated, words in _WORDS.items() for word in words.split()}


def stated(word: str) -> Stated | None:
    """Return what a status word states, None where it is not known; case and surrounding space do not count."""
    return _STATUSES.get(word) or _STATUSES.get(word.strip().lower())
