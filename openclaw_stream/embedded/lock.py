"""The lock file: the jars of the embedded Kafka, with their checksums."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

LOCK_FILE = Path(__file__).with_name("kafka.lock")
_HEADING = "# Apache Kafka's jars, the broker first: group:artifact:version sha256\n"


@dataclass(frozen=True, slots=True)
class LockedJar:
    """One jar: its Maven coordinates ``group:artifact:version`` and the sha256 of its bytes, in hex."""

    coordinates: str
    sha256: str

    @property
    def file_name(self) -> str:
        """The jar's name in the cache folder."""
        _, artifact, version = self.coordinates.split(":")
        return f"{artifact}-{version}.jar"

    def matches(self, path: Path) -> bool:
        """Whether the file exists and has the locked checksum."""
        return path.is_file() and sha256_of(path) == self.sha256


@dataclass(frozen=True, slots=True)
class Lock:
    """The jars of one Kafka; the first one is the broker."""

    jars: tuple[LockedJar, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text of a lock file: one jar per line, ``#`` begins a comment."""
        lines = (line.split() for line in text.splitlines() if not line.startswith("#"))
        return cls(tuple(LockedJar(coordinates, sha256) for coordinates, sha256 in lines))

    def render(self) -> str:
        """Return the text of the lock file."""
        return _HEADING + "".join(f"{jar.coordinates} {jar.sha256}\n" for jar in self.jars)

    @property
    def version(self) -> str:
        """Kafka's version."""
        return self.jars[0].coordinates.rpartition(":")[2]


def sha256_of(path: Path) -> str:
    """The sha256 of a file's bytes, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
