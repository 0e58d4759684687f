"""Produces the alert records at their times."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError, RecordListTooLargeError

from openclaw_stream.demo.input_records import InputRecord
from openclaw_stream.errors import OpenClawError
from openclaw_stream.settings import Settings
from openclaw_stream.stream.kafka.connection import connection

_REQUEST_BYTES = 128 << 20
"""Above any limit of a broker, so that the broker's limit applies."""


async def produce(settings: Settings, records: Sequence[InputRecord]) -> None:
    """Send the records to the alerts topic, each at its time from now; return once the broker has acknowledged all.

    Raises:
        OpenClawError: a record is too large for the topic.
        KafkaError: the broker cannot be reached.
    """
    loop = asyncio.get_running_loop()
    async with AIOKafkaProducer(**connection(settings.kafka), max_request_size=_REQUEST_BYTES) as producer:
        start = loop.time()
        sent = []
        for record in records:
            await asyncio.sleep(max(start + record.at - loop.time(), 0))
            sent.append((record, await producer.send(settings.topics.alerts, record.value, key=record.key)))
        for record, delivery in sent:
            try:
                await delivery
            except (MessageSizeTooLargeError, RecordListTooLargeError) as error:
                raise OpenClawError(
                    f"a record of {len(record.value):,} bytes is too large for topic {settings.topics.alerts} "
                    "(max.message.bytes)"
                ) from error
