"""The program's side of the supervisor: a server that never outlives this process."""

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

    The link is a pipe that only this process holds: a child made by ``fork`` without ``exec`` inherits it, and then
    the server lives as long as that child. ``stop`` or ``kill`` is the last call.

    Args:
        command: The server's program and arguments.
        folder: Its working folder; removed should this process end first.
        log_file: Where its output is appended.
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
                start_new_session=True,  # a Ctrl-C in the terminal is for the program, not for its servers
            )

    @property
    def running(self) -> bool:
        """Whether the server has not ended yet; a paused one runs."""
        return self._supervisor.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the server; return once it is sent, or the server has ended."""
        orders, done = self._supervisor.stdin, self._supervisor.stdout
        assert orders is not None and done is not None  # noqa: PT018, S101 - both are pipes
        with contextlib.suppress(BrokenPipeError):
            orders.write(bytes([number]))
            done.read(1)

    def stop(self, grace: float) -> None:
        """Ask the server to end, and kill it after ``grace`` seconds."""
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        try:
            self._supervisor.wait(grace)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
        self._reap()

    def kill(self) -> None:
        """End the server at once, as a crash would."""
        self.send(signal.SIGKILL)
        self._reap()

    def _reap(self) -> None:
        """Wait for the end, then close the pipes: a pipe closed before the end removes the folder."""
        self._supervisor.wait()
        self._supervisor.communicate()


def environment() -> dict[str, str]:
    """Give this process's environment without another Java's settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_JAVA_SETTINGS)}
