"""What all partitions of a worker share."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer

from openclaw_stream.alerts.reader import AlertReader
from openclaw_stream.errors import FatalError
from openclaw_stream.settings import Settings
from openclaw_stream.stream.decision_queue import DecisionQueue
from openclaw_stream.stream.kafka.topics import TopicFacts
from openclaw_stream.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """What all partitions of a worker share.

    `pending_bytes_limit` returns one partition's part of the limit on undecided work, in bytes. `outputs_probed` is
    set once a transaction over all outputs has been probed. `on_fatal` stops the worker.
    """

    settings: Settings
    connection: dict[str, Any]
    facts: TopicFacts
    reader: AlertReader
    decision_queue: DecisionQueue
    metrics: Metrics
    consumer: AIOKafkaConsumer
    on_fatal: Callable[[FatalError], None]
    pending_bytes_limit: Callable[[], int]
    outputs_probed: asyncio.Event
