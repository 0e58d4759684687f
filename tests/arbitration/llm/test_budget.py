"""The budget: it never decreases within an hour, is shared by the fleet, and starts at zero each hour of the clock."""

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
async def test_workers_with_a_shared_store_agree_and_never_decrease(
    history: list[tuple[str, int, float]],
) -> None:
    clock = Clock(now=1_800_000_000.0)
    store = MemoryStore()
    workers = [Budget(1.0, store, clock) for _ in range(3)]
    own_sums, before = [0.0] * 3, [0.0] * 3
    for action, index, cost in history:
        worker = workers[index]
        if action == "spend":
            worker.spend(cost)
            own_sums[index] += cost
        elif action == "report":
            await worker.report()
        elif action == "refresh":
            await worker.refresh()
        else:
            clock.now += 6
        spent = [each.spent for each in workers]
        assert all(now >= was - 1e-9 for now, was in zip(spent, before, strict=True))
        assert all(own_sums[n] - 1e-9 <= spent[n] <= sum(own_sums) + 1e-9 for n in range(3))
        before = spent
    clock.now += 6
    for worker in workers:
        await worker.report()
    clock.now += 6
    for worker in workers:
        await worker.refresh()
        assert worker.spent == pytest.approx(sum(own_sums))
        assert worker.exhausted == (worker.spent >= 1.0)


async def test_the_next_hour_starts_at_zero() -> None:
    clock = Clock(3600.0 * 10 + 3599)
    budget = Budget(1, MemoryStore(), clock)
    budget.spend(2)
    await budget.report()
    assert budget.exhausted
    clock.now += 1
    assert not budget.exhausted
    await budget.refresh()
    assert budget.spent == 0


async def test_without_a_limit_the_budget_is_never_spent_and_the_store_is_not_used() -> None:
    store = MemoryStore()
    budget = Budget(None, store, Clock(0))
    budget.spend(1e9)
    await budget.report()
    assert not budget.exhausted
    assert await store.get("openclaw:spent:0") is None


async def test_a_limit_of_zero_is_spent_at_once() -> None:
    assert Budget(0, MemoryStore(), Clock()).exhausted


@pytest.mark.parametrize("value", [b"", b"nan", b"inf", b"-5", b"x", b"1e999"])
async def test_an_invalid_sum_in_the_store_counts_as_zero(value: bytes) -> None:
    store = MemoryStore()
    await store.put("openclaw:spent:5", value, 60)
    budget = Budget(1, store, Clock(3600.0 * 5))
    await budget.refresh()
    assert budget.spent == 0


@pytest.mark.valkey
async def test_a_failed_report_is_repeated_and_a_sum_lost_by_the_store_still_counts() -> None:
    clock = Clock()
    with EmbeddedValkey() as valkey:
        stores = [RedisStore(valkey.url, counter(), CircuitBreaker(3, 0)) for _ in range(2)]
        own, other = (Budget(10, store, clock) for store in stores)
        own.spend(3)
        await own.report()
        valkey.kill()
        own.spend(2)
        await own.report()
        assert own.spent == pytest.approx(5)
        valkey.start()
        await own.report()
        await other.refresh()
        assert own.spent == pytest.approx(5)
        # The server lost its memory in the crash: for the fleet only the later cost counts.
        assert other.spent == pytest.approx(2)
        await asyncio.gather(*(store.close() for store in stores))
