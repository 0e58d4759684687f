"""A TCP proxy for the Kafka protocol that delays, holds, answers or drops requests as a test's policy decides.

Frames are a 4-byte size and a body. A request's body starts with the api key (int16), the api version (int16) and the
correlation id (int32), then comes the client id (nullable string); a response's body starts with the correlation id:
https://kafka.apache.org/protocol#protocol_messages. The proxied listener must be plaintext: the proxy cannot read TLS.
"""

import asyncio
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiokafka.protocol.transaction import (
    AddPartitionsToTxnRequest_v0,
    AddPartitionsToTxnResponse_v0,
    TxnOffsetCommitRequest_v0,
    TxnOffsetCommitResponse_v0,
)

from tests.threaded_server import ThreadedServer

PRODUCE, FETCH = 0, 1
ADD_PARTITIONS_TO_TXN, ADD_OFFSETS_TO_TXN, END_TXN, WRITE_TXN_MARKERS, TXN_OFFSET_COMMIT = 24, 25, 26, 27, 28

_HOST = "127.0.0.1"
_BUFFER_BYTES = 1 << 20
_POLL_SECONDS = 0.005
_CLIENT_ID_AT = 8

_LAST_PLAIN_VERSION = 2
_PARTITIONED: dict[int, tuple[Any, Any]] = {
    ADD_PARTITIONS_TO_TXN: (AddPartitionsToTxnRequest_v0, AddPartitionsToTxnResponse_v0),
    TXN_OFFSET_COMMIT: (TxnOffsetCommitRequest_v0, TxnOffsetCommitResponse_v0),
}


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the client sent it; `frame` is the whole request without its size."""

    api_key: int
    api_version: int
    correlation_id: int
    frame: bytes

    @property
    def client_id(self) -> str:
        """The client id in the header."""
        return self.frame[_CLIENT_ID_AT + 2 : self._body_at].decode()

    @property
    def body(self) -> bytes:
        """The bytes after the client id; in a flexible version first the header's tagged fields, one zero byte."""
        return self.frame[self._body_at :]

    @property
    def _body_at(self) -> int:
        (length,) = struct.unpack_from(">h", self.frame, _CLIENT_ID_AT)
        return _CLIENT_ID_AT + 2 + max(int(length), 0)


@dataclass(frozen=True, slots=True)
class Forward:
    """Forward the request, after `delay()` seconds; later requests of the connection wait for it.

    `delay` is called repeatedly while the request waits, so that a test can shorten it.
    """

    delay: Callable[[], float] | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Answer at once, and forward the request when `release` is set; later requests of the connection overtake it.

    The request reaches the broker even if the client has disconnected by then, and the broker's response is dropped.
    `answer` is the response after the correlation id.
    """

    answer: bytes
    release: threading.Event


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer without forwarding; `answer` is the response after the correlation id."""

    answer: bytes


@dataclass(frozen=True, slots=True)
class Drop:
    """Close the connection without forwarding; requests forwarded or held before are not affected."""


Action = Forward | Hold | Answer | Drop
Policy = Callable[[Request], Action]
"""Returns the action for a request. It is called in the proxy's thread and must not block."""

_FORWARD = Forward()


def forward(request: Request) -> Action:
    """Forward every request."""
    del request
    return _FORWARD


class HoldMarkers:
    """Delays each WriteTxnMarkers request by `seconds`, which may be changed at any time; 0 forwards them at once.

    A change also applies to waiting requests. The coordinator sends markers on separate connections, so no other
    request waits.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._delayed = Forward(lambda: self.seconds)

    def __call__(self, request: Request) -> Action:
        return self._delayed if request.api_key == WRITE_TXN_MARKERS else _FORWARD


def answer_txn(request: Request, error_code: int = 0) -> bytes:
    """Return the response to a request of a transaction, for `Answer` and `Hold`: the same code for each partition.

    Supports the versions that aiokafka sends: 0 of AddPartitionsToTxn and TxnOffsetCommit, up to 2 of AddOffsetsToTxn
    and EndTxn, which librdkafka also sends.

    Raises:
        ValueError: another request, or another version of it.
    """
    if request.api_key in (ADD_OFFSETS_TO_TXN, END_TXN) and request.api_version <= _LAST_PLAIN_VERSION:
        return struct.pack(">ih", 0, error_code)
    if request.api_key not in _PARTITIONED or request.api_version != 0:
        raise ValueError(f"unsupported version {request.api_version} of request {request.api_key}")
    request_class, response_class = _PARTITIONED[request.api_key]
    topics = request_class.decode(request.body).topics
    errors = [(name, [(_index(each), error_code) for each in partitions]) for name, partitions in topics]
    encoded: bytes = response_class(0, errors).encode()
    return encoded


def _index(partition: int | tuple[Any, ...]) -> int:
    """Return the number of a partition: AddPartitionsToTxn has it alone, TxnOffsetCommit with an offset."""
    number: int = partition[0] if isinstance(partition, tuple) else partition
    return number


class KafkaProxy(ThreadedServer):
    """A proxy of one listener, in a thread of its own; a context manager.

    Clients use only the proxy if the broker advertises `port`. An exception of the policy closes the connection and is
    raised again at the end of the context.

    Args:
        target: The listener's port on loopback, or its host and port; it need not listen yet.
        policy: Decides on each request; may be replaced by assignment.
    """

    def __init__(self, target: int | tuple[str, int], policy: Policy = forward) -> None:
        super().__init__()
        self.policy = policy
        self._target = (_HOST, target) if isinstance(target, int) else target
        self._listener = socket.create_server((_HOST, 0))
        self._failures: list[Exception] = []

    @property
    def port(self) -> int:
        """The proxy's port on loopback."""
        port: int = self._listener.getsockname()[1]
        return port

    def __exit__(self, *details: object) -> None:
        super().__exit__(*details)
        if self._failures:
            raise self._failures[0]

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, sock=self._listener, limit=_BUFFER_BYTES)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection(*self._target, limit=_BUFFER_BYTES)
            connection = _Connection(self._decide, (reader, writer), (upstream_reader, upstream_writer))
            await connection.relay()
        except OSError:  # the broker does not listen
            writer.transport.abort()
        except asyncio.CancelledError:  # the proxy ends
            pass
        except Exception as error:  # noqa: BLE001 - raised again in the test's thread
            self._failures.append(error)
        finally:
            writer.close()
            self._serving.discard(task)

    def _decide(self, request: Request) -> Action:
        return self.policy(request)


_Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Connection:
    """A connection of a client with its connection to the broker.

    Clients expect responses in the order of their requests. `_expected` has that order: a correlation id for a pending
    response of the broker, bytes for a response of the policy that waits for those before it.
    """

    def __init__(self, policy: Policy, client: _Stream, broker: _Stream) -> None:
        self._policy = policy
        self._from_client, self._to_client = client
        self._from_broker, self._to_broker = broker
        self._expected: deque[int | bytes] = deque()
        self._unwanted: dict[int, asyncio.Event] = {}
        self._held: set[asyncio.Task[None]] = set()

    async def relay(self) -> None:
        """Forward frames both ways until one side closes; held and unfinished requests still reach the broker."""
        requests, responses = asyncio.create_task(self._requests()), asyncio.create_task(self._responses())
        try:
            await asyncio.wait((requests, responses), return_when=asyncio.FIRST_COMPLETED)
            if requests.done():
                requests.result()  # raises the policy's error
            if not responses.done():
                await self._outlive_client(responses)
        finally:
            await _cancel(requests, responses, *self._held)
            self._to_broker.transport.abort()

    async def _outlive_client(self, responses: asyncio.Task[None]) -> None:
        """Close the client's side; end the broker's side as a client does, after the held requests."""
        self._to_client.transport.abort()
        while self._held and not responses.done():
            await asyncio.wait((*self._held, responses), return_when=asyncio.FIRST_COMPLETED)
        if not responses.done():
            self._to_broker.write_eof()
            await asyncio.wait((responses,))

    async def _requests(self) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):  # either side closed its connection
            while True:
                frame = await _read_frame(self._from_client)
                api_key, api_version, correlation_id = struct.unpack_from(">hhi", frame)
                request = Request(api_key, api_version, correlation_id, frame)
                action = self._policy(request)
                if isinstance(action, Drop):
                    return
                await self._apply(action, request)

    async def _apply(self, action: Forward | Hold | Answer, request: Request) -> None:
        if isinstance(action, Forward):
            if action.delay:
                await _wait(action.delay)
            self._expected.append(request.correlation_id)
            await _write_frame(self._to_broker, request.frame)
            return
        self._expected.append(struct.pack(">i", request.correlation_id) + action.answer)
        await self._send_ready_answers()
        if isinstance(action, Hold):
            task = asyncio.create_task(self._forward_later(request, action.release))
            self._held.add(task)
            task.add_done_callback(self._held.discard)

    async def _forward_later(self, request: Request, release: threading.Event) -> None:
        while not release.is_set():  # noqa: ASYNC110 - the test sets it in another thread
            await asyncio.sleep(_POLL_SECONDS)
        answered = self._unwanted[request.correlation_id] = asyncio.Event()
        await _write_frame(self._to_broker, request.frame)
        await answered.wait()

    async def _responses(self) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):  # the broker closed its connection
            while True:
                frame = await _read_frame(self._from_broker)
                (correlation_id,) = struct.unpack_from(">i", frame)
                if answered := self._unwanted.pop(correlation_id, None):
                    answered.set()
                    continue
                await self._match_response(correlation_id)
                await self._send(frame)
                await self._send_ready_answers()

    async def _match_response(self, correlation_id: int) -> None:
        """Remove the expected response and those that never come: a broker does not answer a Produce with acks=0."""
        while (expected := self._expected.popleft()) != correlation_id:
            if isinstance(expected, bytes):
                await self._send(expected)

    async def _send_ready_answers(self) -> None:
        while self._expected and isinstance(answer := self._expected[0], bytes):
            self._expected.popleft()
            await self._send(answer)

    async def _send(self, frame: bytes) -> None:
        """Write to the client; a closed connection is detected where its requests are read."""
        if not self._to_client.is_closing():
            with suppress(ConnectionError):
                await _write_frame(self._to_client, frame)


async def _read_frame(reader: asyncio.StreamReader) -> bytes:
    (size,) = struct.unpack(">i", await reader.readexactly(4))
    return await reader.readexactly(size)


async def _write_frame(writer: asyncio.StreamWriter, frame: bytes) -> None:
    writer.writelines((struct.pack(">i", len(frame)), frame))
    await writer.drain()


async def _wait(delay: Callable[[], float]) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    while (left := began + delay() - loop.time()) > 0:  # noqa: ASYNC110 - the test changes it in another thread
        await asyncio.sleep(min(left, _POLL_SECONDS))


async def _cancel(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
