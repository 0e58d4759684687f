"""Retries what needs a broker until it succeeds or the worker is to stop."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_chain, wait_fixed

from openclaw_stream.stream.shutdown import Shutdown

log = structlog.get_logger(__name__)

T = TypeVar("T")

_WAIT = wait_chain(*map(wait_fixed, (1, 2, 5, 5, 5, 10)))
"""Seconds between attempts; the last for all further ones."""
_LOG_EVERY = 10
"""Of attempts in a row the first two are logged, then each tenth."""


class _ShutdownRequestedError(Exception):
    """Ends the retries."""


async def retry_until_shutdown(
    attempt: Callable[[], Awaitable[T]],
    errors: tuple[type[Exception], ...],
    shutdown: Shutdown,
    on_failure: Callable[[str], None],
) -> T | None:
    """Return the result of the first attempt that raises none of `errors`; None where the worker is to stop before.

    `on_failure` is called with the text of each error; any other exception is raised.
    """

    def report(state: RetryCallState) -> None:
        assert state.outcome is not None  # noqa: S101 - an attempt has failed
        reason = str(state.outcome.exception())
        on_failure(reason)
        if state.attempt_number <= 2 or state.attempt_number % _LOG_EVERY == 1:  # noqa: PLR2004 - the first two
            log.warning("cannot join the group, retrying", reason=reason)

    async def wait(seconds: float) -> None:
        if await shutdown.wait(seconds):
            raise _ShutdownRequestedError

    retrying = AsyncRetrying(retry=retry_if_exception_type(errors), wait=_WAIT, sleep=wait, before_sleep=report)
    try:
        return await retrying(attempt)
    except _ShutdownRequestedError:
        return None
