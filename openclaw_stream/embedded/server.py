"""Base class of the embedded servers: a temporary folder, the process and its log."""

import random
import shutil
import signal
import socket
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from openclaw_stream.embedded.process import ServerProcess
from openclaw_stream.errors import EmbeddedError

HOST = "127.0.0.1"
_READY_WITHIN = 90.0
_STOP_WITHIN = 30.0
_POLL_SECONDS = 0.02
_LOG_TAIL = 20


class EmbeddedServer(ABC):
    """A real server on loopback, for tests and the demo; it ends with this process, even by ``kill -9``.

    A context manager that calls ``start`` and ``stop``. Its folder is removed by ``stop``, and kept, with the log, when
    the server did not start.

    Raises:
        EmbeddedError: from ``start`` and ``restart``: the server cannot be installed, or did not start.
    """

    name: ClassVar[str]
    _slug: ClassVar[str]

    def __init__(self, parent: Path | None = None) -> None:
        self._parent = parent
        self._folder: Path | None = None
        self._process: ServerProcess | None = None

    @abstractmethod
    def _prepare(self, folder: Path) -> None:
        """Choose the ports and write the server's configuration, once per folder."""

    @abstractmethod
    def _command(self, folder: Path) -> Sequence[str]:
        """The server's program and arguments."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether the server answers requests; an OSError means not yet."""

    @property
    def running(self) -> bool:
        """Whether the server's process is running; a paused one counts."""
        return self._process is not None and self._process.running

    @property
    def log_file(self) -> Path:
        """The server's log; it exists from the start to the stop."""
        return self._require_folder() / "server.log"

    def start(self) -> Self:
        """Start the server, with the ports and data it had when it was killed; return once it answers."""
        if not self.running:
            self.launch()
            self.wait_until_ready()
        return self

    def launch(self) -> None:
        """Start the server's process unless it is running, and return at once, without `wait_until_ready`.

        So servers that wait for each other can be started together.
        """
        if self.running:
            return
        folder = self._folder or self._create_folder()
        self._folder = folder
        with self._cleanup_on_failure():
            self.kill()
            self._process = ServerProcess(self._command(folder), self._parent or folder, self.log_file)

    def wait_until_ready(self) -> None:
        """Return once the server answers.

        Raises:
            EmbeddedError: it ended, or it does not answer in time; its folder is kept for its log.
        """
        process = self._require_process()
        with self._cleanup_on_failure():
            self._await(process)

    def stop(self) -> None:
        """Stop the server and remove its folder."""
        self._end()
        if self._folder is not None:
            shutil.rmtree(self._folder)
            self._folder = None

    def kill(self) -> None:
        """Kill the server like a crash, and keep its ports and data for ``start``."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def restart(self) -> None:
        """Stop the server and start it on the same ports and data."""
        self._require_folder()
        self._end()
        self.start()

    def pause(self) -> None:
        """Pause the server with SIGSTOP: it keeps its connections and does not answer."""
        self._require_process().send(signal.SIGSTOP)

    def resume(self) -> None:
        """Resume a paused server."""
        self._require_process().send(signal.SIGCONT)

    def _end(self) -> None:
        """Stop the server cleanly and keep its folder."""
        if self._process is not None:
            self._process.stop(_STOP_WITHIN)
            self._process = None

    def _create_folder(self) -> Path:
        folder = Path(tempfile.mkdtemp(prefix=f"openclaw-{self._slug}-", dir=self._parent))
        try:
            self._prepare(folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return folder

    @contextmanager
    def _cleanup_on_failure(self) -> Iterator[None]:
        try:
            yield
        except EmbeddedError:
            self.kill()
            self._folder = None  # kept on the disk for its log
            raise
        except BaseException:
            self.kill()
            self.stop()
            raise

    def _await(self, process: ServerProcess) -> None:
        deadline = time.monotonic() + _READY_WITHIN
        while not self._is_ready():
            if not process.running:
                raise self._failure("ended before it answered")
            if time.monotonic() > deadline:
                raise self._failure(f"did not answer within {_READY_WITHIN:.0f} s")
            time.sleep(_POLL_SECONDS)

    def _is_ready(self) -> bool:
        try:
            return self._answers()
        except OSError:
            return False

    def _failure(self, what: str) -> EmbeddedError:
        tail = "\n".join(self.log_file.read_text(errors="replace").splitlines()[-_LOG_TAIL:])
        return EmbeddedError(f"{self.name} {what}; its log is kept in {self.log_file} and ends with:\n{tail}")

    def _require_folder(self) -> Path:
        if self._folder is None:
            raise EmbeddedError(f"{self.name} is not started")
        return self._folder

    def _require_process(self) -> ServerProcess:
        if self._process is None:
            raise EmbeddedError(f"{self.name} is not running")
        return self._process

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def free_port() -> int:
    """Return a free port on loopback; see `free_ports`."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Return different free ports on loopback, below the range of ephemeral ports.

    From that range a client that keeps connecting to a stopped server could get the server's own port.
    """
    ports: list[int] = []
    with ExitStack() as bound:  # keeps each port bound, so that none is chosen twice
        while len(ports) < count:
            port = random.randrange(15_000, 30_000)  # noqa: S311 - spreads servers that are started concurrently
            probe = bound.enter_context(socket.socket())
            with suppress(OSError):
                probe.bind((HOST, port))
                ports.append(port)
    return ports
