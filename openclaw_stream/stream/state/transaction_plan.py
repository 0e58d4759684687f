"""What one transaction of a partition publishes, writes and commits."""

from dataclasses import dataclass

from openclaw_stream.stream.state.revision import Headers, Revision


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that could not be understood, or parts of it; bytes and headers as received."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    reason: str
    bad_indexes: tuple[int, ...] = ()

    @property
    def weight(self) -> int:
        """Roughly the bytes it holds until it is written."""
        return 512 + len(self.value or b"") + sum(len(name) + len(value or b"") for name, value in self.headers)


@dataclass(frozen=True, slots=True)
class TransactionPlan:
    """One transaction: what is published, what is written, and the offset committed with it.

    `states` are key and value for the incidents topic, a tombstone where the value is None.
    """

    revisions: list[Revision]
    states: list[tuple[str, bytes | None]]
    dead_letters: list[DeadLetter]
    offset: int
    metadata: str
