"""Canaries: a fresh alert group per partition and second, whose first decision shows whether decisions flow.

Canaries are ordinary records of the workload: `records.jsonl` has them and the verifier accounts for them. A canary is
due a group wait after Kafka has acknowledged its alert. It is seen when a `read_committed` reader gets its decision. It
is settled when it is seen or the group has committed an offset behind its alert: a transaction that another worker left
open can hold back readers of decisions that a healthy worker has committed.
"""

import threading
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from tests.chaos import wire
from tests.chaos.journal import Run
from tests.chaos.wire import SentAlert
from tests.chaos.workload import Record

PREFIX = "canary"
WAIT_SECONDS = 0.2
"""The group wait of a critical alert, see `testbed.SETTINGS`."""

_EVERY_SECONDS = 1.0
_FIRST_NUMBER = 1_000_000_000
"""Numbers of records from here on are canaries."""
_CRITICAL = 3
_STARTS = 1_767_225_600


class Delay(NamedTuple):
    """A canary's decision: when it was due and when it was seen, in epoch seconds."""

    partition: int
    due: float
    seen: float


class _Due(NamedTuple):
    at: float
    offset: int


class Canaries:
    """All canaries of a run; its methods may be called from any thread."""

    def __init__(self, run: Run) -> None:
        self.ended = threading.Event()
        """Set it to produce no more."""
        self._run = run
        self._lock = threading.Lock()
        self._count = 0
        self._next_at: dict[int, float] = {}
        self._early: dict[str, float] = {}
        self._unseen: dict[int, dict[str, _Due]] = defaultdict(dict)
        self._unsettled: dict[int, dict[str, _Due]] = defaultdict(dict)
        self._last_seen: dict[int, float] = {}
        self._delays: list[Delay] = []

    def records(self, now: float) -> Iterator[Record]:
        """Yield the canaries to produce now; called by one thread only."""
        if self.ended.is_set():
            return
        for partition in range(self._run.partitions):
            if now >= self._next_at.get(partition, 0):
                self._next_at[partition] = now + _EVERY_SECONDS
                yield self._record(partition)

    def deliver(self, record: Record, offset: int, now: float) -> None:
        """Record that the brokers have acknowledged a canary."""
        [sent] = record.alerts
        due = _Due(now + WAIT_SECONDS, offset)
        with self._lock:
            seen = self._early.pop(sent.group, None)
            if seen is not None:  # the reader was faster than the acknowledgement
                self._delays.append(Delay(record.partition, min(due.at, seen), seen))
                return
            self._unseen[record.partition][sent.group] = due
            self._unsettled[record.partition][sent.group] = due

    def see(self, group: str, now: float) -> None:
        """Record that a reader got a decision of the group; later ones change nothing."""
        partition = partition_of(group)
        with self._lock:
            self._last_seen[partition] = now
            self._unsettled[partition].pop(group, None)
            due = self._unseen[partition].pop(group, None)
            if due is not None:
                self._delays.append(Delay(partition, due.at, now))
            else:
                self._early[group] = now

    def settle(self, partition: int, committed: int) -> None:
        """Record the group's committed offset of a partition."""
        with self._lock:
            waiting = self._unsettled[partition]
            for group in [group for group, due in waiting.items() if due.offset < committed]:
                del waiting[group]

    def unsettled_seconds(self, partition: int, now: float) -> float:
        """Return for how long the oldest due canary of a partition has not been settled."""
        with self._lock:
            return _longest(self._unsettled[partition], now)

    def unseen_seconds(self, partition: int, now: float) -> float:
        """Return for how long the oldest due canary of a partition has not been seen."""
        with self._lock:
            return _longest(self._unseen[partition], now)

    def last_seen(self, partition: int) -> float:
        """Return when a decision of a canary of the partition was seen last; 0 for never."""
        with self._lock:
            return self._last_seen.get(partition, 0.0)

    @property
    def waiting(self) -> int:
        """How many acknowledged canaries have no visible decision yet."""
        with self._lock:
            return sum(map(len, self._unseen.values()))

    @property
    def delays(self) -> list[Delay]:
        """Every canary that was seen, in the order in which they were."""
        with self._lock:
            return list(self._delays)

    def _record(self, partition: int) -> Record:
        self._count += 1
        service = f"{PREFIX}-{partition}-{self._count}"
        sent = SentAlert(service, "Canary", _CRITICAL, True, _STARTS, service, True)  # noqa: FBT003 - a record's fields
        value = wire.encode(wire.native(sent))
        return Record(_FIRST_NUMBER + self._count, partition, sent.group.encode(), value, (sent,), dead=False)


def partition_of(group: str) -> int:
    """Return the partition of a canary's group."""
    return int(group.split("-")[1])


def _longest(waiting: dict[str, _Due], now: float) -> float:
    """The first one was acknowledged first."""
    for due in waiting.values():
        return max(now - due.at, 0.0)
    return 0.0
