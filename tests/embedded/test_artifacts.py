import gc
import hashlib
import socket
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from jgo.maven import _core as jgo

from openclaw_stream.embedded import EmbeddedKafka
from openclaw_stream.embedded.artifacts import cache_folder, exclusive, fetch_missing
from openclaw_stream.embedded.lock import Lock, LockedJar
from openclaw_stream.errors import EmbeddedError

BROKER = b"the bytes of a broker"
LIBRARY = b"the bytes of a library"


class Repository(ThreadingHTTPServer):
    """A Maven repository on loopback, which counts downloads and refuses the first ``refusals`` requests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.files = {"org/broker/4.4.0/broker-4.4.0.jar": BROKER, "org/library/1/library-1.jar": LIBRARY}
        self.fetched: Counter[str] = Counter()
        self.refusals = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/maven"


class Answer(BaseHTTPRequestHandler):
    server: Repository

    def do_GET(self) -> None:
        path = self.path.removeprefix("/maven/")
        content = self.server.files.get(path)
        if content is not None:
            self.server.fetched[path] += 1
        if self.server.refusals:
            self.server.refusals -= 1
            content = None
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    with Repository() as server:
        monkeypatch.setitem(jgo.DEFAULT_REMOTE_REPOS, "central", server.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
    gc.collect()  # here, not in another test


def locked(coordinates: str, content: bytes) -> LockedJar:
    return LockedJar(coordinates, hashlib.sha256(content).hexdigest())


# jgo does not close a response with a status other than 200
unclosed_responses = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

LOCK = Lock((locked("org:broker:4.4.0", BROKER), locked("org:library:1", LIBRARY)))


def fetch(cache: Path, lock: Lock = LOCK) -> tuple[list[bytes], list[str]]:
    """Fetch into ``cache``; return the jars' bytes and the progress messages."""
    messages: list[str] = []
    with exclusive(cache) as staging:
        paths = fetch_missing(lock, cache / "jars", staging, messages.append)
    assert not staging.exists()
    return [path.read_bytes() for path in paths], messages


@pytest.mark.usefixtures("repository")
def test_missing_jars_are_downloaded_once_with_a_message(tmp_path: Path) -> None:
    assert fetch(tmp_path) == ([BROKER, LIBRARY], ["downloading Apache Kafka 4.4.0 (about 43 MB, first start only)"])
    assert fetch(tmp_path) == ([BROKER, LIBRARY], [])


def test_a_changed_jar_is_downloaded_again(tmp_path: Path, repository: Repository) -> None:
    fetch(tmp_path)
    (tmp_path / "jars" / "library-1.jar").write_bytes(b"half a libr")
    assert fetch(tmp_path)[0] == [BROKER, LIBRARY]
    assert repository.fetched == {"org/broker/4.4.0/broker-4.4.0.jar": 1, "org/library/1/library-1.jar": 2}


def test_concurrent_processes_download_once(tmp_path: Path, repository: Repository) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: fetch(tmp_path)[0], range(4)))
    assert found == [[BROKER, LIBRARY]] * 4
    assert set(repository.fetched.values()) == {1}


@unclosed_responses
def test_a_refused_request_is_retried(tmp_path: Path, repository: Repository) -> None:
    repository.refusals = 1
    assert fetch(tmp_path)[0] == [BROKER, LIBRARY]


@pytest.mark.usefixtures("repository")
def test_an_artifact_that_differs_from_the_lock_is_refused(tmp_path: Path) -> None:
    lock = Lock((LOCK.jars[0], locked("org:library:1", b"other bytes")))
    with pytest.raises(EmbeddedError, match=r"org:library:1 does not match .* kafka\.lock"):
        fetch(tmp_path, lock)
    assert not (tmp_path / "jars" / "library-1.jar").exists()
    assert not (tmp_path / "staging").exists()


@unclosed_responses
@pytest.mark.usefixtures("repository")
def test_the_error_names_a_missing_artifact(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match=r"cannot download Apache Kafka \(org:gone:1: .*KAFKA_BOOTSTRAP_SERVERS"):
        fetch(tmp_path, Lock((locked("org:gone:1", b""),)))


def test_the_error_without_a_network_names_the_alternative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:  # bound, not listening: it refuses every connection
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{taken.getsockname()[1]}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        messages: list[str] = []
        with pytest.raises(EmbeddedError, match=r"needs the network on its first start.*KAFKA_BOOTSTRAP_SERVERS"):
            EmbeddedKafka(progress=messages.append).start()
    assert messages == ["downloading Apache Kafka 4.4.0 (about 43 MB, first start only)"]
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]


def test_the_error_names_a_missing_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setitem(sys.modules, "jgo.maven", None)
    with pytest.raises(EmbeddedError, match=r"pip install 'openclaw-stream\[embedded\]'"):
        EmbeddedKafka().start()


def test_the_cache_is_in_the_cache_folder_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "openclaw-stream"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert cache_folder().is_relative_to(Path.home())
