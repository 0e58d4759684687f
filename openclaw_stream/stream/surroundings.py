"""What all partitions of a worker share."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer

from openclaw_stream.errors import FatalError
from openclaw_stream.incidents.identity import Grouping
from openclaw_stream.settings import Settings
from openclaw_stream.stream.desk import Desk
from openclaw_stream.stream.topics import TopicFacts
from openclaw_stream.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all partitions of a worker share.

    `share` returns the partition's part of the limit on undecided work, in bytes. `outputs_tried` is set once a trial
    transaction over all outputs has succeeded.
    """

    settings: Settings
    connection: dict[str, Any]
    facts: TopicFacts
    grouping: Grouping
    desk: Desk
    metrics: Metrics
    consumer: AIOKafkaConsumer
    on_fatal: Callable[[FatalError], None]
    share: Callable[[], int]
    outputs_tried: asyncio.Event
