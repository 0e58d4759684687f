"""The budget: never forgets within an hour, adds up for the fleet, and starts anew with the clock's hour."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.arbitration.llm.budget import Budget
from openclaw_stream.arbitration.llm.key_value_store import MemoryStore, RedisStore
from openclaw_stream.embedded import EmbeddedValkey
from openclaw_stream.resilience.circuit_breaker import CircuitBreaker
from tests.arbitration.llm.model_server import counter


class Clock:
    def __init__(self, now: float = 1_795_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


steps = st.lists(
    st.one_of(
        st.tuples(st.just("spend"), st.integers(0, 2), st.floats(0, 1, allow_subnormal=False)),
        st.tuples(st.sampled_from(["report", "refresh", "wait"]), st.integers(0, 2), st.just(0.0)),
    ),
    max_size=60,
)


@given(steps)
async def test_workers_that_share_a_store_agree_and_never_forget(taken: list[tuple[str, int, float]]) -> None:
    clock = Clock(now=1_800_000_000.0)
    store = MemoryStore()
    workers = [Budget(1.0, store, clock) for _ in range(3)]
    own, before = [0.0] * 3, [0.0] * 3
    for what, index, cost in taken:
        worker = workers[index]
        if what == "spend":
            worker.spend(cost)
            own[index] += cost
        elif what == "report":
            await worker.report()
        elif what == "refresh":
            await worker.refresh()
        else:
            clock.now += 6
        spent = [each.spent for each in workers]
        assert all(now >= was - 1e-9 for now, was in zip(spent, before, strict=True))
        assert all(own[n] - 1e-9 <= spent[n] <= sum(own) + 1e-9 for n in range(3))
        before = spent
    clock.now += 6
    for worker in workers:
        await worker.report()
    clock.now += 6
    for worker in workers:
        await worker.refresh()
        assert worker.spent == pytest.approx(sum(own))
        assert worker.exhausted == (worker.spent >= 1.0)


async def test_the_next_hour_begins_with_nothing_spent() -> None:
    clock = Clock(3600.0 * 10 + 3599)
    budget = Budget(1, MemoryStore(), clock)
    budget.spend(2)
    await budget.report()
    assert budget.exhausted
    clock.now += 1
    assert not budget.exhausted
    await budget.refresh()
    assert budget.spent == 0


async def test_without_a_limit_nothing_is_exhausted_and_the_store_is_left_alone() -> None:
    store = MemoryStore()
    budget = Budget(None, store, Clock(0))
    budget.spend(1e9)
    await budget.report()
    assert not budget.exhausted
    assert await store.get("openclaw:spent:0") is None


async def test_a_limit_of_nothing_is_exhausted_at_once() -> None:
    assert Budget(0, MemoryStore(), Clock()).exhausted


@pytest.mark.parametrize("value", [b"", b"nan", b"inf", b"-5", b"x", b"1e999"])
async def test_a_sum_that_makes_no_sense_counts_as_nothing(value: bytes) -> None:
    store = MemoryStore()
    await store.put("openclaw:spent:5", value, 60)
    budget = Budget(1, store, Clock(3600.0 * 5))
    await budget.refresh()
    assert budget.spent == 0


@pytest.mark.valkey
async def test_what_could_not_be_reported_is_reported_later_and_a_lost_sum_is_not_forgotten() -> None:
    clock = Clock()
    with EmbeddedValkey() as valkey:
        stores = [RedisStore(valkey.url, counter(), CircuitBreaker(3, 0)) for _ in range(2)]
        mine, other = (Budget(10, store, clock) for store in stores)
        mine.spend(3)
        await mine.report()
        valkey.kill()
        mine.spend(2)
        await mine.report()
        assert mine.spent == pytest.approx(5)
        valkey.start()
        await mine.report()
        await other.refresh()
        assert mine.spent == pytest.approx(5)
        # The server kept nothing in memory through the crash: only what came after it is there for the fleet.
        assert other.spent == pytest.approx(2)
        await asyncio.gather(*(store.close() for store in stores))
