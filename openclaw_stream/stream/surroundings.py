"""What all partitions of a worker share."""

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
    """What all partitions of a worker share; `share` is the partition's part of the limit on undecided work, bytes."""

    settings: Settings
    connection: dict[str, Any]
    facts: TopicFacts
    grouping: Grouping
    desk: Desk
    metrics: Metrics
    consumer: AIOKafkaConsumer
    on_fatal: Callable[[FatalError], None]
    share: Callable[[], int]
