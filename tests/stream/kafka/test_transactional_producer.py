"""A partition's producer and the responses of a transaction coordinator, on a real Kafka behind a proxy.

The broker advertises the proxy, so all requests of clients pass through it; it delays, repeats or answers them as a
broker or a network may.
"""

import asyncio
import struct
import threading
import uuid
from collections.abc import AsyncIterator

import pytest
from aiokafka import TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from openclaw_stream.errors import DeniedError, OpenClawError, RetryableError
from openclaw_stream.settings import KafkaSettings
from openclaw_stream.stream.kafka.connection import connection
from openclaw_stream.stream.kafka.transactional_producer import Message, RefusedError, TransactionalProducer
from tests.kafka_proxy import (
    ADD_OFFSETS_TO_TXN,
    ADD_PARTITIONS_TO_TXN,
    END_TXN,
    PRODUCE,
    Action,
    Answer,
    Drop,
    Forward,
    Hold,
    KafkaProxy,
    Request,
    answer_txn,
    forward,
)
from tests.stream.pipeline import read_committed_records, until

TOPIC_AUTHORIZATION_FAILED, OPERATION_NOT_ATTEMPTED = 29, 55


class Transactions:
    """Topics of one test, and the producer of their first input partition."""

    def __init__(self, bootstrap: str, proxy: KafkaProxy) -> None:
        name = uuid.uuid4().hex[:8]
        self.proxy = proxy
        self.bootstrap = bootstrap
        self.group = f"group-{name}"
        self.source = TopicPartition(f"alerts-{name}", 0)
        self.states, self.decisions, self.tuning = (f"{kind}-{name}" for kind in ("states", "decisions", "tuning"))
        admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
        topics = [NewTopic(t, 1, 1) for t in (self.source.topic, self.states, self.decisions, self.tuning)]
        for done in admin.create_topics(topics).values():
            done.result(30)
        settings = KafkaSettings(bootstrap_servers=bootstrap, session_timeout=9)
        self.producer = TransactionalProducer(connection(settings), f"{self.group}-0", 15)

    async def commit(self, number: int, *topics: str) -> None:
        """Commit offset `number`, with one message of that value to each topic."""
        value = str(number).encode()
        messages = [Message(topic, b"k", value, partition=0) for topic in topics]
        await self.producer.commit(messages, self.source, number, "", self.group)

    def read(self, topic: str) -> list[int]:
        """Return the values that a `read_committed` reader sees."""
        return [int(record.value() or b"") for record in read_committed_records(self.bootstrap, topic)]

    async def visible(self, topic: str) -> list[int]:
        """Return the same without blocking the loop."""
        return await asyncio.to_thread(self.read, topic)


@pytest.fixture
async def transactions(proxied: tuple[str, KafkaProxy]) -> AsyncIterator[Transactions]:
    bootstrap, proxy = proxied
    created = await asyncio.to_thread(Transactions, bootstrap, proxy)
    try:
        await created.producer.start()
        yield created
    finally:
        proxy.policy = forward
        await created.producer.abandon()


class RefusedWhileMarkersArePending:
    """Answers the first EndTxn at once and forwards it later; meanwhile one topic may no longer be written.

    A client sees the same of a coordinator whose markers are delayed and an authorizer after one right was revoked:
    error 29 for the topic, 55 for the other partitions of the request.
    """

    def __init__(self, denied: str) -> None:
        self.release = threading.Event()
        self.refused = 0
        self._denied = denied
        self._ended = False

    def __call__(self, request: Request) -> Action:
        if request.api_key == END_TXN and not self._ended:
            self._ended = True
            return Hold(answer_txn(request), self.release)
        if request.api_key == ADD_PARTITIONS_TO_TXN and self._denied.encode() in request.body:
            self.refused += 1
            return Answer(self._refusal(request))
        return Forward()

    def _refusal(self, request: Request) -> bytes:
        # The response has a code for each partition: only that of the denied topic is replaced.
        attempted = answer_txn(request, OPERATION_NOT_ATTEMPTED)
        name = self._denied.encode()
        at = attempted.index(name) + len(name) + 8
        return attempted[:at] + struct.pack(">h", TOPIC_AUTHORIZATION_FAILED) + attempted[at + 2 :]


async def test_no_record_is_sent_when_a_partition_is_refused(transactions: Transactions) -> None:
    """The client sends queued records after a refusal, and the previous transaction's marker would publish them."""
    policy = RefusedWhileMarkersArePending(transactions.decisions)
    transactions.proxy.policy = policy
    await transactions.commit(1, transactions.states)
    with pytest.raises(OpenClawError):
        await transactions.commit(2, transactions.states, transactions.decisions, transactions.tuning)
    await asyncio.sleep(0.5)  # time for queued records to be sent
    policy.release.set()
    # A start before the first transaction has ended would abort it.
    await asyncio.to_thread(until, lambda: transactions.read(transactions.states) != [], "the first transaction to end")
    await transactions.producer.start()  # aborts the open transaction
    assert policy.refused
    assert await transactions.visible(transactions.states) == [1]
    assert await transactions.visible(transactions.tuning) == []


async def test_the_error_names_the_denied_topic_and_operation(transactions: Transactions) -> None:
    transactions.proxy.policy = RefusedWhileMarkersArePending(transactions.tuning)
    with pytest.raises(DeniedError, match=f"Write on topic {transactions.tuning}"):
        await transactions.commit(1, transactions.states, transactions.tuning)


class LateCopy:
    """Holds the first EndTxn until released; the client's later copies pass.

    A client without a response sends the request again on another connection; the bytes in the buffers of the first
    connection may reach the broker after that.
    """

    def __init__(self) -> None:
        self.release = threading.Event()
        self.ends = 0

    def __call__(self, request: Request) -> Action:
        self.ends += request.api_key == END_TXN
        if request.api_key == END_TXN and self.ends == 1:
            return Forward(lambda: 0.0 if self.release.is_set() else 3600.0)
        return Forward()


async def test_a_late_copy_of_a_commit_does_not_end_the_next_transaction(transactions: Transactions) -> None:
    policy = LateCopy()
    transactions.proxy.policy = policy
    await transactions.commit(1, transactions.states)
    assert policy.ends == 2

    def hold_sends(request: Request) -> Action:
        return Forward(lambda: 1.0) if request.api_key == PRODUCE else Forward()

    # The copy of the first EndTxn arrives while the records of the second transaction are being sent.
    transactions.proxy.policy = hold_sends
    second = asyncio.create_task(transactions.commit(2, transactions.states, transactions.decisions))
    await asyncio.sleep(0.5)
    policy.release.set()
    await second
    assert await transactions.visible(transactions.states) == [1, 2]
    assert await transactions.visible(transactions.decisions) == [2]


async def test_a_late_copy_of_an_abort_removes_nothing_of_the_next_transaction(transactions: Transactions) -> None:
    """A probe is aborted and its producer is used again: the copy could abort records whose offset is committed."""
    policy = LateCopy()
    transactions.proxy.policy = policy
    partition = TopicPartition(transactions.states, 0)
    await transactions.producer.abort_open([partition], transactions.source, transactions.group)
    assert policy.ends == 2

    def release_before_offsets(request: Request) -> Action:
        if request.api_key == ADD_OFFSETS_TO_TXN:
            policy.release.set()
            return Forward(lambda: 1.0)
        return Forward()

    transactions.proxy.policy = release_before_offsets
    await transactions.commit(1, transactions.states, transactions.decisions)
    assert await transactions.visible(transactions.states) == [1]
    assert await transactions.visible(transactions.decisions) == [1]


async def test_step_names_the_partitions_that_a_transaction_waits_for(transactions: Transactions) -> None:
    transactions.proxy.policy = lambda r: Drop() if r.api_key == ADD_PARTITIONS_TO_TXN else Forward()
    waiting = asyncio.create_task(transactions.commit(1, transactions.states, transactions.decisions))
    await asyncio.sleep(1)
    assert transactions.producer.step == (
        "waits for the transaction coordinator to add its partitions: "
        f"{transactions.decisions}-0, {transactions.states}-0"
    )
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert transactions.producer.step == ""


async def test_the_error_names_a_missing_topic(transactions: Transactions) -> None:
    with pytest.raises(RetryableError, match="topic nowhere is missing"):
        await transactions.commit(1, "nowhere")


async def test_the_refused_record_of_a_batch_is_found(transactions: Transactions) -> None:
    """A broker refuses the whole batch, so the records are sent in smaller batches, the last ones of one record."""
    topic = f"compacted-{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": transactions.bootstrap, "log_level": 0})
    created = admin.create_topics([NewTopic(topic, 1, 1, config={"cleanup.policy": "compact"})])
    await asyncio.to_thread(created[topic].result, 30)
    messages = [Message(topic, None if n == 77 else b"k", b"v", partition=0) for n in range(200)]
    suspects: tuple[int, ...] = ()
    sizes = []
    while len(suspects) != 1:
        with pytest.raises(RefusedError, match=f"{topic} refuses the record: INVALID_RECORD") as caught:
            await transactions.producer.commit(messages, transactions.source, 1, "", transactions.group, suspects)
        assert caught.value.certain
        suspects = caught.value.indexes
        sizes.append(len(suspects))
        await transactions.producer.start()
    assert suspects == (77,)
    assert sizes == [200, 4, 1]
    assert await transactions.visible(topic) == []
