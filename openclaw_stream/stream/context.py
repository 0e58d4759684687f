"""What all partitions of a worker share."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer

from openclaw_stream.alerts.identity import Grouping
from openclaw_stream.errors import FatalError
from openclaw_stream.settings import Settings
from openclaw_stream.stream.decision_queue import DecisionQueue
from openclaw_stream.stream.kafka.topics import TopicFacts
from openclaw_stream.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """What all partitions of a worker share.

    `share` returns the partition's part of the limit on undecided work, in bytes. `outputs_tried` is set once a trial
    transaction over all outputs has succeeded.
    """

    settings: Settings
    connection: dict[str, Any]
    facts: TopicFacts
    grouping: Grouping
    decision_queue: DecisionQueue
    metrics: Metrics
    consumer: AIOKafkaConsumer
    on_fatal: Callable[[FatalError], None]
    share: Callable[[], int]
    outputs_tried: asyncio.Event
