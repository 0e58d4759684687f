"""A group's offsets, read and set by requests of Kafka's protocol to the group's coordinator.

librdkafka's consumer cannot read the metadata of offsets. Formats: OffsetFetch version 3 and OffsetCommit version 2 of
https://kafka.apache.org/protocol.
"""

import struct
import time
from collections.abc import Mapping
from io import BytesIO

from tests.chaos.journal import Run
from tests.chaos.protocol import GROUP, ask, find_coordinator, number, require_success, skip_text, text

_OFFSET_COMMIT, _OFFSET_FETCH = (8, 2), (9, 3)
_AGAIN_SECONDS = 0.3


def committed_offsets(run: Run, within: float = 15) -> dict[int, int]:
    """Return the committed offsets of the group, by partition; negative where there is none.

    Args:
        run: Names the brokers, the group and its topic.
        within: Seconds in which a request to a coordinator that moves or does not answer is repeated.

    Raises:
        OSError: no answer.
    """
    deadline = time.monotonic() + within
    while True:
        try:
            return _fetch(run)
        except OSError:
            if time.monotonic() > deadline:
                raise
        time.sleep(_AGAIN_SECONDS)


def reset_offsets(run: Run, offsets: Mapping[int, int]) -> bool:
    """Set offsets as an operator does, without metadata; False while the group has members, or without an answer."""
    partitions = b"".join(struct.pack(">iqh", partition, offset, -1) for partition, offset in offsets.items())
    body = text(run.group_id) + struct.pack(">ihq", -1, 0, -1) + _topic(run, len(offsets), partitions)
    try:
        answer = _ask_coordinator(run, _OFFSET_COMMIT, body)
    except OSError:
        return False
    errors = []
    for _ in range(number(answer, ">i")):
        skip_text(answer)
        errors += [struct.unpack(">ih", answer.read(6))[1] for _ in range(number(answer, ">i"))]
    return not any(errors)


def _fetch(run: Run) -> dict[int, int]:
    count = run.partitions
    partitions = b"".join(struct.pack(">i", partition) for partition in range(count))
    answer = _ask_coordinator(run, _OFFSET_FETCH, text(run.group_id) + _topic(run, count, partitions))
    found: dict[int, int] = {}
    answer.read(4)
    for _ in range(number(answer, ">i")):
        skip_text(answer)
        for _ in range(number(answer, ">i")):
            partition, offset = number(answer, ">i"), number(answer, ">q")
            skip_text(answer)
            require_success(number(answer, ">h"))
            found[partition] = offset
    require_success(number(answer, ">h"))
    return found


def _ask_coordinator(run: Run, api: tuple[int, int], body: bytes) -> BytesIO:
    return ask(find_coordinator(run.bootstrap, run.group_id, GROUP).address, api, body)


def _topic(run: Run, count: int, partitions: bytes) -> bytes:
    return struct.pack(">i", 1) + text(run.topics["alerts"]) + struct.pack(">i", count) + partitions
