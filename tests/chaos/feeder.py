"""The producer of a run: hands the workload to Kafka at the pace it is allowed, and notes what each record means."""

import threading
import time
from collections.abc import Callable, Iterable

from confluent_kafka import KafkaError, Message, Producer

from tests.chaos.journal import NUMBER, note
from tests.chaos.stage import Stage
from tests.chaos.workload import Record

_DELIVERY_MS = 600_000
_ABREAST = 20_000


class Feeder(threading.Thread):
    """Produces records in a thread; `allowed` tells how many alerts may have been said by now."""

    def __init__(self, stage: Stage, workload: Iterable[Record], allowed: Callable[[], float]) -> None:
        super().__init__(daemon=True)
        self.said = 0
        self.records = 0
        self.failed: list[str] = []
        self.ended = threading.Event()
        """Set it to end before the workload does."""
        self._stage = stage
        self._workload = workload
        self._allowed = allowed
        self._producer = Producer(
            {
                "bootstrap.servers": stage.run.bootstrap,
                "enable.idempotence": True,
                "linger.ms": 5,
                "delivery.timeout.ms": _DELIVERY_MS,
                "queue.buffering.max.messages": 2 * _ABREAST,
                "log_level": 0,
            }
        )

    def run(self) -> None:
        """Produce until the workload ends, or it is told to."""
        try:
            self._produce()
        except Exception as error:  # noqa: BLE001 - a thread's exception is seen by nobody
            self.failed.append(f"the producer itself failed: {error!r}")

    def _produce(self) -> None:
        with (self._stage.folder / "records.jsonl").open("w") as lines:
            for record in self._workload:
                if not self._await_turn():
                    break
                note(lines, record)
                self._send(record)
                self.said += len(record.alerts)
                self.records += 1
        left = self._producer.flush(_DELIVERY_MS / 1000)
        if left:
            self.failed.append(f"{left} records were not delivered")

    def _await_turn(self) -> bool:
        while self.said >= self._allowed() or len(self._producer) >= _ABREAST:
            if self.ended.is_set():
                return False
            self._producer.poll(0.02)
        return not self.ended.is_set()

    def _send(self, record: Record) -> None:
        stamp = int((time.time() + self._stage.skew) * 1000) if self._stage.create_time else 0
        self._producer.produce(
            self._stage.run.topics["alerts"],
            record.value,
            key=record.key,
            partition=record.partition,
            timestamp=stamp,
            headers=[(NUMBER, str(record.number).encode())],
            on_delivery=self._told,
        )
        self._producer.poll(0)

    def _told(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self.failed.append(f"partition {message.partition()}: {error}")
