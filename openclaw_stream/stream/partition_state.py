"""The states of an assigned partition, and the transitions between them."""

from collections.abc import Mapping
from enum import StrEnum


class PartitionState(StrEnum):
    """What an assigned partition does.

    ::

                   restored             limit reached
        RESTORING ──────────► RUNNING ◄───────────────► PAUSED
            ▲                  │   ▲    below limit        │
            │           damage │   │ retry                 │ damage
            │                  ▼   │                       │
            │                BLOCKED ◄─────────────────────┘
            │
            └── failure of RUNNING, PAUSED or BLOCKED

        RESTORING, RUNNING, PAUSED or BLOCKED ── close ──► CLOSING ──► CLOSED
        RESTORING, RUNNING, PAUSED or BLOCKED ── fatal error ────────► CLOSED

    RUNNING, PAUSED and BLOCKED are the serving states: the ledger is restored, and what is decided is committed.
    """

    RESTORING = "restoring"
    """The ledger is being restored from what is committed, at the start and after every failure."""
    RUNNING = "running"
    """Records are fetched and folded."""
    PAUSED = "paused"
    """Nothing is fetched: undecided work has reached its limit."""
    BLOCKED = "blocked"
    """Nothing is fetched: the log is damaged at the next offset."""
    CLOSING = "closing"
    """Nothing is fetched; what is decided is committed until the close deadline."""
    CLOSED = "closed"
    """The partition has ended, after a close or a fatal error."""

    @property
    def is_serving(self) -> bool:
        """Whether the ledger is restored and the partition is not closing."""
        return self in _SERVING

    @property
    def is_ending(self) -> bool:
        """Whether the partition is closing or closed."""
        return self in _ENDING


_SERVING = frozenset({PartitionState.RUNNING, PartitionState.PAUSED, PartitionState.BLOCKED})
NOT_FETCHING = frozenset({PartitionState.PAUSED, PartitionState.BLOCKED})
"""Serving, and nothing is fetched for now."""
_ENDING = frozenset({PartitionState.CLOSING, PartitionState.CLOSED})

TRANSITIONS: Mapping[PartitionState, frozenset[PartitionState]] = {
    PartitionState.RESTORING: frozenset({PartitionState.RUNNING}) | _ENDING,
    PartitionState.RUNNING: frozenset({PartitionState.RESTORING, PartitionState.PAUSED, PartitionState.BLOCKED})
    | _ENDING,
    PartitionState.PAUSED: frozenset({PartitionState.RESTORING, PartitionState.RUNNING, PartitionState.BLOCKED})
    | _ENDING,
    PartitionState.BLOCKED: frozenset({PartitionState.RESTORING, PartitionState.RUNNING}) | _ENDING,
    PartitionState.CLOSING: frozenset({PartitionState.CLOSED}),
    PartitionState.CLOSED: frozenset(),
}
"""The legal transitions; a state never follows itself."""


class IllegalTransitionError(RuntimeError):
    """A partition was to enter a state that cannot follow its current one: a defect of this program."""

    def __init__(self, before: PartitionState, after: PartitionState) -> None:
        super().__init__(f"a partition cannot go from {before} to {after}")


class PartitionLifecycle:
    """The current state of one partition; `transition_to` is the only way to change it."""

    def __init__(self) -> None:
        self._state = PartitionState.RESTORING

    @property
    def state(self) -> PartitionState:
        """The current state."""
        return self._state

    def transition_to(self, state: PartitionState) -> None:
        """Enter another state.

        Raises:
            IllegalTransitionError: `state` cannot follow the current one.
        """
        if state not in TRANSITIONS[self._state]:
            raise IllegalTransitionError(self._state, state)
        self._state = state
