"""A worker that kills itself with SIGKILL at one step of its n-th transaction; otherwise the real one.

python -m tests.stream.crashing STEP N
"""

import asyncio
import os
import signal
import sys
from typing import Any

from aiokafka import AIOKafkaProducer

from openclaw_stream.cli import main

STEPS = (
    "before it",
    "amid its sends",
    "before its offsets",
    "before its commit",
    "during its commit",
    "after its commit",
)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def install(step: str, nth: int) -> None:
    """Wrap the client's transaction calls: no broker can be made to kill its client at an exact step."""
    begun, sends = 0, 0
    begin, send = AIOKafkaProducer.begin_transaction, AIOKafkaProducer.send
    offsets, commit = AIOKafkaProducer.send_offsets_to_transaction, AIOKafkaProducer.commit_transaction

    async def begin_transaction(self: AIOKafkaProducer) -> None:
        nonlocal begun, sends
        begun, sends = begun + 1, 0
        if begun == nth and step == "before it":
            die()
        await begin(self)

    async def send_one(self: AIOKafkaProducer, *args: Any, **kwargs: Any) -> Any:
        nonlocal sends
        future = await send(self, *args, **kwargs)
        sends += 1
        if begun >= nth and step == "amid its sends":
            await future
            die()
        return future

    async def send_offsets(self: AIOKafkaProducer, *args: Any) -> None:
        if begun >= nth and step == "before its offsets":
            die()
        await offsets(self, *args)

    async def commit_transaction(self: AIOKafkaProducer) -> None:
        if begun >= nth and step == "before its commit":
            die()
        if begun >= nth and step == "during its commit":
            # The request leaves at the next turns of the loop; the answer is never seen.
            asyncio.get_running_loop().call_later(0.002, die)
        await commit(self)
        if begun >= nth and step == "after its commit":
            die()

    AIOKafkaProducer.begin_transaction = begin_transaction
    AIOKafkaProducer.send = send_one
    AIOKafkaProducer.send_offsets_to_transaction = send_offsets
    AIOKafkaProducer.commit_transaction = commit_transaction


if __name__ == "__main__":
    install(sys.argv[1], int(sys.argv[2]))
    sys.argv = ["openclaw-stream", "run"]
    main()
