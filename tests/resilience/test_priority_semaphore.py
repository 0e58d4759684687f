import asyncio

from openclaw_stream.resilience.priority_semaphore import PrioritySemaphore


async def test_a_slot_goes_to_the_highest_rank_and_among_equals_to_the_longest_wait() -> None:
    semaphore, order = PrioritySemaphore(1), list[str]()
    await semaphore.acquire(0)

    async def call(name: str, rank: int) -> None:
        await semaphore.acquire(rank)
        order.append(name)
        semaphore.release()

    calls = [asyncio.create_task(call(name, rank)) for name, rank in (("low", 0), ("first", 2), ("second", 2))]
    await asyncio.sleep(0)
    assert semaphore.waiting == 3
    semaphore.release()
    await asyncio.gather(*calls)
    assert order == ["first", "second", "low"]
    assert semaphore.waiting == 0


async def test_the_limit_is_the_number_of_calls_at_the_same_time() -> None:
    semaphore = PrioritySemaphore(2)
    await semaphore.acquire(0)
    await semaphore.acquire(0)
    third = asyncio.create_task(semaphore.acquire(9))
    await asyncio.sleep(0)
    assert not third.done()
    semaphore.release()
    await third


async def test_a_cancelled_waiter_passes_its_slot_on() -> None:
    semaphore = PrioritySemaphore(1)
    await semaphore.acquire(0)
    waiting = [asyncio.create_task(semaphore.acquire(rank)) for rank in (2, 1)]
    await asyncio.sleep(0)
    semaphore.release()
    waiting[0].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert not waiting[1].cancelled()
    semaphore.release()
    await semaphore.acquire(0)
    assert semaphore.waiting == 0
