"""Single flight: one call for a key at a time, whoever gives up waiting."""

import asyncio

import pytest

from openclaw_stream.resilience.single_flight import SingleFlight


async def test_equal_keys_share_one_call_and_others_do_not() -> None:
    flights, calls, go = SingleFlight[int](lambda _: True), 0, asyncio.Event()

    async def fly(landing: "asyncio.Future[int]") -> None:
        nonlocal calls
        calls += 1
        mine = calls
        await go.wait()
        landing.set_result(mine)

    boarded = [flights.board(key, fly) for key in ("a", "b", "a", "a")]
    go.set()
    assert [own for _, own in boarded] == [True, True, False, False]
    assert [await landing for landing, _ in boarded] == [1, 2, 1, 1]


async def test_who_gives_up_leaves_the_call_to_finish() -> None:
    flights, go, finished = SingleFlight[int](lambda _: True), asyncio.Event(), asyncio.Event()

    async def fly(landing: "asyncio.Future[int]") -> None:
        await go.wait()
        landing.set_result(1)
        finished.set()

    async def wait() -> int:
        landing, _ = flights.board("a", fly)
        return await asyncio.shield(landing)

    waiter = asyncio.create_task(wait())
    await asyncio.sleep(0)
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    go.set()
    await finished.wait()


async def test_the_answer_holds_until_it_is_stored() -> None:
    flights, go, calls = SingleFlight[int](lambda _: True), asyncio.Event(), 0

    async def fly(landing: "asyncio.Future[int]") -> None:
        nonlocal calls
        calls += 1
        landing.set_result(calls)
        await go.wait()

    first, _ = flights.board("a", fly)
    assert await first == 1
    second, own = flights.board("a", fly)
    assert (await second, own) == (1, False)
    go.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert flights.board("a", fly)[1]
    await flights.close()


async def test_a_result_that_does_not_hold_is_shared_by_those_who_wait_only() -> None:
    flights, go, calls = SingleFlight[int](lambda result: result > 1), asyncio.Event(), 0

    async def fly(landing: "asyncio.Future[int]") -> None:
        nonlocal calls
        calls += 1
        landing.set_result(calls)
        await go.wait()

    (first, _), (shared, own) = flights.board("a", fly), flights.board("a", fly)
    assert (await first, await shared, own) == (1, 1, False)
    second, own = flights.board("a", fly)
    assert (await second, own) == (2, True)
    go.set()
    await asyncio.sleep(0)
    assert not flights.board("a", fly)[1]
    await flights.close()


async def test_a_fault_reaches_all_who_wait_and_the_next_call_starts_anew() -> None:
    flights = SingleFlight[int](lambda _: True)

    async def fail(_: "asyncio.Future[int]") -> None:
        await asyncio.sleep(0)
        raise RuntimeError("broken")

    landings = [flights.board("a", fail)[0] for _ in range(3)]
    for result in await asyncio.gather(*landings, return_exceptions=True):
        assert isinstance(result, RuntimeError)
    assert flights.board("a", fail)[1]
    await flights.close()


async def test_closing_cancels_what_is_under_way() -> None:
    flights = SingleFlight[int](lambda _: True)

    async def fly(_: "asyncio.Future[int]") -> None:
        await asyncio.Event().wait()

    landing, _ = flights.board("a", fly)
    await flights.close()
    assert landing.cancelled()


async def test_closing_lets_what_has_its_result_be_stored() -> None:
    flights, stored = SingleFlight[int](lambda _: True), []

    async def fly(landing: "asyncio.Future[int]") -> None:
        landing.set_result(1)
        await asyncio.sleep(0.01)
        stored.append(1)

    landing, _ = flights.board("a", fly)
    assert await landing == 1
    await flights.close()
    assert stored == [1]


async def test_closing_does_not_wait_for_a_store_that_hangs() -> None:
    flights = SingleFlight[int](lambda _: True)

    async def fly(landing: "asyncio.Future[int]") -> None:
        landing.set_result(1)
        await asyncio.Event().wait()

    landing, _ = flights.board("a", fly)
    assert await landing == 1
    await flights.close()
