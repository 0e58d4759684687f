"""Requests of Kafka's protocol, encoded here: the campaign sends them while brokers crash.

librdkafka's admin client aborts the process when its broker crashes. Formats: FindCoordinator version 1 and
Metadata version 1 of https://kafka.apache.org/protocol.
"""

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

GROUP, TRANSACTION = 0, 1
"""The kinds of keys that have a coordinator: a group's id, a transactional id."""

_METADATA, _FIND_COORDINATOR = (3, 1), (10, 1)
_ANSWER_SECONDS = 5.0
_SIZE_BYTES = 4


class ProtocolError(OSError):
    """A broker answered with an error code, or closed the connection."""


@dataclass(frozen=True, slots=True)
class Coordinator:
    """The node that coordinates a group or a transactional id, and its address."""

    node_id: int
    address: str


@dataclass(frozen=True, slots=True)
class PartitionState:
    """The leader of a partition (-1 for none), its replicas and those in sync, as node ids."""

    leader: int
    replicas: frozenset[int]
    in_sync: frozenset[int]


@dataclass(frozen=True, slots=True)
class ClusterState:
    """One node's metadata of the cluster: the brokers that are registered, and partitions by topic and number."""

    brokers: frozenset[int]
    partitions: dict[tuple[str, int], PartitionState]


def ask(address: str, api: tuple[int, int], body: bytes) -> BytesIO:
    """Send one request on a new connection; returns the response behind the correlation id.

    Raises:
        OSError: no answer within 5 s.
    """
    host, port = address.rsplit(":", 1)
    request = struct.pack(">hhih", *api, 1, -1) + body
    with (
        socket.create_connection((host, int(port)), timeout=_ANSWER_SECONDS) as connection,
        connection.makefile("rb") as stream,
    ):
        connection.sendall(struct.pack(">i", len(request)) + request)
        size = stream.read(_SIZE_BYTES)
        answer = stream.read(*struct.unpack(">i", size)) if len(size) == _SIZE_BYTES else b""
    if not answer:
        raise ProtocolError(f"{address} closed the connection")
    return BytesIO(answer[4:])


def find_coordinator(bootstrap: str, key: str, kind: int) -> Coordinator:
    """Return the coordinator that the first node that answers names.

    Raises:
        OSError: no node answered, or there is no coordinator now.
    """
    answer = _ask_first(bootstrap, _FIND_COORDINATOR, text(key) + struct.pack(">b", kind))
    answer.read(4)
    require_success(number(answer, ">h"))
    skip_text(answer)
    node_id, host, port = number(answer, ">i"), read_text(answer), number(answer, ">i")
    return Coordinator(node_id, f"{host}:{port}")


def cluster_state(bootstrap: str) -> ClusterState:
    """Return the metadata of all topics, internal ones included, from the first node that answers.

    Raises:
        OSError: no node answered.
    """
    answer = _ask_first(bootstrap, _METADATA, struct.pack(">i", -1))
    brokers = frozenset(_read_brokers(answer))
    number(answer, ">i")  # the controller
    return ClusterState(brokers, dict(_read_topics(answer)))


def text(value: str) -> bytes:
    """Encode a string."""
    return struct.pack(">h", len(value)) + value.encode()


def read_text(answer: BytesIO) -> str:
    """Read a string; an absent one is empty."""
    return answer.read(max(number(answer, ">h"), 0)).decode()


def skip_text(answer: BytesIO) -> None:
    """Skip a string."""
    read_text(answer)


def number(answer: BytesIO, form: str) -> int:
    """Read one number of `struct`'s form."""
    return int(struct.unpack(form, answer.read(struct.calcsize(form)))[0])


def require_success(code: int) -> None:
    """Raise `ProtocolError` for an error code other than 0."""
    if code:
        raise ProtocolError(f"error {code} of the Kafka protocol")


def _ask_first(bootstrap: str, api: tuple[int, int], body: bytes) -> BytesIO:
    failure: OSError = ProtocolError("no broker is known")
    for address in bootstrap.split(","):
        try:
            return ask(address, api, body)
        except OSError as error:
            failure = error
    raise failure


def _read_brokers(answer: BytesIO) -> Iterator[int]:
    for _ in range(number(answer, ">i")):
        yield number(answer, ">i")
        skip_text(answer)
        number(answer, ">i")
        skip_text(answer)  # the rack


def _read_topics(answer: BytesIO) -> Iterator[tuple[tuple[str, int], PartitionState]]:
    for _ in range(number(answer, ">i")):
        number(answer, ">h")
        topic = read_text(answer)
        answer.read(1)  # whether it is internal
        for _ in range(number(answer, ">i")):
            number(answer, ">h")
            partition, leader = number(answer, ">i"), number(answer, ">i")
            yield (topic, partition), PartitionState(leader, _read_ids(answer), _read_ids(answer))


def _read_ids(answer: BytesIO) -> frozenset[int]:
    return frozenset(number(answer, ">i") for _ in range(number(answer, ">i")))
