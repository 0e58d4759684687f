"""The real worker, whose client fails once on an unexpected error code in a heartbeat response."""

import sys

from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import KafkaError, UnknownError

from openclaw_stream.cli import main

_BEATS = 5
_beat = GroupCoordinator._do_heartbeat  # noqa: SLF001 - evaluates the response of the broker
_beats = 0


async def beat(coordinator: GroupCoordinator) -> bool:
    """Fail once as the client does on an unknown error code."""
    global _beats  # noqa: PLW0603 - one counter per process
    _beats += 1
    if _beats == _BEATS:
        raise KafkaError(f"Unexpected exception in heartbeat task: {UnknownError()!r}")
    accepted: bool = await _beat(coordinator)
    return accepted


GroupCoordinator._do_heartbeat = beat  # noqa: SLF001
sys.argv = [sys.argv[0], "run"]
main()
