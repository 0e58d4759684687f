"""The producer of a run: sends the workload to Kafka at the allowed pace, and writes each record to the journal."""

import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import IO

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from tests.chaos.canaries import Canaries
from tests.chaos.journal import NUMBER, write_entry
from tests.chaos.testbed import Testbed
from tests.chaos.workload import Record

_DELIVERY_MS = 600_000
_IN_FLIGHT_MAX = 20_000
_SOCKET_MS, _METADATA_MS = 5_000, 1_000
"""A frozen broker, a new leader and an added partition are noticed within seconds."""


OnDelivery = Callable[[KafkaError | None, Message], None]


class Feeder(threading.Thread):
    """Produces records in a thread; `allowed` returns how many alerts may have been produced by now.

    With `canaries`, these are produced in between, and until they end.
    """

    def __init__(
        self,
        testbed: Testbed,
        workload: Iterable[Record],
        allowed: Callable[[], float],
        canaries: Canaries | None = None,
    ) -> None:
        super().__init__(daemon=True)
        self.produced = 0
        self.records = 0
        self.failed: list[str] = []
        self.ended = threading.Event()
        """Set it to end before the workload does; canaries go on until they end."""
        self._testbed = testbed
        self._workload = workload
        self._allowed = allowed
        self._canaries = canaries
        self._producer = Producer(
            {
                "bootstrap.servers": testbed.run.bootstrap,
                "enable.idempotence": True,
                "linger.ms": 5,
                "delivery.timeout.ms": _DELIVERY_MS,
                "queue.buffering.max.messages": 2 * _IN_FLIGHT_MAX,
                "socket.timeout.ms": _SOCKET_MS,
                "topic.metadata.refresh.interval.ms": _METADATA_MS,
                "log_level": 0,
            }
        )

    def run(self) -> None:
        """Produce until the workload ends, or `ended` is set."""
        try:
            self._produce()
        except Exception as error:  # noqa: BLE001 - an exception of a thread is not reported otherwise
            self.failed.append(f"the producer itself failed: {error!r}")

    def _produce(self) -> None:
        with (self._testbed.folder / "records.jsonl").open("w") as lines:
            for record in self._workload:
                if not self._await_pace(lines):
                    break
                self._produce_record(lines, record, self._on_delivered)
                self.produced += len(record.alerts)
                self.records += 1
            while self._canaries and not self._canaries.ended.is_set():
                self._produce_canaries(lines, self._canaries)
                self._producer.poll(0.02)
        left = self._producer.flush(_DELIVERY_MS / 1000)
        if left:
            self.failed.append(f"{left} records were not delivered")

    def _await_pace(self, lines: IO[str]) -> bool:
        while True:
            if self.ended.is_set():
                return False
            if self._canaries:
                self._produce_canaries(lines, self._canaries)
            if self.produced < self._allowed() and len(self._producer) < _IN_FLIGHT_MAX:
                return True
            self._producer.poll(0.02)

    def _produce_canaries(self, lines: IO[str], canaries: Canaries) -> None:
        for record in canaries.records(time.time()):
            self._produce_record(lines, record, partial(self._on_canary_delivered, canaries, record))

    def _produce_record(self, lines: IO[str], record: Record, on_delivery: OnDelivery) -> None:
        write_entry(lines, record)
        while not self._send(record, on_delivery):
            self._producer.poll(0.1)
        self._producer.poll(0)

    def _send(self, record: Record, on_delivery: OnDelivery) -> bool:
        """Give a record to the client; returns False if the client has no metadata of a new partition yet."""
        stamp = int((time.time() + self._testbed.skew) * 1000) if self._testbed.create_time else 0
        try:
            self._producer.produce(
                self._testbed.run.topics["alerts"],
                record.value,
                key=record.key,
                partition=record.partition,
                timestamp=stamp,
                headers=[(NUMBER, str(record.number).encode())],
                on_delivery=on_delivery,
            )
        except KafkaException as error:
            if error.args[0].code() != KafkaError._UNKNOWN_PARTITION:  # noqa: SLF001 - a public constant
                raise
            return False
        return True

    def _on_canary_delivered(
        self, canaries: Canaries, record: Record, error: KafkaError | None, message: Message
    ) -> None:
        self._on_delivered(error, message)
        if error is None:
            canaries.deliver(record, message.offset() or 0, time.time())

    def _on_delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self.failed.append(f"partition {message.partition()}: {error}")
