"""A small server, to test what all embedded servers have in common."""

import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from openclaw_stream.embedded.server import HOST, EmbeddedServer, free_port

LISTENS = """
import signal, socket, sys
signal.signal(signal.SIGTERM, lambda *_: (print("stopped cleanly", flush=True), sys.exit(0)))
print("started", flush=True)
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listening:
    while True:
        with listening.accept()[0] as connection:
            connection.sendall(b"ready")
"""
ENDS = "for number in range(50): print(f'line {number}.')"
NEVER_LISTENS = "import time; time.sleep(600)"


class PythonServer(EmbeddedServer):
    """A server whose program is Python; it answers each connection with ``ready``."""

    name = "Python server"
    _slug = "python"

    def __init__(self, program: str = LISTENS, parent: Path | None = None) -> None:
        super().__init__(parent)
        self.program = program
        self.port = 0

    def _prepare(self, folder: Path) -> None:
        self.port = free_port()
        (folder / "program.py").write_text(self.program)

    def _command(self, folder: Path) -> Sequence[str]:
        return [sys.executable, str(folder / "program.py"), str(self.port)]

    def _answers(self) -> bool:
        return answer(self.port) == b"ready"


def answer(port: int) -> bytes:
    """What the server on this port sends; an OSError when it does not listen, or sends nothing within a second."""
    with socket.create_connection((HOST, port), timeout=1) as connection:
        return connection.recv(5)
