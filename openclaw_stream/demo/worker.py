"""The worker as a user runs it: a process of its own, which ends with this one whatever happens."""

import shutil
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from openclaw_stream.embedded.process import ServerProcess
from openclaw_stream.errors import FatalError

_TAIL_LINES = 15
_KILL_SECONDS = 5.0


class WorkerProcess:
    """`openclaw-stream run` with this process's environment, from entering the context to leaving it, which drains it.

    Args:
        log_file: What it logs is added to this file.
        shutdown_timeout: How long its drain may take, in seconds.
    """

    def __init__(self, log_file: Path, shutdown_timeout: float) -> None:
        self.log_file = log_file
        self._grace = shutdown_timeout + _KILL_SECONDS
        self._folder = ""
        self._process: ServerProcess | None = None

    def require_running(self) -> None:
        """Check that it runs.

        Raises:
            FatalError: it ended; the message has the end of its log.
        """
        if self._process is None or not self._process.running:
            raise FatalError(f"the worker ended by itself; {self.log_ending()}")

    def log_ending(self) -> str:
        """Return where its log is, and its last lines."""
        lines = self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:]
        return "\n".join([f"its log {self.log_file} ends with:", *lines])

    def __enter__(self) -> Self:
        self._folder = tempfile.mkdtemp(prefix="openclaw-worker-")
        command = [sys.executable, "-m", "openclaw_stream", "run"]
        self._process = ServerProcess(command, Path(self._folder), self.log_file)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.stop(self._grace)
        shutil.rmtree(self._folder, ignore_errors=True)
