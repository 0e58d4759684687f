"""Tries what the worker does with its topics, without a trace: a transaction that is aborted, and reads.

The transaction runs under a transactional id of its own, `GROUP-check`: initialising a partition's id would fence the
worker that serves it. Nothing is sent or committed under this id.
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
"""Several checks at a time fence each other: they have the same transactional id."""


async def probe_outputs(settings: Settings, seconds: float) -> Sequence[str]:
    """Abort a transaction over all partitions of the outputs, with an offset of the group; returns the outputs.

    Args:
        settings: Which brokers, topics and group.
        seconds: How long it may take.

    Raises:
        DeniedError: The user lacks a right on an output, the transactional id or the group; all outputs are named.
        RetryableError: An output is missing, or the transaction did not get through.
    """
    topics = settings.topics
    outputs = (topics.incidents, topics.decisions, topics.tuning, topics.dead_letter)
    found, hidden = await _list(settings.kafka, outputs)
    partitions = [TopicPartition(topic, each.partition) for topic, replicas in found.items() for each in replicas]
    for attempt in range(_ATTEMPTS):
        try:
            await _try_transaction(settings, partitions, hidden, seconds)
        except FencedError:
            if attempt == _ATTEMPTS - 1:
                raise
            await asyncio.sleep(_PAUSE * (1 + random.random()))  # noqa: S311 - spreads checks that run side by side
        else:
            break
    return outputs


async def probe_reads(settings: Settings, seconds: float) -> Sequence[str]:
    """Fetch from the topics that the worker reads; returns them.

    Args:
        settings: Which brokers and topics.
        seconds: How long it may take.

    Raises:
        DeniedError: The user may not read a topic; all of them are named.
        RetryableError: A topic is missing, or no partition of it can be read.
    """
    inputs = (settings.topics.alerts, settings.topics.incidents)
    found, hidden = await _list(settings.kafka, inputs)
    reads = [_try_read(settings.kafka, topic, replicas, seconds) for topic, replicas in found.items()]
    results = await asyncio.gather(*reads, return_exceptions=True)
    refused = [topic for topic, result in zip(found, results, strict=True) if isinstance(result, DeniedError)]
    if hidden or refused:
        raise DeniedError("Read", f"topic {', '.join(sorted([*hidden, *refused]))}")
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return inputs


async def _list(
    kafka: KafkaSettings, names: Collection[str]
) -> tuple[Mapping[str, Sequence[PartitionReplicas]], Sequence[str]]:
    """Return the topics that exist, and those the user may not see.

    Raises:
        RetryableError: One is missing.
    """
    async with admin_client(kafka) as admin:
        listing = await list_topics(admin, names)
    missing = sorted(set(names) - set(listing.replicas) - set(listing.denied))
    if missing:
        raise RetryableError(f"missing: topic {', '.join(missing)}")
    return listing.replicas, listing.denied


async def _try_transaction(
    settings: Settings, partitions: Sequence[TopicPartition], hidden: Collection[str], seconds: float
) -> None:
    """Run one transaction over the partitions; `hidden` are topics that lack Write, to be named with the others."""
    kafka = settings.kafka
    own_id = f"{kafka.group_id}-check"
    trial = _ProbeTransaction(TransactionalProducer(connection(kafka), own_id, kafka.transaction_timeout))
    try:
        await within(seconds, trial.run(partitions, TopicPartition(settings.topics.alerts, 0), kafka.group_id))
    except DeniedError as error:
        raise _named(error, hidden, kafka.group_id) from error
    except TimeoutError as error:
        raise RetryableError(
            f"the trial transaction of {own_id!r} was not done in {seconds:g} s: it {trial.step}"
        ) from error
    finally:
        await trial.producer.abandon()
    if hidden:
        raise DeniedError("Write", f"topic {', '.join(sorted(hidden))}")


@dataclass(slots=True)
class _ProbeTransaction:
    """One trial transaction, and what it waits for besides the steps of the transaction itself."""

    producer: TransactionalProducer
    _waits: str = ""

    @property
    def step(self) -> str:
        return self.producer.step or self._waits

    async def run(self, outputs: Sequence[TopicPartition], source: TopicPartition, group_id: str) -> None:
        self._waits = "waits for the transaction coordinator to initialise the transactional id"
        await self.producer.start()
        await self.producer.clear(outputs, source, group_id)
        # An abort is answered before it is written to the partitions; the id can be initialised again only after that.
        self._waits = "waits for the abort to be written to all partitions (one has no leader or too few replicas?)"
        await self.producer.abandon()
        await self.producer.start()


def _named(error: DeniedError, hidden: Collection[str], group_id: str) -> DeniedError:
    """Return an error that names every output that may not be written, or the prefix of the transactional ids."""
    kind, _, names = error.resource.partition(" ")
    if kind == "topic" and error.operation == "Write":
        return DeniedError("Write", f"topic {', '.join(sorted({*names.split(', '), *hidden}))}")
    if kind == "transactional":
        error = DeniedError("Write", f"transactional ids with the prefix {group_id}")
    others = f"; and Write on topic {', '.join(sorted(hidden))}" if hidden else ""
    return DeniedError(error.operation, f"{error.resource}{others}")


async def _try_read(kafka: KafkaSettings, topic: str, replicas: Sequence[PartitionReplicas], seconds: float) -> None:
    """Fetch from the ends of all partitions until one answers: those without a leader may heal."""
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
