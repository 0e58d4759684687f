"""Publishes the plans of one partition's ledger, each in one transaction, whatever the brokers refuse of it."""

import time
from collections.abc import Collection

import structlog
from aiokafka import TopicPartition

from openclaw_stream.errors import RetryableError
from openclaw_stream.stream.ledger import Ledger
from openclaw_stream.stream.outbox import Outbox
from openclaw_stream.stream.producer import Message, RefusedError, TransactionalProducer
from openclaw_stream.stream.surroundings import Surroundings
from openclaw_stream.stream.work import Plan

log = structlog.get_logger(__name__)

_SUSPECT_ATTEMPTS = 3
"""Failures after which an error is believed that a broken broker may give, too."""


class Publisher:
    """The transactional producer of one partition, and what it does about refused records."""

    def __init__(self, context: Surroundings, source: TopicPartition) -> None:
        self.began_at: float | None = None
        """When the transaction in progress began, by the monotonic clock."""
        self._context = context
        self._source = source
        self._records = Outbox(context.settings, source.topic, source.partition)
        self._producer: TransactionalProducer | None = None
        self._suspect_attempts = 0
        self._log = log.bind(partition=source.partition)

    @property
    def step(self) -> str:
        """What the transaction in progress waits for."""
        return self._producer.step if self._producer else ""

    async def start(self, *, compression: str | None = None) -> TransactionalProducer:
        """Start a producer, which fences the previous owner of the partition.

        Raises:
            RetryableError: the transaction coordinator did not answer.
            DeniedError: the user lacks a right.
        """
        await self.abandon()
        kafka, source = self._context.settings.kafka, self._source
        transactional_id = f"{kafka.group_id}-{source.topic}-{source.partition}"
        producer = TransactionalProducer(self._context.connection, transactional_id, kafka.transaction_timeout)
        self._producer = producer
        await producer.start(compression=compression)
        return producer

    async def try_outputs(self, topics: Collection[str]) -> None:
        """Abort a transaction over all partitions of the topics: it ends what is left open, and needs every right.

        Raises:
            RetryableError: a topic is missing, or a coordinator did not answer.
            DeniedError: the user lacks a right.
        """
        producer = self._require_producer()
        outputs = [partition for topic in topics for partition in await producer.partitions_of(topic)]
        self.began_at = time.monotonic()
        try:
            await producer.clear(outputs, self._source, self._context.settings.kafka.group_id)
        finally:
            self.began_at = None

    async def commit(self, plan: Plan, ledger: Ledger) -> None:
        """Publish a plan with its offset, all or nothing.

        A record that a broker refuses for good is sent compressed and alone, then replaced by a dead letter; a dead
        letter that is refused as well is dropped. The same transaction is never tried again unchanged.

        Raises:
            RetryableError: it failed, or its outcome is unknown.
        """
        self.began_at = time.monotonic()
        try:
            await self._commit(plan, self._records.messages(plan, ledger), ledger)
            self._suspect_attempts = 0
        finally:
            self.began_at = None

    async def abandon(self) -> None:
        """Throw the producer away."""
        producer, self._producer = self._producer, None
        if producer:
            await producer.abandon()

    async def _commit(self, plan: Plan, messages: list[Message], ledger: Ledger) -> None:
        compression: str | None = None
        apart: tuple[int, ...] = ()
        while True:
            try:
                await self._require_producer().commit(
                    messages, self._source, plan.offset, plan.metadata, self._context.settings.kafka.group_id, apart
                )
            except RefusedError as error:
                self._require_certain(error)
                if len(error.indexes) > 1:
                    apart = error.indexes
                elif compression:
                    messages, apart = self._replace(messages, error, ledger), ()
                compression = "gzip"
                await self.start(compression=compression)
            else:
                return

    def _require_certain(self, error: RefusedError) -> None:
        if not error.certain:
            self._suspect_attempts += 1
            if self._suspect_attempts < _SUSPECT_ATTEMPTS:
                raise error

    def _replace(self, messages: list[Message], error: RefusedError, ledger: Ledger) -> list[Message]:
        [index] = error.indexes
        refused = messages[index]
        substitute = self._records.substitute(refused, str(error), ledger)
        action = "replaced" if substitute else "dropped"
        self._context.metrics.refused_records.labels(refused.topic, action).inc()
        self._log.error(
            f"a record was refused and {action}", topic=refused.topic, about_offset=refused.about, reason=str(error)
        )
        return [*messages[:index], *([substitute] if substitute else []), *messages[index + 1 :]]

    def _require_producer(self) -> TransactionalProducer:
        if self._producer is None:
            raise RetryableError("the producer is not started")
        return self._producer
