"""The life of an incident."""

from enum import Enum


class Lifecycle(Enum):
    """Where the current incident of a group is in its life.

    ::

        NONE ──begin──► OPEN ──publish_end──► END_PUBLISHED
                        │  ▲                    │    │
                        │  └─────cancel_end─────┘    │
                        └───────close────┬───────────┘
                                         ▼
                                       CLOSED ──begin (another incident), reopen (the same one)──► OPEN

    A tick (an idle log) publishes the end of an incident, and only stream time closes it: until then a record may
    still join, and a firing alert cancels the end.
    """

    NONE = "none"
    OPEN = "open"
    END_PUBLISHED = "end published"
    CLOSED = "closed"

    def may_become(self, following: "Lifecycle") -> bool:
        """Whether the diagram has an arrow to `following`."""
        return following in _TRANSITIONS[self]


_TRANSITIONS = {
    Lifecycle.NONE: {Lifecycle.OPEN},
    Lifecycle.OPEN: {Lifecycle.END_PUBLISHED, Lifecycle.CLOSED},
    Lifecycle.END_PUBLISHED: {Lifecycle.OPEN, Lifecycle.CLOSED},
    Lifecycle.CLOSED: {Lifecycle.OPEN},
}
