"""A group's offsets, read and set by two requests of Kafka's protocol, written here by hand for a single broker.

librdkafka's admin client aborts the process where a broker dies under it, and its consumer cannot read the metadata of
offsets. Formats: OffsetFetch version 3 and OffsetCommit version 2 of the Kafka protocol guide.
"""

import socket
import struct
from collections.abc import Mapping
from io import BytesIO

from tests.chaos.journal import Run

_OFFSET_COMMIT, _OFFSET_FETCH = (8, 2), (9, 3)
_ANSWER_SECONDS = 15


class OffsetsError(OSError):
    """The broker refused to tell the offsets, or is not there."""


def committed_offsets(run: Run) -> dict[int, int]:
    """Return what the group has committed, by partition; negative where there is nothing.

    Raises:
        OSError: no answer.
    """
    partitions = b"".join(struct.pack(">i", partition) for partition in range(run.partitions))
    body = _text(run.group_id) + _topic(run, run.partitions, partitions)
    answer = _ask(run.bootstrap, _OFFSET_FETCH, body)
    found: dict[int, int] = {}
    answer.read(4)
    for _ in range(_number(answer, ">i")):
        answer.read(_number(answer, ">h"))
        for _ in range(_number(answer, ">i")):
            partition, offset = _number(answer, ">i"), _number(answer, ">q")
            answer.read(max(_number(answer, ">h"), 0))
            _require(_number(answer, ">h"))
            found[partition] = offset
    _require(_number(answer, ">h"))
    return found


def reset_offsets(run: Run, offsets: Mapping[int, int]) -> bool:
    """Set offsets as an operator does, without metadata; False while the group is not empty, or nobody answers."""
    partitions = b"".join(struct.pack(">iqh", partition, offset, -1) for partition, offset in offsets.items())
    body = _text(run.group_id) + struct.pack(">ihq", -1, 0, -1) + _topic(run, len(offsets), partitions)
    try:
        answer = _ask(run.bootstrap, _OFFSET_COMMIT, body)
    except OSError:
        return False
    errors = []
    for _ in range(_number(answer, ">i")):
        answer.read(_number(answer, ">h"))
        errors += [struct.unpack(">ih", answer.read(6))[1] for _ in range(_number(answer, ">i"))]
    return not any(errors)


def _ask(bootstrap: str, api: tuple[int, int], body: bytes) -> BytesIO:
    host, port = bootstrap.rsplit(":", 1)
    request = struct.pack(">hhih", *api, 1, -1) + body
    with socket.create_connection((host, int(port)), timeout=_ANSWER_SECONDS) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        stream = connection.makefile("rb")
        size = stream.read(4)
        answer = stream.read(struct.unpack(">i", size)[0]) if len(size) == 4 else b""
    if not answer:
        raise OffsetsError("the broker closed the connection")
    return BytesIO(answer[4:])


def _topic(run: Run, count: int, partitions: bytes) -> bytes:
    return struct.pack(">i", 1) + _text(run.topics["alerts"]) + struct.pack(">i", count) + partitions


def _text(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()


def _number(answer: BytesIO, form: str) -> int:
    return int(struct.unpack(form, answer.read(struct.calcsize(form)))[0])


def _require(code: int) -> None:
    if code:
        raise OffsetsError(f"error {code} of the Kafka protocol")
