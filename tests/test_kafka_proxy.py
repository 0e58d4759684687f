"""Each action of a proxy's policy, on a real Kafka of one node whose listeners are all proxied."""

import socket
import struct
import threading
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    ProducerFenced,
)
from aiokafka.errors import KafkaError as AiokafkaError
from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Producer
from confluent_kafka import TopicPartition as Partition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec
from confluent_kafka.cimpl import NewTopic

from openclaw_stream.embedded import EmbeddedKafkaCluster
from openclaw_stream.embedded.server import HOST, free_port
from tests.kafka_proxy import (
    ADD_OFFSETS_TO_TXN,
    ADD_PARTITIONS_TO_TXN,
    END_TXN,
    FETCH,
    PRODUCE,
    TXN_OFFSET_COMMIT,
    WRITE_TXN_MARKERS,
    Action,
    Answer,
    Drop,
    Forward,
    Hold,
    HoldMarkers,
    KafkaProxy,
    Policy,
    Request,
    answer_txn,
    forward,
)

WITHIN = 30.0
METADATA = 3
UNTIL_RELEASED = 3600.0

Proxies = dict[str, KafkaProxy]


class Applied:
    """A policy for one kind of request, the first `limit` of them; counts all requests by kind."""

    def __init__(self, api_key: int, policy: Policy, limit: float = float("inf")) -> None:
        self.counts: Counter[int] = Counter()
        self._api_key, self._policy, self._limit = api_key, policy, limit

    def __call__(self, request: Request) -> Action:
        self.counts[request.api_key] += 1
        wanted = request.api_key == self._api_key and self.counts[self._api_key] <= self._limit
        return self._policy(request) if wanted else Forward()


@pytest.fixture(scope="module")
def cluster_and_proxies() -> Iterator[tuple[EmbeddedKafkaCluster, Proxies]]:
    proxies: Proxies = {}
    with ExitStack() as stack:

        def advertise(listener: str, node_id: int, port: int) -> int:
            assert node_id == 1
            proxies[listener] = stack.enter_context(KafkaProxy(port))
            return proxies[listener].port

        yield stack.enter_context(EmbeddedKafkaCluster(1, advertise=advertise)), proxies


@pytest.fixture
def proxies(cluster_and_proxies: tuple[EmbeddedKafkaCluster, Proxies]) -> Iterator[Proxies]:
    yield cluster_and_proxies[1]
    for proxy in cluster_and_proxies[1].values():
        proxy.policy = forward


@pytest.fixture
def servers(cluster_and_proxies: tuple[EmbeddedKafkaCluster, Proxies]) -> str:
    return cluster_and_proxies[0].bootstrap_servers


@pytest.fixture
def topic(servers: str) -> str:
    return make_topic(servers)


def make_topic(servers: str) -> str:
    name = f"proxied-{uuid.uuid4().hex[:8]}"
    admin = AdminClient(client(servers))
    admin.create_topics([NewTopic(name, 1, 1)])[name].result(WITHIN)
    return name


def client(servers: str) -> dict[str, str | int | float | bool]:
    return {"bootstrap.servers": servers, "log_level": 0}


def produce(servers: str, topic: str, value: bytes) -> None:
    producer = Producer(client(servers) | {"enable.idempotence": True})
    producer.produce(topic, value)
    assert producer.flush(WITHIN) == 0


def consume(servers: str, topic: str, count: int) -> list[bytes | None]:
    reader = {"group.id": uuid.uuid4().hex, "isolation.level": "read_committed", "enable.auto.commit": False}
    consumer = Consumer(client(servers) | reader)
    consumer.assign([Partition(topic, 0, 0)])
    try:
        return [message.value() for message in consumer.consume(count, timeout=WITHIN)]
    finally:
        consumer.close()


def end(servers: str, topic: str, level: IsolationLevel = IsolationLevel.READ_UNCOMMITTED) -> int:
    """Return the partition's end; with READ_COMMITTED the last stable offset, where an open transaction begins."""
    asked = {Partition(topic, 0): OffsetSpec.latest()}  # type: ignore[no-untyped-call]
    admin = AdminClient(client(servers))
    (answer,) = admin.list_offsets(asked, isolation_level=level).values()
    return int(answer.result(WITHIN).offset)


def await_stable(servers: str, topic: str, offset: int) -> None:
    """Wait until no open transaction is below the offset; pytest's timeout is the limit."""
    while end(servers, topic, IsolationLevel.READ_COMMITTED) < offset:
        time.sleep(0.01)


def await_request(policy: Applied, api_key: int) -> None:
    while not policy.counts[api_key]:
        time.sleep(0.01)


@asynccontextmanager
async def transactional(servers: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=servers, transactional_id=uuid.uuid4().hex, retry_backoff_ms=20)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def commit(producer: AIOKafkaProducer, topic: str, value: bytes = b"1") -> None:
    await producer.begin_transaction()
    await producer.send_and_wait(topic, value, partition=0)
    await producer.send_offsets_to_transaction({TopicPartition(topic, 0): 1}, f"group-of-{topic}")
    await producer.commit_transaction()


def test_clients_use_only_the_proxy_and_read_written_records(proxies: Proxies, servers: str, topic: str) -> None:
    seen = proxies["PLAINTEXT"].policy = Applied(-1, forward)
    produce(servers, topic, b"x" * 500_000)
    assert consume(servers, topic, 1) == [b"x" * 500_000]
    assert seen.counts[PRODUCE] >= 1
    assert seen.counts[FETCH] >= 1


def test_a_delayed_request_arrives_later(proxies: Proxies, servers: str, topic: str) -> None:
    delay = 0.5
    proxies["PLAINTEXT"].policy = Applied(PRODUCE, lambda _: Forward(lambda: delay))
    began = time.monotonic()
    produce(servers, topic, b"late")
    assert time.monotonic() - began >= delay
    assert consume(servers, topic, 1) == [b"late"]


def test_a_shortened_delay_ends(proxies: Proxies, servers: str, topic: str) -> None:
    delays, waiting = [UNTIL_RELEASED], threading.Event()

    def delay() -> float:
        waiting.set()
        return delays[0]

    proxies["PLAINTEXT"].policy = Applied(PRODUCE, lambda _: Forward(delay))
    producer = threading.Thread(target=produce, args=(servers, topic, b"freed"))
    producer.start()
    assert waiting.wait(WITHIN)
    assert end(servers, topic) == 0
    delays[0] = 0
    producer.join()
    assert end(servers, topic) == 1


async def test_committed_records_are_invisible_until_the_markers_are_forwarded(
    proxies: Proxies, servers: str, topic: str
) -> None:
    markers = HoldMarkers(UNTIL_RELEASED)
    seen = proxies["REPLICATION"].policy = Applied(WRITE_TXN_MARKERS, markers)
    async with transactional(servers) as producer:
        await commit(producer, topic, b"committed")
        await_request(seen, WRITE_TXN_MARKERS)
        assert end(servers, topic) == 1
        assert end(servers, topic, IsolationLevel.READ_COMMITTED) == 0
        markers.seconds = 0
        await_stable(servers, topic, 2)
    assert consume(servers, topic, 1) == [b"committed"]


async def test_a_held_request_is_answered_and_arrives_later(proxies: Proxies, servers: str, topic: str) -> None:
    release, other = threading.Event(), make_topic(servers)
    proxies["PLAINTEXT"].policy = Applied(END_TXN, lambda request: Hold(answer_txn(request), release), limit=1)
    async with transactional(servers) as producer:
        await commit(producer, topic)
        async with transactional(servers) as not_held:
            await commit(not_held, other)
        await_stable(servers, other, 2)
        assert end(servers, topic, IsolationLevel.READ_COMMITTED) == 0
        release.set()
        await_stable(servers, topic, 2)
        await commit(producer, topic)
    assert consume(servers, topic, 2) == [b"1", b"1"]


async def test_a_held_request_is_forwarded_after_its_client_disconnects(
    proxies: Proxies, servers: str, topic: str
) -> None:
    release = threading.Event()
    proxies["PLAINTEXT"].policy = Applied(END_TXN, lambda request: Hold(answer_txn(request), release))
    async with transactional(servers) as producer:
        await commit(producer, topic)
    assert end(servers, topic, IsolationLevel.READ_COMMITTED) == 0
    release.set()
    await_stable(servers, topic, 2)
    assert consume(servers, topic, 1) == [b"1"]


@pytest.mark.parametrize(
    ("api_key", "code", "error"),
    [
        (ADD_OFFSETS_TO_TXN, 30, GroupAuthorizationFailedError),
        (TXN_OFFSET_COMMIT, 30, GroupAuthorizationFailedError),
        (END_TXN, 47, ProducerFenced),
    ],
)
async def test_a_forged_refusal_reaches_the_client_only(
    proxies: Proxies, servers: str, topic: str, api_key: int, code: int, error: type[AiokafkaError]
) -> None:
    proxies["PLAINTEXT"].policy = Applied(api_key, lambda request: Answer(answer_txn(request, code)))
    async with transactional(servers) as producer:
        with pytest.raises(error):
            await commit(producer, topic)
    assert end(servers, topic, IsolationLevel.READ_COMMITTED) == 0


def test_a_forged_refusal_of_a_partition_reaches_librdkafka(proxies: Proxies, servers: str, topic: str) -> None:
    refused = KafkaError.TOPIC_AUTHORIZATION_FAILED
    proxies["PLAINTEXT"].policy = Applied(ADD_PARTITIONS_TO_TXN, lambda request: Answer(answer_txn(request, refused)))
    producer = Producer(client(servers) | {"transactional.id": uuid.uuid4().hex})
    producer.init_transactions(WITHIN)
    producer.begin_transaction()
    producer.produce(topic, b"1")
    with pytest.raises(KafkaException) as raised:
        producer.commit_transaction(WITHIN)
    assert raised.value.args[0].code() == refused
    assert end(servers, topic) == 0


def test_a_dropped_connection_is_reopened(proxies: Proxies, servers: str, topic: str) -> None:
    seen = proxies["PLAINTEXT"].policy = Applied(PRODUCE, lambda _: Drop(), limit=1)
    produce(servers, topic, b"again")
    assert seen.counts[PRODUCE] >= 2
    assert end(servers, topic) == 1


def metadata_request(correlation_id: int) -> bytes:
    body = struct.pack(">hhihi", METADATA, 1, correlation_id, -1, 0)
    return struct.pack(">i", len(body)) + body


def correlation_ids(connection: socket.socket, count: int) -> list[int]:
    stream = connection.makefile("rb")
    frames = [stream.read(*struct.unpack(">i", stream.read(4))) for _ in range(count)]
    return [struct.unpack_from(">i", frame)[0] for frame in frames]


def test_responses_keep_the_order_of_the_requests(proxies: Proxies) -> None:
    forged: dict[int, Action] = {2: Answer(b""), 3: Hold(b"", threading.Event()), 5: Answer(b"")}
    proxy = proxies["PLAINTEXT"]
    proxy.policy = lambda request: forged.get(request.correlation_id, Forward())
    with socket.create_connection((HOST, proxy.port), timeout=WITHIN) as connection:
        connection.sendall(b"".join(map(metadata_request, range(1, 6))))
        assert correlation_ids(connection, 5) == [1, 2, 3, 4, 5]


def test_the_broker_response_to_a_held_request_is_dropped(proxies: Proxies) -> None:
    release, proxy = threading.Event(), proxies["PLAINTEXT"]
    held = Hold(b"forged", release)
    proxy.policy = lambda request: held if request.correlation_id == 1 else Forward()
    with socket.create_connection((HOST, proxy.port), timeout=WITHIN) as connection:
        connection.sendall(metadata_request(1))
        assert correlation_ids(connection, 1) == [1]
        release.set()
        for correlation_id in range(2, 50):
            connection.sendall(metadata_request(correlation_id))
            assert correlation_ids(connection, 1) == [correlation_id]
            time.sleep(0.001)


def test_an_error_of_the_policy_closes_the_connection_and_fails_the_test(
    cluster_and_proxies: tuple[EmbeddedKafkaCluster, Proxies],
) -> None:
    target = cluster_and_proxies[1]["PLAINTEXT"].port

    def broken(request: Request) -> Action:
        raise LookupError(f"no rule for {request.api_key}")

    with pytest.raises(LookupError, match="no rule for 3"), KafkaProxy(target, broken) as proxy:  # noqa: PT012, SIM117
        with socket.create_connection((HOST, proxy.port), timeout=WITHIN) as connection:
            connection.sendall(metadata_request(1))
            assert connection.recv(1) == b""


@pytest.mark.io
def test_a_target_that_does_not_listen_closes_the_connection() -> None:
    with (
        KafkaProxy(free_port()) as proxy,
        socket.create_connection((HOST, proxy.port), timeout=WITHIN) as connection,
    ):
        assert connection.recv(1) == b""


def test_a_request_has_its_client_id() -> None:
    named = struct.pack(">hhih3s", PRODUCE, 9, 7, 3, b"ann") + b"body"
    unnamed = struct.pack(">hhih", PRODUCE, 9, 7, -1) + b"body"
    assert [(each.client_id, each.body) for each in (Request(0, 9, 7, named), Request(0, 9, 7, unnamed))] == [
        ("ann", b"body"),
        ("", b"body"),
    ]


def test_an_unsupported_version_is_an_error() -> None:
    with pytest.raises(ValueError, match="unsupported version 3 of request 28"):
        answer_txn(Request(TXN_OFFSET_COMMIT, 3, 1, b""))
