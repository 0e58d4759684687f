"""Workers as processes, kept at a wished number as an orchestrator would; faults borrow them one at a time."""

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
_TOLD = {0, 1, -signal.SIGTERM, -signal.SIGKILL}
"""How a worker may end that was told to: drained, not drained, before it listened, killed."""


@dataclass(slots=True)
class Worker:
    """One worker; `leaving` once it was told to end, `borrowed` while a fault has it in hand."""

    process: "subprocess.Popen[bytes]"
    log: Path
    http: str
    leaving: bool = False
    borrowed: bool = False

    @property
    def alive(self) -> bool:
        """Whether its process is there, frozen or not."""
        return self.process.poll() is None

    @property
    def crashed(self) -> bool:
        """Whether it ended with an exception that nobody caught: a traceback outside of the log's JSON."""
        return any(line.startswith(b"Traceback") for line in self.log.read_bytes().splitlines())

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it is there."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)


class Fleet:
    """As many workers as `wanted`; one that ends is replaced after a moment."""

    def __init__(self, folder: Path, environment: Mapping[str, str], module: tuple[str, ...]) -> None:
        self.wanted = 1
        self.complaints: list[str] = []
        """Workers that ended by themselves, or did not end when told to."""
        self.spares_first = False
        """Lend the first worker to no fault that ends it."""
        self.started = 0
        self._folder = folder
        self._environment = environment
        self._module = module
        self._workers: list[Worker] = []
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    def start(self) -> None:
        """Begin to keep the number of workers."""
        self._keeper.start()

    @property
    def workers(self) -> list[Worker]:
        """Those that are there."""
        with self._lock:
            return [worker for worker in self._workers if worker.alive]

    @contextlib.contextmanager
    def borrow(self, r: random.Random, *, to_end: bool = False) -> Iterator[Worker | None]:
        """Take one worker in hand that no other fault has; None where there is none for long."""
        worker = self._take(r, to_end=to_end)
        try:
            yield worker
        finally:
            if worker:
                worker.borrowed = False

    def dismiss(self, worker: Worker, *, kill: bool) -> None:
        """End a worker and wait for it."""
        worker.leaving = True
        worker.send(signal.SIGKILL if kill else signal.SIGTERM)
        worker.send(signal.SIGCONT)
        try:
            worker.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.complaints.append(f"a worker did not end within {_STOP_SECONDS} s of SIGTERM, see {worker.log}")
            worker.process.kill()
            worker.process.wait()

    def empty(self, r: random.Random) -> None:
        """End all workers, by whatever means, and start none."""
        self.wanted = 0
        threads = [
            threading.Thread(target=self.dismiss, args=(worker,), kwargs={"kill": r.random() < 0.5})
            for worker in self.workers
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def stop(self) -> None:
        """Drain all workers; each must say that it could."""
        self._closing.set()
        self._keeper.join()
        for worker in self.workers:
            self.dismiss(worker, kill=False)
            if worker.process.returncode:
                self.complaints.append(f"a worker ended with {worker.process.returncode}, see {worker.log}")

    def kill(self) -> None:
        """End all workers at once."""
        self._closing.set()
        for worker in self.workers:
            worker.leaving = True
            worker.process.kill()
            worker.process.wait()

    def _take(self, r: random.Random, *, to_end: bool) -> Worker | None:
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

    def _keep(self) -> None:
        while not self._closing.wait(_WATCH_SECONDS):
            with self._lock:
                self._bury()
                staying = [worker for worker in self._workers if not worker.leaving]
                for _ in range(self.wanted - len(staying)):
                    self._workers.append(self._launch())
                for worker in [worker for worker in staying[self.wanted :] if not worker.borrowed]:
                    worker.leaving = True
                    threading.Thread(target=self.dismiss, args=(worker,), kwargs={"kill": False}).start()

    def _bury(self) -> None:
        for worker in [worker for worker in self._workers if not worker.alive]:
            self._workers.remove(worker)
            code = worker.process.returncode
            if not (worker.leaving and code in _TOLD):
                self.complaints.append(f"a worker ended by itself with {code}, see {worker.log}")
            elif worker.crashed:
                self.complaints.append(f"a worker that was told to end crashed, see {worker.log}")

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
