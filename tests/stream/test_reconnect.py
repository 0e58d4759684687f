"""Retries until the first success, a shutdown, or an error of another kind."""

import asyncio

import pytest
from structlog.testing import capture_logs

from openclaw_stream.errors import FatalError, RetryableError, TopicError
from openclaw_stream.stream.reconnect import retry_until_shutdown
from openclaw_stream.stream.shutdown import Shutdown


class Attempts:
    """Fails with these errors one after another, then succeeds."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.count = 0

    async def __call__(self) -> str:
        self.count += 1
        if self.errors:
            raise self.errors.pop(0)
        return "connected"


async def test_the_result_of_the_first_success_is_returned_and_failures_are_reported() -> None:
    attempts, reasons = Attempts(RetryableError("no broker")), list[str]()
    with capture_logs() as logs:
        result = await retry_until_shutdown(attempts, (RetryableError,), Shutdown(), reasons.append)
    assert (result, attempts.count, reasons) == ("connected", 2, ["no broker"])
    assert [(line["event"], line["reason"]) for line in logs] == [("cannot join the group, retrying", "no broker")]


async def test_an_error_of_another_kind_is_raised_at_once() -> None:
    attempts = Attempts(TopicError("missing"))
    with pytest.raises(TopicError, match="missing"):
        await retry_until_shutdown(attempts, (RetryableError,), Shutdown(), lambda _: None)
    assert attempts.count == 1


async def test_a_shutdown_ends_the_wait_without_another_attempt() -> None:
    shutdown = Shutdown()
    attempts = Attempts(*[RetryableError("no broker")] * 10)
    asyncio.get_running_loop().call_later(0.05, shutdown.request)
    assert await retry_until_shutdown(attempts, (RetryableError,), shutdown, lambda _: None) is None
    assert attempts.count == 1


async def test_an_attempt_that_succeeds_counts_though_a_shutdown_was_requested_before() -> None:
    shutdown = Shutdown()
    shutdown.request()
    assert await retry_until_shutdown(Attempts(), (RetryableError,), shutdown, lambda _: None) == "connected"


async def test_a_shutdown_keeps_its_first_error() -> None:
    shutdown = Shutdown()
    assert not await shutdown.wait(0.01)
    first = FatalError("first")
    shutdown.fail(first)
    shutdown.fail(FatalError("second"))
    assert shutdown.error is first
    assert await shutdown.wait(10)
