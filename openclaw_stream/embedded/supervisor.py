"""The small process between a server and the program that started it.

Run by path as ``supervisor.py FOLDER COMMAND...``, on the standard library alone. Standard input is a pipe from the
program: each byte is the number of a signal, given back on standard output once it is sent to the server, and its end
means that the program is gone, by whatever way. Then the server is killed and FOLDER removed. Both write their log to
standard error. The exit code is the server's.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading

_ORDERS = 0
_DONE = 1
_KILLED_BY = 128


def _obey(server: "subprocess.Popen[bytes]", orphaned: threading.Event) -> None:
    """Pass signals on until the program is gone, then kill the server."""
    try:
        while order := os.read(_ORDERS, 1):
            server.send_signal(order[0])
            os.write(_DONE, order)
    finally:
        orphaned.set()
        server.kill()


def main(folder: str, command: list[str]) -> int:
    """Run ``command`` until it ends; return its exit code as a shell gives it."""
    orphaned = threading.Event()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr) as server:  # noqa: S603 - our parent's
        signal.signal(signal.SIGTERM, lambda _signal, _frame: server.terminate())
        threading.Thread(target=_obey, args=(server, orphaned), daemon=True).start()
        code = server.wait()
    if orphaned.is_set():
        shutil.rmtree(folder, ignore_errors=True)
    return code if code >= 0 else _KILLED_BY - code


if __name__ == "__main__":
    exit_code = main(sys.argv[1], sys.argv[2:])
    os._exit(exit_code)  # the thread may still be reading, and nothing is left to flush
