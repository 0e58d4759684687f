"""Publishes the plans of one partition's ledger, each in one transaction, also where brokers refuse some records."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import structlog
from aiokafka import TopicPartition

from openclaw_stream.errors import RetryableError
from openclaw_stream.stream.context import WorkerContext
from openclaw_stream.stream.kafka.transactional_producer import Message, RefusedError, TransactionalProducer
from openclaw_stream.stream.output_records import OutputRecords
from openclaw_stream.stream.state.ledger import Ledger
from openclaw_stream.stream.state.transaction_plan import TransactionPlan

log = structlog.get_logger(__name__)

_AMBIGUOUS_SECONDS = 120.0
"""How long a topic has to refuse records before an error counts that a faulty broker returns, too."""


@dataclass(slots=True)
class _Outgoing:
    """A message of the transaction; `isolated` where it was in a refused batch, and is sent in a small one now."""

    message: Message
    isolated: bool = False


class Publisher:
    """The transactional producer of one partition, and the handling of refused records."""

    def __init__(self, context: WorkerContext, source: TopicPartition) -> None:
        self.began_at: float | None = None
        """When the transaction in progress began, by the monotonic clock."""
        self._context = context
        self._source = source
        self._records = OutputRecords(context.settings, source.topic, source.partition)
        self._producer: TransactionalProducer | None = None
        self._ambiguous_since: dict[str, float] = {}
        self._log = log.bind(partition=source.partition)

    @property
    def step(self) -> str:
        """The current step of the transaction in progress; empty for none."""
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

    async def probe_outputs(self, topics: Collection[str]) -> None:
        """Abort a transaction over all partitions of the topics: it ends open transactions, and needs every right.

        Raises:
            RetryableError: a topic is missing, or a coordinator did not answer.
            DeniedError: the user lacks a right.
        """
        producer = self._require_producer()
        outputs = [partition for topic in topics for partition in await producer.partitions_of(topic)]
        self.began_at = time.monotonic()
        try:
            await producer.abort_open(outputs, self._source, self._context.settings.kafka.group_id)
        finally:
            self.began_at = None

    async def commit(self, plan: TransactionPlan, ledger: Ledger) -> None:
        """Publish a plan with its offset, all or nothing.

        A record that a broker refuses is sent again compressed and in a small batch, then replaced by a dead letter; a
        dead letter that is refused as well is dropped. The same transaction is never sent again unchanged, except where
        a group state is refused: nothing can replace it, so the partition waits until its topic accepts it.

        Raises:
            RetryableError: it failed, or its outcome is unknown.
        """
        self.began_at = time.monotonic()
        try:
            await self._commit(plan, self._records.messages(plan, ledger), ledger)
        finally:
            self.began_at = None

    async def abandon(self) -> None:
        """Discard the producer."""
        producer, self._producer = self._producer, None
        if producer:
            await producer.abandon()

    async def _commit(self, plan: TransactionPlan, messages: list[Message], ledger: Ledger) -> None:
        compression: str | None = None
        outgoing = [_Outgoing(message) for message in messages]
        while True:
            messages = [each.message for each in outgoing]
            isolated = [index for index, each in enumerate(outgoing) if each.isolated]
            try:
                await self._require_producer().commit(
                    messages, self._source, plan.offset, plan.metadata, self._context.settings.kafka.group_id, isolated
                )
            except RefusedError as error:
                refused = [outgoing[index] for index in error.indexes]
                self._require_certain(error, refused[0].message.topic)
                if len(refused) > 1:
                    for each in refused:
                        each.isolated = True
                elif compression:
                    outgoing = self._replace(outgoing, refused[0].message, error, ledger)
                compression = "gzip"
                await self.start(compression=compression)
            else:
                for message in messages:
                    self._ambiguous_since.pop(message.topic, None)
                return

    def _require_certain(self, error: RefusedError, topic: str) -> None:
        """Raise an ambiguous error for some time: the broker may recover, and then the record was not the cause."""
        if not error.certain:
            now = time.monotonic()
            if now - self._ambiguous_since.setdefault(topic, now) < _AMBIGUOUS_SECONDS:
                raise error

    def _replace(
        self, outgoing: Sequence["_Outgoing"], refused: Message, error: RefusedError, ledger: Ledger
    ) -> list["_Outgoing"]:
        """Replace a refused message, and those of its topic that would be refused for the same reason.

        Raises:
            RetryableError: it is a group state, without which the group's alerts would be decided again.
        """
        kept: list[_Outgoing] = []
        replaced: list[int] = []
        dropped: list[int] = []
        for each in outgoing:
            if not error.applies_to(refused, each.message):
                kept.append(each)
                continue
            substitute = self._records.substitute(each.message, str(error), ledger)
            (replaced if substitute else dropped).append(each.message.about)
            kept += [_Outgoing(substitute, each.isolated)] if substitute else []
        self._report(refused.topic, error, "replaced", replaced)
        self._report(refused.topic, error, "dropped", dropped)
        return kept

    def _report(self, topic: str, error: RefusedError, action: str, offsets: Sequence[int]) -> None:
        if offsets:
            self._context.metrics.refused_records.labels(topic, action).inc(len(offsets))
            span = f"{min(offsets)} to {max(offsets)}"
            self._log.error(
                f"records were refused and {action}",
                topic=topic,
                count=len(offsets),
                offsets=span,
                reason=str(error),
            )

    def _require_producer(self) -> TransactionalProducer:
        if self._producer is None:
            raise RetryableError("the producer is not started")
        return self._producer
