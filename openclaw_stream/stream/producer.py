"""The transactional producer of one input partition.

Its transactional id names the partition, so that starting it fences whoever owned the partition before: the client
cannot fence by group generation. aiokafka commits even where a send has failed, never returns while a broker is away,
and cannot abort after a cancelled commit; so every send is awaited first, everything has a deadline, and after any
failure the producer is thrown away.
"""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    InvalidProducerEpoch,
    KafkaError,
    MessageSizeTooLargeError,
    ProducerFenced,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
from aiokafka.structs import OffsetAndMetadata

from openclaw_stream.errors import FatalError, RetryableError
from openclaw_stream.stream.client import stop, within

log = structlog.get_logger(__name__)

_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
_FORBIDDEN = (TopicAuthorizationFailedError, GroupAuthorizationFailedError, TransactionalIdAuthorizationFailed)
_BATCH_BYTES = 512 * 1024
_REQUEST_BYTES = 128 * 1024 * 1024
"""The broker's limit decides, not the client's."""


class Message(NamedTuple):
    """One record to send; `partition` None lets the key decide, `about` is the last input offset it covers."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()
    partition: int | None = None
    about: int = 0


class FencedError(RetryableError):
    """Another worker has taken the partition over."""


class RefusedError(RetryableError):
    """The broker will never take one of the messages; the transaction was not committed."""

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(reason)
        self.index = index
        """Which of the messages it was."""


class TransactionalProducer:
    """Sends messages and one partition's offset in one transaction; of no use after its first error."""

    def __init__(self, connection: dict[str, Any], transactional_id: str, timeout: float) -> None:
        """Prepare a producer; `timeout` in seconds bounds a start, and a transaction."""
        self._connection = connection
        self._id = transactional_id
        self._timeout = timeout
        self._producer: AIOKafkaProducer | None = None

    async def start(self, *, compression: str | None = None) -> None:
        """Fence the owner before and settle the transaction it left open.

        Raises:
            RetryableError: the coordinator did not answer within the timeout.
            FatalError: the ACLs forbid this transactional id.
        """
        producer = AIOKafkaProducer(
            **self._connection,
            transactional_id=self._id,
            transaction_timeout_ms=int(self._timeout * 1000),
            request_timeout_ms=int(self._timeout * 1000),
            retry_backoff_ms=20,
            acks="all",
            compression_type=compression,
            max_batch_size=_BATCH_BYTES,
            max_request_size=_REQUEST_BYTES,
        )
        self._producer = producer
        try:
            await within(self._timeout, producer.start())
        except _FORBIDDEN as error:
            await self.abandon()
            raise FatalError(f"not allowed to use the transactional id {self._id!r}: {error}; grant Write") from error
        except (KafkaError, TimeoutError, OSError) as error:
            await self.abandon()
            raise RetryableError(f"the transactional producer {self._id!r} did not start: {error!r}") from error

    async def commit(
        self, messages: Sequence[Message], source: TopicPartition, offset: int, metadata: str, group_id: str
    ) -> None:
        """Send all messages and commit the offset with them, all or nothing.

        Raises:
            RefusedError: one message can never be sent as it is.
            FencedError: the partition belongs to another worker now.
            RetryableError: it failed, or nobody knows: read the committed offset again.
            FatalError: the ACLs forbid it.
        """
        try:
            await within(self._timeout, self._commit(messages, source, offset, metadata, group_id))
        except (ProducerFenced, InvalidProducerEpoch) as error:
            raise FencedError(f"the transactional id {self._id!r} belongs to another worker now") from error
        except _FORBIDDEN as error:
            raise FatalError(f"not allowed to publish: {error!r}; see the ACLs in the README") from error
        except (KafkaError, TimeoutError, OSError, AssertionError) as error:
            # AssertionError: how aiokafka's state machine says that the transaction is beyond repair.
            raise RetryableError(f"a transaction of {self._id!r} failed: {error!r}") from error

    async def _commit(
        self, messages: Sequence[Message], source: TopicPartition, offset: int, metadata: str, group_id: str
    ) -> None:
        producer = self._producer
        assert producer is not None  # noqa: S101 - started by whoever holds it
        await producer.begin_transaction()
        sent = [await self._send(producer, index, message) for index, message in enumerate(messages)]
        results = await asyncio.gather(*sent, return_exceptions=True)
        for index, result in enumerate(results):
            if isinstance(result, _TOO_LARGE):
                raise RefusedError(index, f"too large for {messages[index].topic}: {result!r}")
            if isinstance(result, BaseException):
                raise result
        await producer.send_offsets_to_transaction({source: OffsetAndMetadata(offset, metadata)}, group_id)
        await producer.commit_transaction()

    async def _send(self, producer: AIOKafkaProducer, index: int, message: Message) -> "asyncio.Future[Any]":
        try:
            future: asyncio.Future[Any] = await producer.send(
                message.topic,
                key=message.key,
                value=message.value,
                headers=list(message.headers),
                partition=message.partition,
            )
        except _TOO_LARGE as error:
            raise RefusedError(index, f"too large for {message.topic}: {error!r}") from error
        return future

    async def clear(self, outputs: Collection[TopicPartition], source: TopicPartition, group_id: str) -> None:
        """Abort what an earlier transaction of this id has left open in these partitions, and in the group's offsets.

        A broker that is killed may forget to (seen with Apache Kafka 4.4): then its records and offset would become
        visible with the next commit.

        Raises:
            RetryableError: it failed.
        """
        try:
            await within(self._timeout, self._clear(outputs, source, group_id))
        except (KafkaError, TimeoutError, OSError, AssertionError) as error:
            raise RetryableError(f"what {self._id!r} has left open cannot be aborted: {error!r}") from error

    async def _clear(self, outputs: Collection[TopicPartition], source: TopicPartition, group_id: str) -> None:
        producer = self._producer
        assert producer is not None  # noqa: S101 - started by whoever holds it
        await producer.begin_transaction()
        for output in outputs:
            # Without a record: the marker of an abort goes wherever a transaction has been.
            producer._txn_manager.maybe_add_partition_to_txn(output)  # noqa: SLF001
        await producer.send_offsets_to_transaction({source: OffsetAndMetadata(0, "")}, group_id)
        await producer.abort_transaction()

    async def partitions_of(self, topic: str) -> list[TopicPartition]:
        """Return all partitions of a topic."""
        assert self._producer is not None  # noqa: S101 - started by whoever holds it
        return [TopicPartition(topic, number) for number in await self._producer.partitions_for(topic)]

    async def abandon(self) -> None:
        """Throw the producer away, without waiting for what it still wants to do."""
        producer, self._producer = self._producer, None
        if producer:
            await stop(producer)
