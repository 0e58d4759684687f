"""The producer upstream: sends records when their time comes."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError, RecordListTooLargeError

from openclaw_stream.demo.records import Record
from openclaw_stream.errors import OpenClawError
from openclaw_stream.settings import Settings
from openclaw_stream.stream.kafka.connection import connection

_REQUEST_BYTES = 128 << 20
"""The broker's limit decides, not the client's."""


async def play(settings: Settings, records: Sequence[Record]) -> None:
    """Send the records to the alerts topic, each at its time from now; returns once the broker has all of them.

    Raises:
        OpenClawError: one is larger than the topic takes.
        KafkaError: the broker is gone.
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
                    f"a record of {len(record.value):,} bytes is larger than the topic {settings.topics.alerts} takes "
                    "(its max.message.bytes)"
                ) from error
