"""What the embedded servers share: a folder, a life and a log that can be read."""

import random
import shutil
import signal
import socket
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from openclaw_stream.embedded.process import ServerProcess
from openclaw_stream.errors import EmbeddedError

HOST = "127.0.0.1"
_READY_WITHIN = 90.0
_STOP_WITHIN = 30.0
_ASK_EVERY = 0.02
_LOG_TAIL = 20


class EmbeddedServer(ABC):
    """A real server on loopback, for tests and the demo; it ends with this process, even by ``kill -9``.

    A context manager; ``start`` and ``stop`` do the same by hand. Its folder is removed by ``stop``, and kept, with the
    log, when the server did not come up.

    Raises:
        EmbeddedError: from ``start`` and ``restart``: the server cannot be had, or did not come up.
    """

    name: ClassVar[str]
    _slug: ClassVar[str]

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._process: ServerProcess | None = None

    @abstractmethod
    def _prepare(self, folder: Path) -> None:
        """Choose the ports and write what the server reads, once per folder."""

    @abstractmethod
    def _command(self, folder: Path) -> Sequence[str]:
        """The server's program and arguments."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether the server does what it is there for; an OSError means not yet."""

    @property
    def running(self) -> bool:
        """Whether the server's process is there; a paused one is."""
        return self._process is not None and self._process.running

    @property
    def log_file(self) -> Path:
        """The server's log, there from the start to the stop."""
        return self._require_folder() / "server.log"

    def start(self) -> Self:
        """Start the server, with the ports and data it had when it was killed; return once it answers."""
        if self.running:
            return self
        if self._folder is None:
            folder = Path(tempfile.mkdtemp(prefix=f"openclaw-{self._slug}-"))
            try:
                self._prepare(folder)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            self._folder = folder
        self._launch(self._folder)
        return self

    def stop(self) -> None:
        """Stop the server and remove its folder."""
        self._end()
        if self._folder is not None:
            shutil.rmtree(self._folder)
            self._folder = None

    def kill(self) -> None:
        """Kill the server as a crash would, and keep its ports and data for ``start``."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def restart(self) -> None:
        """Stop the server and start it on the same ports and data."""
        self._end()
        self._launch(self._require_folder())

    def pause(self) -> None:
        """Freeze the server: it keeps its connections and answers nothing."""
        self._require_process().send(signal.SIGSTOP)

    def resume(self) -> None:
        """Thaw a frozen server."""
        self._require_process().send(signal.SIGCONT)

    def _end(self) -> None:
        """Stop the server cleanly and keep its folder."""
        if self._process is not None:
            self._process.stop(_STOP_WITHIN)
            self._process = None

    def _launch(self, folder: Path) -> None:
        self.kill()
        try:
            self._process = ServerProcess(self._command(folder), folder, self.log_file)
            self._await(self._process)
        except EmbeddedError:
            self.kill()
            self._folder = None
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
            time.sleep(_ASK_EVERY)

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
    """A free port on loopback, below the ports that systems give to outgoing connections.

    Among those, a client that asks a stopped server again and again could take the server's port itself.
    """
    while True:
        port = random.randrange(15_000, 30_000)  # noqa: S311 - spreads servers started side by side
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
