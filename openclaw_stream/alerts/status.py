"""Status words of other systems."""

import re
from enum import Enum


class Stated(Enum):
    """What a status word states."""

    FIRING = "firing"
    RESOLVED = "resolved"
    PENDING = "pending"
    SUPPRESSED = "suppressed"


_WORDS = {
    Stated.FIRING: "firing fired active activated alert alerting alarm fire open opened reopen reopened ongoing "
    "problem triggered trigger retriggered renotify renotified acknowledge acknowledged ack acked nodata renodata "
    "unprocessed new create created update updated escalated inprogress warn warning critical error failed failing "
    "down unhealthy unreachable",
    Stated.RESOLVED: "resolved resolve ok closed close clear cleared recovered recovery warnrecovered inactive "
    "deactivated normal healthy up ended end expired deleted completed fixed",
    Stated.PENDING: "pending",
    Stated.SUPPRESSED: "suppressed muted silenced inhibited snoozed",
}
_STATUSES = {word: stated for stated, words in _WORDS.items() for word in words.split()}
_NOT_OF_WORD = re.compile(r"\([^()]*\)$|[\s_-]+")
_LENGTH_MAX = 64


def stated(word: str) -> Stated | None:
    """Return what a status word states, None where it is not known.

    Case, separators and a remark in brackets do not count: `No Data`, `Re-Triggered`, `Normal (MissingSeries)`.
    """
    if (known := _STATUSES.get(word)) or len(word) > _LENGTH_MAX:
        return known
    return _STATUSES.get(_NOT_OF_WORD.sub("", word.strip()).lower())
