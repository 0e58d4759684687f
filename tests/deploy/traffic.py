"""Steady traffic of alerts for the run of a worker: incidents that open and end, repeats, and heartbeats."""

import json
import threading
from collections.abc import Iterator
from itertools import count
from types import TracebackType
from typing import Any, Self

from confluent_kafka import Producer

from tests.stream.pipeline import Pipeline, alert

_SECONDS = 0.25
"""Between two alerts of an incident."""
_SERVICES = 12


class Traffic:
    """Produces in a thread of its own for as long as the block runs.

    Every `_SECONDS` an incident opens, the one before last repeats, an older one ends and a heartbeat comes. While
    `storm` is set, there is a burst of repeats, too.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self.storm = threading.Event()
        self._pipeline = pipeline
        self._producer = Producer({"bootstrap.servers": pipeline.bootstrap, "linger.ms": 5, "log_level": 0})
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._producer.flush(10)

    def send(self, *values: Any) -> None:
        """Send values: bytes as they are, anything else as JSON."""
        for value in values:
            raw = value if isinstance(value, bytes) else json.dumps(value).encode()
            key = value["service"] if isinstance(value, dict) else None
            self._producer.produce(self._pipeline.topics["alerts"], raw, key=key)
        self._producer.poll(0)

    def _run(self) -> None:
        for n in count():
            if self._stop.wait(_SECONDS):
                return
            self.send(*_alerts(n))
            if self.storm.is_set():
                self.send(*(alert(f"service-{n % _SERVICES}") for _ in range(200)))


def _alerts(n: int) -> Iterator[dict[str, Any]]:
    yield alert(f"service-{n % _SERVICES}")
    yield alert(f"service-{(n - 1) % _SERVICES}")
    yield alert(f"service-{(n - 6) % _SERVICES}", status="resolved")
    yield alert("", "Watchdog", severity="none")
