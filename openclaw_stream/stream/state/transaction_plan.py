"""What one transaction of a partition publishes, writes and commits."""

from dataclasses import dataclass

from openclaw_stream.stream.state.revision import Headers, Revision

StateRecord = tuple[str, bytes | None]
"""Key and value of the incidents topic; a tombstone where the value is None."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that could not be decoded, or the alerts of it at `bad_indexes`; bytes and headers as received.

    `timestamp` is in epoch milliseconds.
    """

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    reason: str
    bad_indexes: tuple[int, ...] = ()

    @property
    def weight(self) -> int:
        """Approximate size in bytes until it is written."""
        return 512 + len(self.value or b"") + sum(len(name) + len(value or b"") for name, value in self.headers)


@dataclass(frozen=True, slots=True)
class TransactionPlan:
    """One transaction: what is published, what is written, and the offset committed with it.

    `metadata` is committed with the offset (see `commit_metadata`).
    """

    revisions: list[Revision]
    states: list[StateRecord]
    dead_letters: list[DeadLetter]
    offset: int
    metadata: str
