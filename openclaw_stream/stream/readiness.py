"""Whether a worker makes progress: the reasons why it does not, for `/readyz`.

Pure: each class is given what happened and when, in seconds of one monotonic clock, and returns reasons. A quiet topic
is no reason; what counts is whether the next alert could be read and its decision published.
"""

from collections.abc import Iterator
from dataclasses import dataclass

TRANSACTION_SECONDS = 3.0
"""A transaction that takes longer is overdue; one takes 30 ms usually."""
FETCH_SECONDS = 4.0
"""A partition's leader answers a fetch every 0.1 s, with or without records."""
COORDINATOR_SECONDS = 4.0
UNASSIGNED_SECONDS = 25.0
"""A member without partitions is given this long: while others join and leave it may have none for a moment."""
STALLED_SECONDS = 10.0


@dataclass(slots=True)
class PartitionReadiness:
    """One assigned partition.

    `blocked` says why it is not served: it is being restored, or its log is damaged.
    """

    blocked: str = "it is being restored"
    _failure: str = ""
    _step: str = ""
    _began_at: float | None = None
    _fetched_at: float | None = None
    _stable: int = -1
    _stuck_since: float | None = None

    def serve(self, now: float) -> None:
        """It is restored; a failure before that still counts until a transaction commits."""
        self.blocked, self._fetched_at, self._stuck_since = "", now, None

    def fail(self, reason: str) -> None:
        """A transaction failed, or the partition could not be restored."""
        self._failure = reason

    def commit(self) -> None:
        """A transaction was committed: whatever failed before works again."""
        self._failure = ""

    def wait_for(self, step: str, began_at: float | None) -> None:
        """Note what the transaction that began at `began_at` waits for; None where there is none."""
        self._step, self._began_at = step, began_at

    def fetch(self, now: float) -> None:
        """Its leader has answered a fetch, or none is expected: it is paused."""
        self._fetched_at = now

    def see_ends(self, stable: int, end: int, now: float) -> None:
        """Note the last stable offset and the end of the log: an open transaction holds the former back."""
        if stable >= end:
            self._stuck_since = None
        elif self._stuck_since is None or stable != self._stable:
            self._stuck_since = now
        self._stable = stable

    def stuck_seconds(self, now: float) -> float:
        """How long the same open transaction has hidden the records behind it."""
        return now - self._stuck_since if self._stuck_since is not None else 0.0

    def reasons(self, now: float, open_transaction_seconds: float) -> Iterator[str]:
        """Yield why nothing could be published now, the most telling first."""
        if self._failure or self.blocked:
            yield self._failure or self.blocked
        if self._began_at is not None and now - self._began_at > TRANSACTION_SECONDS:
            yield f"a transaction has not ended for {now - self._began_at:.0f} s; it {self._step}"
        if not self.blocked and self._fetched_at is not None and now - self._fetched_at > FETCH_SECONDS:
            yield f"its leader has not answered a fetch for {now - self._fetched_at:.0f} s"
        if self.stuck_seconds(now) > open_transaction_seconds:
            yield (
                f"another producer has had a transaction open at offset {self._stable} for "
                f"{self.stuck_seconds(now):.0f} s, and the alerts behind it cannot be read"
            )


@dataclass(slots=True)
class MembershipReadiness:
    """This worker as a member of the consumer group.

    `trouble` says why it is no member: it starts, cannot reach a broker, lacks a right, or drains.
    """

    trouble: str = "starting"
    standby: bool = False
    """Whether other members of this program own all partitions: then having none is right."""
    _joined: bool = False
    _unassigned_since: float | None = None
    _coordinator_lost_at: float | None = None
    _turned_at: float | None = None

    def assign(self, count: int, now: float) -> None:
        """The group has assigned `count` partitions."""
        self._joined, self.trouble, self.standby = True, "", False
        self._unassigned_since = None if count else now

    def revoke(self) -> None:
        """The partitions were given back: the group rebalances."""
        self._joined = False

    def unassigned_seconds(self, now: float) -> float:
        """How long this member has had no partition although it belongs to the group."""
        return now - self._unassigned_since if self._unassigned_since is not None else 0.0

    def see_coordinator(self, *, known: bool, now: float) -> None:
        """Note whether the client has a group coordinator."""
        if known:
            self._coordinator_lost_at = None
        elif self._coordinator_lost_at is None:
            self._coordinator_lost_at = now

    def turn(self, now: float) -> None:
        """The worker has gone through its loop once more."""
        self._turned_at = now

    def reasons(self, now: float, topic: str, group_id: str) -> Iterator[str]:
        """Yield why this worker serves nothing."""
        if self.trouble:
            yield self.trouble
        elif not self._joined:
            yield f"the coordinator of group {group_id} has not assigned partitions of {topic} yet"
        elif self.unassigned_seconds(now) > UNASSIGNED_SECONDS and not self.standby:
            yield f"no partition of {topic} has been assigned for {self.unassigned_seconds(now):.0f} s"
        if self._coordinator_lost_at is not None and now - self._coordinator_lost_at > COORDINATOR_SECONDS:
            yield f"group {group_id} has had no coordinator for {now - self._coordinator_lost_at:.0f} s"
        if not self.trouble and self._turned_at is not None and now - self._turned_at > STALLED_SECONDS:
            yield f"no progress for {now - self._turned_at:.0f} s"
