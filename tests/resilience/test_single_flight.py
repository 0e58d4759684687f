import asyncio

import pytest

from openclaw_stream.resilience.single_flight import SingleFlight


async def test_equal_keys_share_one_call_and_others_do_not() -> None:
    flight, calls, finish = SingleFlight[str, int](), 0, asyncio.Event()

    async def call(result: "asyncio.Future[int]") -> None:
        nonlocal calls
        calls += 1
        number = calls
        await finish.wait()
        result.set_result(number)

    joined = [flight.join(key, call) for key in ("a", "b", "a", "a")]
    finish.set()
    assert [started for _, started in joined] == [True, True, False, False]
    assert [await result for result, _ in joined] == [1, 2, 1, 1]


async def test_a_cancelled_caller_leaves_the_call_running() -> None:
    flight, finish, finished = SingleFlight[str, int](), asyncio.Event(), asyncio.Event()

    async def call(result: "asyncio.Future[int]") -> None:
        await finish.wait()
        result.set_result(1)
        finished.set()

    async def wait() -> int:
        result, _ = flight.join("a", call)
        return await asyncio.shield(result)

    caller = asyncio.create_task(wait())
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    finish.set()
    await finished.wait()


async def test_a_result_is_shared_until_its_call_has_finished() -> None:
    flight, finish, calls = SingleFlight[str, int](), asyncio.Event(), 0

    async def call(result: "asyncio.Future[int]") -> None:
        nonlocal calls
        calls += 1
        result.set_result(calls)
        await finish.wait()

    first, _ = flight.join("a", call)
    assert await first == 1
    second, started = flight.join("a", call)
    assert (await second, started) == (1, False)
    finish.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert flight.join("a", call)[1]
    await flight.close()


async def test_a_result_that_is_not_shared_goes_to_those_who_wait_already() -> None:
    flight, finish, calls = SingleFlight[str, int](lambda result: result > 1), asyncio.Event(), 0

    async def call(result: "asyncio.Future[int]") -> None:
        nonlocal calls
        calls += 1
        result.set_result(calls)
        await finish.wait()

    (first, _), (shared, started) = flight.join("a", call), flight.join("a", call)
    assert (await first, await shared, started) == (1, 1, False)
    second, started = flight.join("a", call)
    assert (await second, started) == (2, True)
    finish.set()
    await asyncio.sleep(0)
    assert not flight.join("a", call)[1]
    await flight.close()


async def test_an_error_reaches_all_callers_and_the_next_one_starts_a_new_call() -> None:
    flight = SingleFlight[str, int]()

    async def fail(_: "asyncio.Future[int]") -> None:
        await asyncio.sleep(0)
        raise RuntimeError("broken")

    results = [flight.join("a", fail)[0] for _ in range(3)]
    for result in await asyncio.gather(*results, return_exceptions=True):
        assert isinstance(result, RuntimeError)
    assert flight.join("a", fail)[1]
    await flight.close()


async def test_close_cancels_calls_in_flight() -> None:
    flight = SingleFlight[str, int]()

    async def call(_: "asyncio.Future[int]") -> None:
        await asyncio.Event().wait()

    result, _ = flight.join("a", call)
    await flight.close()
    assert result.cancelled()


async def test_close_lets_a_call_with_a_result_finish() -> None:
    flight, stored = SingleFlight[str, int](), []

    async def call(result: "asyncio.Future[int]") -> None:
        result.set_result(1)
        await asyncio.sleep(0.01)
        stored.append(1)

    result, _ = flight.join("a", call)
    assert await result == 1
    await flight.close()
    assert stored == [1]


async def test_close_does_not_wait_for_a_call_that_hangs_after_its_result() -> None:
    flight = SingleFlight[str, int]()

    async def call(result: "asyncio.Future[int]") -> None:
        result.set_result(1)
        await asyncio.Event().wait()

    result, _ = flight.join("a", call)
    assert await result == 1
    await flight.close()
