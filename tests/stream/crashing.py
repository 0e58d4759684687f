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


class Crash:
    """Wraps the client's transaction calls: no broker can be made to kill its client at an exact step."""

    def __init__(self, step: str, nth: int) -> None:
        self.step, self.nth, self.begun = step, nth, 0

    def at(self, step: str) -> bool:
        return self.begun >= self.nth and step == self.step

    def install(self) -> None:
        begin, send = AIOKafkaProducer.begin_transaction, AIOKafkaProducer.send
        offsets, commit = AIOKafkaProducer.send_offsets_to_transaction, AIOKafkaProducer.commit_transaction

        async def begin_transaction(client: AIOKafkaProducer) -> None:
            self.begun += 1
            if self.at("before it"):
                die()
            await begin(client)

        async def send_one(client: AIOKafkaProducer, *args: Any, **kwargs: Any) -> Any:
            future = await send(client, *args, **kwargs)
            if self.at("amid its sends"):
                await future
                die()
            return future

        async def send_offsets(client: AIOKafkaProducer, *args: Any) -> None:
            if self.at("before its offsets"):
                die()
            await offsets(client, *args)

        async def commit_transaction(client: AIOKafkaProducer) -> None:
            if self.at("before its commit"):
                die()
            if self.at("during its commit"):
                # The request leaves at the next turns of the loop; the answer is never seen.
                asyncio.get_running_loop().call_later(0.002, die)
            await commit(client)
            if self.at("after its commit"):
                die()

        AIOKafkaProducer.begin_transaction = begin_transaction
        AIOKafkaProducer.send = send_one
        AIOKafkaProducer.send_offsets_to_transaction = send_offsets
        AIOKafkaProducer.commit_transaction = commit_transaction


if __name__ == "__main__":
    Crash(sys.argv[1], int(sys.argv[2])).install()
    sys.argv = ["openclaw-stream", "run"]
    main()
