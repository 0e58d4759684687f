"""The real worker, to which the broker answers a heartbeat with an error that its client does not expect, once."""

import sys

from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import KafkaError, UnknownError

from openclaw_stream.cli import main

_BEATS = 5
_beat = GroupCoordinator._do_heartbeat  # noqa: SLF001 - the place where a broker's answer is judged
_beats = 0


async def beat(coordinator: GroupCoordinator) -> bool:
    """Fail once as the client does on an answer that it does not know."""
    global _beats  # noqa: PLW0603 - of this process
    _beats += 1
    if _beats == _BEATS:
        raise KafkaError(f"Unexpected exception in heartbeat task: {UnknownError()!r}")
    answered: bool = await _beat(coordinator)
    return answered


GroupCoordinator._do_heartbeat = beat  # noqa: SLF001
sys.argv = [sys.argv[0], "run"]
main()
