"""A worker that kills itself with SIGKILL at one step of its n-th transaction; otherwise the real worker.

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
    """Wraps the client's transaction calls: only the process itself can stop at an exact step."""

    def __init__(self, step: str, nth: int) -> None:
        self.step, self.nth, self.begun = step, nth, 0

    def install(self) -> None:
        self._wrap("begin_transaction", before="before it")
        self._wrap("send", after="amid its sends")
        self._wrap("send_offsets_to_transaction", before="before its offsets")
        self._wrap("commit_transaction", "before its commit", "during its commit", "after its commit")

    def _wrap(self, name: str, before: str = "", during: str = "", after: str = "") -> None:
        call = getattr(AIOKafkaProducer, name)

        async def wrapped(client: AIOKafkaProducer, *args: Any, **kwargs: Any) -> Any:
            self.begun += name == "begin_transaction"
            if self._is_at(before):
                die()
            if self._is_at(during):
                # The request is sent in the next iterations of the event loop; the response is never read.
                asyncio.get_running_loop().call_later(0.002, die)
            result = await call(client, *args, **kwargs)
            if self._is_at(after):
                if name == "send":
                    await result
                die()
            return result

        setattr(AIOKafkaProducer, name, wrapped)

    def _is_at(self, step: str) -> bool:
        return self.begun >= self.nth and step == self.step


if __name__ == "__main__":
    Crash(sys.argv[1], int(sys.argv[2])).install()
    sys.argv = ["openclaw-stream", "run"]
    main()
