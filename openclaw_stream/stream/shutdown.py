"""The shutdown of a worker: requested by a signal, or by a fatal error."""

import asyncio
from contextlib import suppress

from openclaw_stream.errors import FatalError


class Shutdown:
    """Whether the worker is to stop, and the error that is the reason."""

    def __init__(self) -> None:
        self.error: FatalError | None = None
        """The first fatal error; None after a signal."""
        self._requested = asyncio.Event()

    @property
    def requested(self) -> bool:
        """Whether the worker is to stop."""
        return self._requested.is_set()

    def request(self) -> None:
        """Stop the worker; a signal handler."""
        self._requested.set()

    def fail(self, error: FatalError) -> None:
        """Stop the worker because of an error."""
        self.error = self.error or error
        self._requested.set()

    async def wait(self, seconds: float) -> bool:
        """Wait until the shutdown is requested, with a timeout in seconds; returns whether it is."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._requested.wait()
        return self.requested
