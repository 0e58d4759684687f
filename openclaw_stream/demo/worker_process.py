"""The worker as a process of its own, which always ends with this process."""

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
    """`openclaw-stream run` with this process's environment; a context manager that drains and stops it on exit.

    Args:
        shutdown_timeout: How long its drain may take, in seconds.

    Attributes:
        log_file: Its log; deleted on exit unless `keep_log` or `keep_log_tail` was called.
    """

    def __init__(self, shutdown_timeout: float) -> None:
        self.log_file = Path()
        self._grace = shutdown_timeout + _KILL_SECONDS
        self._keep_log = False
        self._folder = ""
        self._process: ServerProcess | None = None

    def require_running(self) -> None:
        """Check that it runs.

        Raises:
            FatalError: it does not; if it ended by itself, the message has the end of its log.
        """
        if self._process is None:
            raise FatalError("the worker is not running")
        if not self._process.running:
            raise FatalError(f"the worker ended unexpectedly; {self.keep_log_tail()}")

    def keep_log(self) -> str:
        """Keep the log file, and return a line with its path."""
        self._keep_log = True
        return f"worker log: {self.log_file}"

    def keep_log_tail(self) -> str:
        """Keep the log file, and return its path and last lines."""
        self._keep_log = True
        lines = self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:]
        return "\n".join([f"worker log {self.log_file} ends with:", *lines])

    def __enter__(self) -> Self:
        with tempfile.NamedTemporaryFile(prefix="openclaw-demo-", suffix=".log", delete=False) as file:
            self.log_file = Path(file.name)
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
            self._process = None
        shutil.rmtree(self._folder, ignore_errors=True)
        if not self._keep_log:
            self.log_file.unlink(missing_ok=True)
