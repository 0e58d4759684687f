"""The journal of a run, written for the verifier: a folder with the run's coordinates and every record's meaning.

`run.json` names brokers, topics, consumer group, settings and resets; `records.jsonl` has a line for each record that
was given to the producer. The verifier needs nothing else.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO

from tests.chaos.wire import SentAlert
from tests.chaos.workload import Record

NUMBER = "chaos-number"
"""The header that carries a record's number."""


@dataclass(frozen=True, slots=True)
class Reset:
    """An offset reset of one partition: to `offset`, from `committed`, when the log ended at `end`."""

    partition: int
    offset: int
    committed: int
    end: int


@dataclass(slots=True)
class Run:
    """The coordinates of a run; `hold` is the resolve hold in milliseconds."""

    seed: int
    bootstrap: str
    group_id: str
    topics: dict[str, str]
    partitions: int
    hold: int
    compacted: bool = False
    resets: list[Reset] = field(default_factory=list)

    def save(self, folder: Path) -> None:
        """Write `run.json`."""
        (folder / "run.json").write_text(json.dumps(asdict(self), indent=1))

    @classmethod
    def load(cls, folder: Path) -> "Run":
        """Read `run.json`."""
        document = json.loads((folder / "run.json").read_text())
        document["resets"] = [Reset(**reset) for reset in document["resets"]]
        return cls(**document)


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """What the producer read_journal by a record; `digest` is of its bytes, None for a tombstone."""

    number: int
    partition: int
    digest: str | None
    alerts: tuple[SentAlert, ...]
    dead: bool


def digest(value: bytes | None) -> str | None:
    """Return a digest of a record's bytes."""
    return None if value is None else sha256(value).hexdigest()[:32]


def write_entry(lines: IO[str], record: Record) -> None:
    """Write the line of a record."""
    lines.write(json.dumps((record.number, record.partition, digest(record.value), record.alerts, record.dead)) + "\n")


def read_journal(folder: Path) -> Iterator[JournalEntry]:
    """Read `records.jsonl`; a last line that was cut by a crash of the runner is left out."""
    with (folder / "records.jsonl").open() as lines:
        for line in lines:
            if line.endswith("\n"):
                number, partition, value_digest, alerts, dead = json.loads(line)
                yield JournalEntry(number, partition, value_digest, tuple(SentAlert(*sent) for sent in alerts), dead)
