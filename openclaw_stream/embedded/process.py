"""A server process that never outlives this process, through its supervisor."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from openclaw_stream.embedded import supervisor

_JAVA_SETTINGS = ("JAVA_", "JDK_", "_JAVA_", "CLASSPATH")


class ServerProcess:
    """A server under its supervisor, which kills it when this process ends, even by ``kill -9``.

    The supervisor reads a pipe that only this process holds. A child created by ``fork`` without ``exec`` inherits it,
    and then the server runs as long as that child. ``stop`` or ``kill`` must be the last call.

    Args:
        command: The server's program and arguments.
        folder: Its working folder; removed if this process ends first.
        log_file: The file to which its output is appended.
    """

    def __init__(self, command: Sequence[str], folder: Path, log_file: Path) -> None:
        with log_file.open("ab") as log:
            self._supervisor = subprocess.Popen(  # noqa: S603 - this package's own command
                [sys.executable, "-I", "-S", supervisor.__file__, str(folder), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                bufsize=0,
                cwd=folder,
                env=environment(),
                start_new_session=True,  # Ctrl-C in the terminal must not reach the servers
            )

    @property
    def running(self) -> bool:
        """Whether the server is running; a paused one counts."""
        return self._supervisor.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the server; return once it is sent, or the server has ended."""
        signals, sent = self._supervisor.stdin, self._supervisor.stdout
        assert signals is not None and sent is not None  # noqa: PT018, S101 - both are pipes
        with contextlib.suppress(BrokenPipeError):
            signals.write(bytes([number]))
            sent.read(1)

    def stop(self, grace: float) -> None:
        """Terminate the server, and kill it after ``grace`` seconds."""
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        try:
            self._supervisor.wait(grace)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
        self._reap()

    def kill(self) -> None:
        """Kill the server at once, like a crash."""
        self.send(signal.SIGKILL)
        self._reap()

    def _reap(self) -> None:
        """Wait for the end, then close the pipes: closing them earlier would make the supervisor remove the folder."""
        self._supervisor.wait()
        self._supervisor.communicate()


def environment() -> dict[str, str]:
    """Return this process's environment without the settings of another Java."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_JAVA_SETTINGS)}
