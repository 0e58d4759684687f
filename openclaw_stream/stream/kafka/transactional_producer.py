"""The transactional producer of one input partition.

Its transactional id contains the partition, so that starting it fences the previous owner of the partition: aiokafka
cannot fence by group generation. A transaction has these steps, one after another:

    begin → assign a partition to every record → add all partitions to the transaction → send the records
    → commit the offset → end the transaction

aiokafka commits even where a send has failed, does not return while a broker is down, and cannot abort after a
cancelled commit or a refused AddPartitionsToTxn (it drops the partitions). So every send is awaited, every step has a
deadline, and after any failure the producer is discarded; the next one to start aborts its open transaction.
"""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    IllegalOperation,
    InvalidProducerEpoch,
    InvalidTransactionTimeout,
    KafkaError,
    MessageSizeTooLargeError,
    ProducerFenced,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.protocol.transaction import EndTxnRequest
from aiokafka.structs import OffsetAndMetadata

from openclaw_stream.errors import DeniedError, FatalError, RetryableError
from openclaw_stream.resilience.deadline import within
from openclaw_stream.stream.kafka.connection import stop_client
from openclaw_stream.stream.kafka.permissions import AUTHORIZATION_ERRORS, denied_error
from openclaw_stream.stream.kafka.produce_errors import (
    AMBIGUOUS_ERRORS,
    InvalidRecordError,
    describe_refusal,
    is_record_error,
)
from openclaw_stream.stream.kafka.transaction_partitions import TransactionPartitions

log = structlog.get_logger(__name__)

_FAILURES = (KafkaError, TimeoutError, OSError, AssertionError, IllegalOperation)
"""AssertionError and IllegalOperation (which is no KafkaError) are raised by aiokafka's transaction manager for a
transaction in an invalid state."""
_BATCH_BYTES = 512 * 1024
_REQUEST_BYTES = 128 * 1024 * 1024
"""Above any limit of a broker, so that the broker's limit applies."""
_by_key = DefaultPartitioner()
_ISOLATED_BATCHES = 64
"""Number of batches that the records of a refused batch are split into, to find the refused one."""


class Message(NamedTuple):
    """One record to send; without `partition` it is chosen by key, `about` is the last input offset it covers."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()
    partition: int | None = None
    about: int = 0


class FencedError(RetryableError):
    """Another worker has taken over the partition."""


class RefusedError(RetryableError):
    """The broker will never accept one of the messages at `indexes`, which were in one batch; nothing was committed.

    `certain` is False for errors that a faulty broker returns too.
    """

    def __init__(self, indexes: Sequence[int], topic: str, error: BaseException) -> None:
        super().__init__(describe_refusal(topic, error))
        self.indexes = tuple(indexes)
        self.certain = not isinstance(error, AMBIGUOUS_ERRORS)
        self._error = error

    def applies_to(self, refused: Message, other: Message) -> bool:
        """Whether `other` would be refused like `refused`: the same topic, and as large or also without a key."""
        if other is refused:
            return True
        if other.topic != refused.topic:
            return False
        if isinstance(self._error, MessageSizeTooLargeError):
            return len(other.value or b"") >= len(refused.value or b"")
        return isinstance(self._error, InvalidRecordError) and other.key is None and refused.key is None


class TransactionalProducer:
    """Sends messages and one partition's offset in one transaction; must be started again after any error."""

    def __init__(self, connection: dict[str, Any], transactional_id: str, timeout: float) -> None:
        """Prepare a producer; `timeout` in seconds bounds a start, and a transaction."""
        self._connection = connection
        self._id = transactional_id
        self._timeout = timeout
        self._producer: AIOKafkaProducer | None = None
        self._partitions: TransactionPartitions | None = None
        self._step = ""
        self._compression: str | None = None
        self._end_unconfirmed = False

    @property
    def step(self) -> str:
        """The step of the transaction in progress, as `waits for …`; empty between transactions."""
        pending = self._partitions.pending if self._partitions and self._step else []
        return f"{self._step}: {', '.join(pending)}" if pending else self._step

    async def start(self, *, compression: str | None = None) -> None:
        """Fence the previous owner, or the producer from an earlier start, and end the transaction it left open.

        Raises:
            RetryableError: the coordinator did not answer within the timeout.
            DeniedError: the user may not write with this transactional id.
            FatalError: the brokers allow no transaction of this timeout.
        """
        await self.abandon()
        producer = AIOKafkaProducer(
            **self._connection,
            transactional_id=self._id,
            transaction_timeout_ms=int(self._timeout * 1000),
            retry_backoff_ms=20,
            acks="all",
            compression_type=compression,
            max_batch_size=_BATCH_BYTES,
            max_request_size=_REQUEST_BYTES,
        )
        self._producer, self._compression, self._end_unconfirmed = producer, compression, False
        self._note_unconfirmed_ends(producer)
        self._step = "waits for the transaction coordinator to initialise the producer"
        try:
            await within(self._timeout, producer.start())
        except AUTHORIZATION_ERRORS as error:
            await self.abandon()
            raise denied_error(error, "Write", f"transactional id {self._id}") from error
        except InvalidTransactionTimeout as error:
            await self.abandon()
            raise FatalError(
                f"KAFKA_TRANSACTION_TIMEOUT={self._timeout:g} is above transaction.max.timeout.ms of the brokers"
            ) from error
        except _FAILURES as error:
            await self.abandon()
            raise RetryableError(
                f"the transactional producer {self._id!r} did not start (no answer from its transaction coordinator?): "
                f"{error!r}"
            ) from error
        finally:
            self._step = ""
        self._partitions = TransactionPartitions(producer)

    async def commit(
        self,
        messages: Sequence[Message],
        source: TopicPartition,
        offset: int,
        metadata: str,
        group_id: str,
        isolated: Collection[int] = (),
    ) -> None:
        """Send all messages and commit the offset with them, all or nothing.

        Args:
            messages: What to send.
            source: The input partition whose offset is committed.
            offset: The offset to commit, with `metadata`.
            metadata: See `commit_metadata`.
            group_id: The consumer group.
            isolated: Indexes of messages to send in many small batches, so that a refusal affects few of them.

        Raises:
            RefusedError: the broker will never accept one of the messages.
            FencedError: the partition belongs to another worker now.
            DeniedError: the user lacks a right; nothing was sent of a topic that may not be written.
            RetryableError: it failed, or its outcome is unknown: read the committed offset again.
        """
        await self._run(
            self._commit(messages, {source: OffsetAndMetadata(offset, metadata)}, group_id, frozenset(isolated)),
            "failed",
            source,
            group_id,
        )

    async def abort_open(self, outputs: Collection[TopicPartition], source: TopicPartition, group_id: str) -> None:
        """Abort an open transaction of this id in these partitions, and in the group's offsets.

        A broker that is killed may fail to abort it (seen with Apache Kafka 4.4): then its records and offset would
        become visible with the next commit. An empty transaction that is aborted does so: its abort marker is written
        to every partition that was added. It needs the same rights as a commit, so it also serves as a probe.

        Raises:
            DeniedError: the user lacks a right.
            RetryableError: it failed.
        """
        await self._run(self._abort_open(outputs, source, group_id), "could not be aborted", source, group_id)

    async def partitions_of(self, topic: str) -> list[TopicPartition]:
        """Return all partitions of a topic.

        Raises:
            DeniedError: the user may not describe the topic.
            RetryableError: it is missing, or no broker answers.
        """
        producer = self._require_producer()
        try:
            numbers = await within(self._timeout, producer.partitions_for(topic))
        except AUTHORIZATION_ERRORS as error:
            # Write implies Describe, and the worker needs it.
            raise denied_error(error, "Write", f"topic {topic}") from error
        except _FAILURES as error:
            raise _metadata_error(topic, error) from error
        return [TopicPartition(topic, number) for number in numbers]

    async def abandon(self) -> None:
        """Discard the producer, without waiting for its pending requests."""
        producer, self._producer = self._producer, None
        if producer:
            await stop_client(producer)
        if self._partitions:
            self._partitions.close()
            self._partitions = None

    # ---- one transaction

    async def _run(self, transaction: Any, failure: str, source: TopicPartition, group_id: str) -> None:
        self._step = "begins"
        try:
            await within(self._timeout, transaction)
        except (ProducerFenced, InvalidProducerEpoch) as error:
            raise FencedError(f"the transactional id {self._id!r} belongs to another worker now") from error
        except _FAILURES as error:
            denial = _authorization_error(error)
            if denial:
                raise self._denied(denial, source, group_id) from error
            raise RetryableError(f"a transaction of {self._id!r} {failure} while it {self.step}: {error!r}") from error
        finally:
            self._step = ""
        if self._end_unconfirmed:
            # Under a higher epoch a late copy of this end cannot end the next transaction early.
            await self.start(compression=self._compression)

    def _denied(self, error: BaseException, source: TopicPartition, group_id: str) -> DeniedError:
        if isinstance(error, GroupAuthorizationFailedError):
            return denied_error(error, "Read", f"group {group_id}")
        if isinstance(error, TopicAuthorizationFailedError) and not error.args:
            # Only a refused offset commit names no topic: it needs Read on the topic of the offset.
            return denied_error(error, "Read", f"topic {source.topic}")
        return denied_error(error, "Write", f"transactional id {self._id}")

    async def _commit(
        self,
        messages: Sequence[Message],
        offsets: dict[TopicPartition, OffsetAndMetadata],
        group_id: str,
        isolated: frozenset[int],
    ) -> None:
        producer = self._require_producer()
        await producer.begin_transaction()
        targets = await self._targets(producer, messages)
        await self._add_partitions(set(targets))
        await self._send_all(producer, messages, targets, isolated)
        await self._end(producer, offsets, group_id)

    async def _abort_open(self, outputs: Collection[TopicPartition], source: TopicPartition, group_id: str) -> None:
        producer = self._require_producer()
        await producer.begin_transaction()
        await self._add_partitions(outputs)
        self._step = f"waits for the commit of the offset of group {group_id}"
        await producer.send_offsets_to_transaction({source: OffsetAndMetadata(0, "")}, group_id)
        self._step = "waits for the transaction coordinator to abort it"
        await producer.abort_transaction()

    async def _add_partitions(self, partitions: Collection[TopicPartition]) -> None:
        assert self._partitions is not None  # noqa: S101 - set by start
        self._step = "waits for the transaction coordinator to add its partitions"
        await self._partitions.add(partitions)

    async def _end(
        self, producer: AIOKafkaProducer, offsets: dict[TopicPartition, OffsetAndMetadata], group_id: str
    ) -> None:
        self._step = f"waits for the commit of the offset of group {group_id}"
        await producer.send_offsets_to_transaction(offsets, group_id)
        self._step = "waits for the transaction coordinator to end it"
        await producer.commit_transaction()

    async def _targets(self, producer: AIOKafkaProducer, messages: Sequence[Message]) -> list[TopicPartition]:
        """Choose the partition of every message, as `send` would: all must be added before the first record is sent."""
        numbers: dict[str, list[int]] = {}
        for topic in {message.topic for message in messages}:
            self._step = f"waits for metadata of topic {topic}"
            try:
                numbers[topic] = sorted(await producer.partitions_for(topic))
            except UnknownTopicOrPartitionError as error:
                raise _metadata_error(topic, error) from error
        return [_target(message, numbers[message.topic]) for message in messages]

    async def _send_all(
        self,
        producer: AIOKafkaProducer,
        messages: Sequence[Message],
        targets: Sequence[TopicPartition],
        isolated: frozenset[int],
    ) -> None:
        self._step = "waits for records to be written to " + ", ".join(sorted({target.topic for target in targets}))
        together = [index for index in range(len(messages)) if index not in isolated]
        size = -(-len(isolated) // _ISOLATED_BATCHES) or 1
        alone = sorted(isolated)
        for group in (together, *(alone[first : first + size] for first in range(0, len(alone), size))):
            sent = [await self._send(producer, messages[index], targets[index]) for index in group]
            outcomes = dict(zip(group, await asyncio.gather(*sent, return_exceptions=True), strict=True))
            _raise_failure(outcomes, targets)

    @staticmethod
    async def _send(producer: AIOKafkaProducer, message: Message, target: TopicPartition) -> "asyncio.Future[Any]":
        try:
            future: asyncio.Future[Any] = await producer.send(
                message.topic,
                key=message.key,
                value=message.value,
                headers=list(message.headers),
                partition=target.partition,
            )
        except KafkaError as error:
            if not is_record_error(error):
                raise
            future = asyncio.get_running_loop().create_future()
            future.set_exception(error)
        return future

    # ---- ends that were not confirmed

    def _note_unconfirmed_ends(self, producer: AIOKafkaProducer) -> None:
        """Record whether an EndTxn got no response: aiokafka sends it again, and the first copy may arrive later."""
        send = producer.client.send

        async def send_recording_failures(node_id: object, request: object, **options: object) -> object:
            try:
                return await send(node_id, request, **options)
            except KafkaError:
                self._end_unconfirmed |= isinstance(request, EndTxnRequest)
                raise

        producer.client.send = send_recording_failures

    def _require_producer(self) -> AIOKafkaProducer:
        assert self._producer is not None  # noqa: S101 - started by its owner
        return self._producer


def _target(message: Message, numbers: Sequence[int]) -> TopicPartition:
    topic, number = message.topic, message.partition
    if number is None:
        number = _by_key(message.key, numbers, numbers)
    elif number not in numbers:
        raise RetryableError(f"topic {topic} has no partition {number}; it needs as many as the alerts topic")
    return TopicPartition(topic, number)


def _raise_failure(outcomes: dict[int, Any], targets: Sequence[TopicPartition]) -> None:
    """Raise the error of the first failed send; for a refused record, with all messages of its batch."""
    for index, outcome in outcomes.items():
        if is_record_error(outcome):
            batch = [i for i, o in outcomes.items() if targets[i] == targets[index] and type(o) is type(outcome)]
            raise RefusedError(batch, targets[index].topic, outcome) from outcome
        if isinstance(outcome, BaseException):
            raise outcome


def _authorization_error(error: BaseException | None) -> BaseException | None:
    """Return the authorization error that caused an error: aiokafka wraps that of an offset commit."""
    while error and not isinstance(error, AUTHORIZATION_ERRORS):
        error = error.__cause__
    return error


def _metadata_error(topic: str, error: BaseException) -> RetryableError:
    if isinstance(error, UnknownTopicOrPartitionError):
        return RetryableError(f"topic {topic} is missing; `openclaw-stream topics create` creates it")
    return RetryableError(f"cannot fetch metadata of topic {topic}: {error!r}")
