"""Worker processes, kept at a wanted number as an orchestrator would; a fault borrows one worker at a time."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from openclaw_stream.embedded.server import free_port

_WATCH_SECONDS = 0.1
_STOP_SECONDS = 45
_BORROW_SECONDS = 20
_EXIT_CODES = {0, 1, 128 + signal.SIGTERM, -signal.SIGTERM, -signal.SIGKILL}
"""The exit codes of a worker that was signalled: drained, not drained, ended during its start or before, killed."""


@dataclass(slots=True)
class Worker:
    """One worker; `leaving` once it was signalled to end, `borrowed` while a fault uses it."""

    process: "subprocess.Popen[bytes]"
    log: Path
    http: str
    leaving: bool = False
    borrowed: bool = False

    @property
    def alive(self) -> bool:
        """Whether its process exists, frozen or not."""
        return self.process.poll() is None

    @property
    def crashed(self) -> bool:
        """Whether it ended with an uncaught exception: its log has a traceback that is not JSON."""
        return any(line.startswith(b"Traceback") for line in self.log.read_bytes().splitlines())

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it exists."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)


class Fleet:
    """As many workers as `wanted`; one that ends is replaced."""

    def __init__(self, folder: Path, environment: Mapping[str, str], module: tuple[str, ...]) -> None:
        self.wanted = 1
        self.problems: list[str] = []
        """Workers that ended by themselves, or did not end after SIGTERM."""
        self.spares_first = False
        """Never let a fault end the first worker."""
        self.started = 0
        self._folder = folder
        self._environment = environment
        self._module = module
        self._workers: list[Worker] = []
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._maintainer = threading.Thread(target=self._maintain, daemon=True)

    def start(self) -> None:
        """Start to maintain the number of workers."""
        self._maintainer.start()

    @property
    def workers(self) -> list[Worker]:
        """The workers that are alive."""
        with self._lock:
            return [worker for worker in self._workers if worker.alive]

    @contextlib.contextmanager
    def borrow(self, r: random.Random, *, to_end: bool = False) -> Iterator[Worker | None]:
        """Borrow a worker that no other fault has borrowed; None if there is none within 20 s."""
        worker = self._borrow(r, to_end=to_end)
        try:
            yield worker
        finally:
            if worker:
                worker.borrowed = False

    def end(self, worker: Worker, *, kill: bool) -> None:
        """End a worker and wait for it."""
        worker.leaving = True
        worker.send(signal.SIGKILL if kill else signal.SIGTERM)
        worker.send(signal.SIGCONT)
        try:
            worker.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.problems.append(f"a worker did not end within {_STOP_SECONDS} s of SIGTERM, see {worker.log}")
            worker.process.kill()
            worker.process.wait()

    def end_all(self, r: random.Random) -> None:
        """End all workers, each by SIGTERM or SIGKILL, and start none."""
        self.wanted = 0
        threads = [
            threading.Thread(target=self.end, args=(worker,), kwargs={"kill": r.random() < 0.5})
            for worker in self.workers
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def stop(self) -> None:
        """Drain all workers; each must end with exit code 0."""
        self._closing.set()
        self._maintainer.join()
        for worker in self.workers:
            self.end(worker, kill=False)
            if worker.process.returncode:
                self.problems.append(f"a worker ended with {worker.process.returncode}, see {worker.log}")

    def kill(self) -> None:
        """End all workers at once."""
        self._closing.set()
        for worker in self.workers:
            worker.leaving = True
            worker.process.kill()
            worker.process.wait()

    def _borrow(self, r: random.Random, *, to_end: bool) -> Worker | None:
        deadline = time.monotonic() + _BORROW_SECONDS
        while time.monotonic() < deadline:
            with self._lock:
                lent = self._workers[1:] if to_end and self.spares_first else self._workers
                free = [worker for worker in lent if worker.alive and not worker.leaving and not worker.borrowed]
                if free:
                    worker = r.choice(free)
                    worker.borrowed = True
                    return worker
            time.sleep(0.2)
        return None

    def _maintain(self) -> None:
        while not self._closing.wait(_WATCH_SECONDS):
            with self._lock:
                self._remove_ended()
                staying = [worker for worker in self._workers if not worker.leaving]
                for _ in range(self.wanted - len(staying)):
                    self._workers.append(self._launch())
                for worker in [worker for worker in staying[self.wanted :] if not worker.borrowed]:
                    worker.leaving = True
                    threading.Thread(target=self.end, args=(worker,), kwargs={"kill": False}).start()

    def _remove_ended(self) -> None:
        for worker in [worker for worker in self._workers if not worker.alive]:
            self._workers.remove(worker)
            code = worker.process.returncode
            if not (worker.leaving and code in _EXIT_CODES):
                self.problems.append(f"a worker ended by itself with {code}, see {worker.log}")
            elif worker.crashed:
                self.problems.append(f"a worker crashed while it was ending, see {worker.log}")

    def _launch(self) -> Worker:
        self.started += 1
        log = self._folder / f"worker-{self.started:03d}.log"
        http = f"127.0.0.1:{free_port()}"
        environment = {**os.environ, **self._environment, "OPENCLAW_HTTP_ADDR": http}
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *self._module], env=environment, stdout=output, stderr=output
            )
        return Worker(process, log, http)
