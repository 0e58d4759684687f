"""Whether a worker makes progress: the reasons why it does not, for `/readyz`.

Pure: each class records what happened and when, in seconds of one monotonic clock, and returns reasons. A quiet topic
is no reason: a worker is ready if the next alert could be read and its decision published.
"""

from collections.abc import Iterator
from dataclasses import dataclass

TRANSACTION_SECONDS = 3.0
"""A transaction that takes longer is overdue; usually one takes 30 ms."""
FETCH_SECONDS = 4.0
"""A partition's leader answers a fetch every 0.1 s, with or without records."""
COORDINATOR_SECONDS = 4.0
UNASSIGNED_SECONDS = 25.0
"""How long a member may have no partitions: while others join and leave, it has none for a moment."""
STALLED_SECONDS = 10.0


@dataclass(slots=True)
class PartitionReadiness:
    """One assigned partition."""

    _blocked: str = "it is being restored"
    """Why nothing is read: the partition is being restored, or its log is damaged."""
    _failure: str = ""
    _step: str = ""
    _began_at: float | None = None
    _fetched_at: float | None = None
    _stable: int = -1
    _hidden_since: float | None = None

    def record_restored(self, now: float) -> None:
        """Record that it is restored; an earlier failure counts until a transaction commits."""
        self._blocked, self._fetched_at, self._hidden_since = "", now, None

    def record_blocked(self, reason: str) -> None:
        """Record why the log cannot be read."""
        self._blocked = reason

    def record_progress(self) -> None:
        """Record that records were read, or that there are none to read."""
        self._blocked = ""

    def record_failure(self, reason: str) -> None:
        """Record that a transaction failed, or that the partition could not be restored."""
        self._failure = reason

    def record_commit(self) -> None:
        """Record that a transaction was committed: an earlier failure no longer counts."""
        self._failure = ""

    def record_transaction(self, step: str, began_at: float | None) -> None:
        """Record the current step of the transaction that began at `began_at`; None where there is none."""
        self._step, self._began_at = step, began_at

    def record_fetch(self, now: float) -> None:
        """Record that the leader has answered a fetch, or that none is expected while the partition is paused."""
        self._fetched_at = now

    def record_log_ends(self, stable: int, end: int, now: float) -> None:
        """Record the last stable offset and the high watermark: an open transaction keeps the former lower."""
        if stable >= end:
            self._hidden_since = None
        elif self._hidden_since is None or stable != self._stable:
            self._hidden_since = now
        self._stable = stable

    def open_transaction_seconds(self, now: float) -> float:
        """Return how long the same open transaction has hidden the records behind it."""
        return now - self._hidden_since if self._hidden_since is not None else 0.0

    def reasons(self, now: float, open_transaction_limit: float) -> Iterator[str]:
        """Yield why nothing could be published now, the most specific first; the limit is in seconds."""
        if self._failure or self._blocked:
            yield self._failure or self._blocked
        if self._began_at is not None and now - self._began_at > TRANSACTION_SECONDS:
            yield f"a transaction has not ended for {now - self._began_at:.0f} s; it {self._step}"
        if not self._blocked and self._fetched_at is not None and now - self._fetched_at > FETCH_SECONDS:
            yield f"its leader has not answered a fetch for {now - self._fetched_at:.0f} s"
        if self.open_transaction_seconds(now) > open_transaction_limit:
            yield (
                f"another producer has had a transaction open at offset {self._stable} for "
                f"{self.open_transaction_seconds(now):.0f} s, and the alerts behind it cannot be read"
            )


@dataclass(slots=True)
class MembershipReadiness:
    """This worker as a member of the consumer group."""

    problem: str = "starting"
    """Why it is no member: it starts, cannot reach a broker, lacks a right, or drains; empty for none."""
    _standby: bool = False
    _joined: bool = False
    _unassigned_since: float | None = None
    _coordinator_lost_at: float | None = None
    _iterated_at: float | None = None

    def record_assignment(self, count: int, now: float) -> None:
        """Record that the group has assigned `count` partitions."""
        self._joined, self.problem, self._standby = True, "", False
        self._unassigned_since = None if count else now

    def record_revocation(self) -> None:
        """Record that the partitions are revoked: the group rebalances."""
        self._joined = False

    def unassigned_seconds(self, now: float) -> float:
        """Return how long this member has had no partition although it belongs to the group."""
        return now - self._unassigned_since if self._unassigned_since is not None else 0.0

    def record_coordinator(self, *, known: bool, now: float) -> None:
        """Record whether the client has a group coordinator."""
        if known:
            self._coordinator_lost_at = None
        elif self._coordinator_lost_at is None:
            self._coordinator_lost_at = now

    def record_iteration(self, now: float) -> None:
        """Record that the poll loop has begun another iteration."""
        self._iterated_at = now

    def record_problem(self, problem: str) -> None:
        """Record why the worker is no member of the group; empty where it is one again."""
        self.problem = problem

    def record_standby(self, *, standby: bool) -> None:
        """Record whether other workers own all partitions: then having none is right."""
        self._standby = standby

    def reasons(self, now: float, topic: str, group_id: str) -> Iterator[str]:
        """Yield why this worker serves no partition."""
        if self.problem:
            yield self.problem
        elif not self._joined:
            yield f"the coordinator of group {group_id} has not assigned partitions of {topic} yet"
        elif self.unassigned_seconds(now) > UNASSIGNED_SECONDS and not self._standby:
            yield f"no partition of {topic} has been assigned for {self.unassigned_seconds(now):.0f} s"
        if self._coordinator_lost_at is not None and now - self._coordinator_lost_at > COORDINATOR_SECONDS:
            yield f"group {group_id} has had no coordinator for {now - self._coordinator_lost_at:.0f} s"
        if not self.problem and self._iterated_at is not None and now - self._iterated_at > STALLED_SECONDS:
            yield f"no progress for {now - self._iterated_at:.0f} s"
