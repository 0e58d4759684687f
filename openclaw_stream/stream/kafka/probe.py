"""Probes whether the worker could write and read its topics: a transaction that is aborted, and fetches.

The transaction has a transactional id of its own, `GROUP-check`: initialising the id of a partition would fence the
worker that serves it. No record is sent and no offset committed with this id.
"""

import asyncio
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from openclaw_stream.errors import DeniedError, RetryableError
from openclaw_stream.resilience.deadline import within
from openclaw_stream.settings import KafkaSettings, Settings
from openclaw_stream.stream.kafka.connection import admin_client, connection, stop_client
from openclaw_stream.stream.kafka.fetch_errors import fetch_errors
from openclaw_stream.stream.kafka.topic_rules import PartitionReplicas
from openclaw_stream.stream.kafka.topics import list_topics
from openclaw_stream.stream.kafka.transactional_producer import FencedError, TransactionalProducer

_ATTEMPTS, _PAUSE = 4, 0.5
"""Concurrent checks fence each other: they have the same transactional id."""


async def probe_outputs(settings: Settings, seconds: float) -> Sequence[str]:
    """Abort a transaction over all output partitions and an offset of the group; return the output topics.

    Args:
        settings: The brokers, topics and group.
        seconds: Timeout.

    Raises:
        DeniedError: The user lacks a right on an output, the transactional id or the group; all outputs are named.
        RetryableError: An output is missing, or the transaction failed.
    """
    topics = settings.topics
    outputs = (topics.incidents, topics.decisions, topics.tuning, topics.dead_letter)
    found, denied = await _list(settings.kafka, outputs)
    partitions = [TopicPartition(topic, each.partition) for topic, replicas in found.items() for each in replicas]
    for attempt in range(_ATTEMPTS):
        try:
            await _run_transaction(settings, partitions, denied, seconds)
        except FencedError:
            if attempt == _ATTEMPTS - 1:
                raise
            await asyncio.sleep(_PAUSE * (1 + random.random()))  # noqa: S311 - spreads concurrent checks
        else:
            break
    return outputs


async def probe_reads(settings: Settings, seconds: float) -> Sequence[str]:
    """Fetch from the topics that the worker reads; return these topics.

    Args:
        settings: The brokers and topics.
        seconds: Timeout.

    Raises:
        DeniedError: The user may not read a topic; the message names all of them.
        RetryableError: A topic is missing, or no partition of it can be read.
    """
    inputs = (settings.topics.alerts, settings.topics.incidents)
    found, denied = await _list(settings.kafka, inputs)
    reads = [_probe_read(settings.kafka, topic, replicas, seconds) for topic, replicas in found.items()]
    results = await asyncio.gather(*reads, return_exceptions=True)
    refused = [topic for topic, result in zip(found, results, strict=True) if isinstance(result, DeniedError)]
    if denied or refused:
        raise DeniedError("Read", f"topic {', '.join(sorted([*denied, *refused]))}")
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return inputs


async def _list(
    kafka: KafkaSettings, names: Collection[str]
) -> tuple[Mapping[str, Sequence[PartitionReplicas]], Sequence[str]]:
    """Return the topics that exist, and those that the user may not describe.

    Raises:
        RetryableError: One is missing.
    """
    async with admin_client(kafka) as admin:
        listing = await list_topics(admin, names)
    missing = sorted(set(names) - set(listing.replicas) - set(listing.denied))
    if missing:
        raise RetryableError(f"missing: topic {', '.join(missing)}")
    return listing.replicas, listing.denied


async def _run_transaction(
    settings: Settings, partitions: Sequence[TopicPartition], denied: Collection[str], seconds: float
) -> None:
    """Run one transaction over the partitions; `denied` are topics without Write, named with the others."""
    kafka = settings.kafka
    own_id = f"{kafka.group_id}-check"
    probe = _ProbeTransaction(TransactionalProducer(connection(kafka), own_id, kafka.transaction_timeout))
    try:
        await within(seconds, probe.run(partitions, TopicPartition(settings.topics.alerts, 0), kafka.group_id))
    except DeniedError as error:
        raise _complete(error, denied, kafka.group_id) from error
    except TimeoutError as error:
        raise RetryableError(
            f"the probe transaction of {own_id!r} did not end within {seconds:g} s; it {probe.step}"
        ) from error
    finally:
        await probe.producer.abandon()
    if denied:
        raise DeniedError("Write", f"topic {', '.join(sorted(denied))}")


@dataclass(slots=True)
class _ProbeTransaction:
    """One probe transaction; `step` is that of the transaction, or of the start and end around it."""

    producer: TransactionalProducer
    _own_step: str = ""

    @property
    def step(self) -> str:
        return self.producer.step or self._own_step

    async def run(self, outputs: Sequence[TopicPartition], source: TopicPartition, group_id: str) -> None:
        self._own_step = "waits for the transaction coordinator to initialise the transactional id"
        await self.producer.start()
        await self.producer.abort_open(outputs, source, group_id)
        # An abort is answered before its markers are written; only after that the id can be initialised again.
        self._own_step = "waits for the abort to be written to all partitions (one has no leader or too few replicas?)"
        await self.producer.abandon()
        await self.producer.start()


def _complete(error: DeniedError, denied: Collection[str], group_id: str) -> DeniedError:
    """Return an error that names every output without Write, or the prefix of the transactional ids."""
    kind, _, names = error.resource.partition(" ")
    if kind == "topic" and error.operation == "Write":
        return DeniedError("Write", f"topic {', '.join(sorted({*names.split(', '), *denied}))}")
    if kind == "transactional":
        error = DeniedError("Write", f"transactional ids with the prefix {group_id}")
    others = f"; and Write on topic {', '.join(sorted(denied))}" if denied else ""
    return DeniedError(error.operation, f"{error.resource}{others}")


async def _probe_read(kafka: KafkaSettings, topic: str, replicas: Sequence[PartitionReplicas], seconds: float) -> None:
    """Fetch from the ends of all partitions until one is answered: others may have no leader for a while."""
    consumer = AIOKafkaConsumer(
        **connection(kafka),
        enable_auto_commit=False,
        auto_offset_reset="latest",
        isolation_level="read_committed",
        fetch_max_wait_ms=100,
    )
    try:
        partitions = [TopicPartition(topic, each.partition) for each in replicas]
        with fetch_errors(f"records of topic {topic}", topic=topic):
            await within(seconds, _fetch(consumer, partitions))
    finally:
        await stop_client(consumer)


async def _fetch(consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> None:
    await consumer.start()
    consumer.assign(partitions)
    while all(consumer.highwater(partition) is None for partition in partitions):
        await consumer.getmany(timeout_ms=100)
