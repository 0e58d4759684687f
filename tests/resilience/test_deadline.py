import asyncio
import time

import pytest

from openclaw_stream.resilience.deadline import cancel, within, within_server_time
from tests.resilience.calls import CancellationResistant

SECONDS = 0.05


async def answer() -> int:
    await asyncio.sleep(0)
    return 7


async def fail() -> int:
    await asyncio.sleep(0)
    raise ValueError("wrong")


@pytest.mark.parametrize("limit", [within, within_server_time])
async def test_a_result_or_an_error_within_the_time_is_passed_on(limit: type) -> None:
    assert await limit(60, answer()) == 7
    with pytest.raises(ValueError, match="wrong"):
        await limit(60, fail())


@pytest.mark.parametrize(("lost", "ends"), [(0, True), (2, True), (1000, False)])
async def test_within_cancels_repeatedly_and_then_stops_waiting(lost: int, *, ends: bool) -> None:
    call = CancellationResistant(lost)
    with pytest.raises(TimeoutError, match=r"not done within 0\.05 s"):
        await within(SECONDS, call.work())
    assert (call.cancelled == lost + 1) is ends
    call.lost = 0


async def test_within_cancels_the_call_when_its_caller_is_cancelled() -> None:
    call = CancellationResistant(1)
    caller = asyncio.create_task(within(60, call.work()))
    await call.started.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert call.cancelled == 2


async def test_a_call_that_cancels_itself_is_a_timeout() -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    with pytest.raises(TimeoutError):
        await within(60, cancelled())


async def test_within_server_time_ends_a_call_without_an_answer() -> None:
    call = CancellationResistant(0)
    with pytest.raises(TimeoutError, match=r"no answer within 0\.05 s"):
        await within_server_time(SECONDS, call.work())
    await asyncio.sleep(0)
    assert call.cancelled == 1


@pytest.mark.io
async def test_within_server_time_does_not_count_a_blocked_event_loop() -> None:
    """The answer is in the socket when the loop runs again, later than the limit."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        writer.write(b"7")
        await writer.drain()
        writer.close()

    async def request() -> bytes:
        writer.write(b"?")
        return await reader.readexactly(1)

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(host, port)
        answer = asyncio.create_task(within_server_time(SECONDS, request()))
        await asyncio.sleep(0)
        time.sleep(2 * SECONDS)  # noqa: ASYNC251 - it blocks the loop on purpose
        assert await answer == b"7"
        writer.close()


async def test_cancel_ends_tasks_that_lose_a_cancellation() -> None:
    calls = [CancellationResistant(lost) for lost in (0, 1, 2)]
    tasks = [asyncio.create_task(call.work()) for call in calls]
    await asyncio.gather(*(call.started.wait() for call in calls))
    await cancel(tasks)
    assert all(task.cancelled() for task in tasks)
