"""The process between a server and the program that started it.

Run by path as ``supervisor.py FOLDER COMMAND...``, with the standard library alone. Standard input is a pipe from the
program: each byte is the number of a signal to send to the server, acknowledged with the same byte on standard output.
Its end means that the program has ended, in any way; then the server is killed and FOLDER removed. Both processes log
to standard error. The exit code is that of the server.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading

_SIGNALS = 0
_SENT = 1
_KILLED_BY = 128


def _forward_signals(server: "subprocess.Popen[bytes]", orphaned: threading.Event) -> None:
    """Forward signals until the program has ended, then kill the server."""
    try:
        while number := os.read(_SIGNALS, 1):
            server.send_signal(number[0])
            os.write(_SENT, number)
    finally:
        orphaned.set()
        server.kill()


def main(folder: str, command: list[str]) -> int:
    """Run ``command`` until it ends; return its exit code in the convention of shells."""
    orphaned = threading.Event()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr) as server:  # noqa: S603 - the command of our parent
        signal.signal(signal.SIGTERM, lambda _signal, _frame: server.terminate())
        threading.Thread(target=_forward_signals, args=(server, orphaned), daemon=True).start()
        code = server.wait()
    if orphaned.is_set():
        shutil.rmtree(folder, ignore_errors=True)
    return code if code >= 0 else _KILLED_BY - code


if __name__ == "__main__":
    exit_code = main(sys.argv[1], sys.argv[2:])
    os._exit(exit_code)  # the thread may still be reading; there is nothing to flush
