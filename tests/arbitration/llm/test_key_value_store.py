"""The store: the memory of this process, and a real Valkey that is killed, paused, filled and restarted."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis

from openclaw_stream.arbitration.llm.key_value_store import READ_SECONDS, MemoryStore, RedisStore, Store
from openclaw_stream.embedded import EmbeddedValkey
from openclaw_stream.resilience.circuit_breaker import CircuitBreaker
from tests.arbitration.llm.model_server import counter, total
from tests.embedded.containers import ValkeyServer


@pytest.fixture(scope="module")
def own_valkey() -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey() as server:
        yield server


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["memory", "redis"])
async def store(request: pytest.FixtureRequest, valkey: ValkeyServer) -> AsyncIterator[Store]:
    created: Store = (
        MemoryStore() if request.param == "memory" else RedisStore(valkey.url, counter(), CircuitBreaker(3, 10))
    )
    yield created
    await created.close()


async def test_a_stored_value_is_returned(store: Store) -> None:
    await store.put("put", b"\x00value", 60)
    assert await store.get("put") == b"\x00value"
    assert await store.get("absent") is None


async def test_amounts_are_added_to_a_sum(store: Store) -> None:
    assert await store.add("sum", 0.25, 60)
    assert await store.add("sum", 1.5, 60)
    assert float(await store.get("sum") or 0) == pytest.approx(1.75)


async def test_redis_entries_expire(valkey: ValkeyServer) -> None:
    store = RedisStore(valkey.url, counter(), CircuitBreaker(3, 10))
    await store.put("kept", b"v", 1800)
    await store.add("added", 1, 7200)
    async with Redis.from_url(valkey.url) as client:
        assert 1700 < await client.ttl("kept") <= 1800
        assert 7100 < await client.ttl("added") <= 7200
    await store.close()


async def test_memory_drops_expired_and_least_recently_used_values() -> None:
    clock = Clock()
    store = MemoryStore(clock)
    await store.put("old", b"1", 10)
    clock.now += 10
    assert await store.get("old") is None
    for n in range(5000):
        await store.put(f"k{n}", b"v", 60)
        assert await store.get("k0") == b"v"
    assert await store.get("k1") is None
    assert await store.get("k4999") == b"v"


async def test_a_killed_server_is_bypassed_until_it_restarts(own_valkey: EmbeddedValkey) -> None:
    failures = counter()
    store = RedisStore(own_valkey.url, failures, CircuitBreaker(3, 0))
    await store.put("key", b"before", 60)
    own_valkey.kill()
    assert await store.get("key") is None
    await store.put("key", b"lost", 60)
    assert not await store.add("sum", 1, 60)
    assert total(failures) == 3
    own_valkey.start()
    await store.put("key", b"after", 60)
    assert await store.get("key") == b"after"
    await store.close()


async def test_a_hanging_server_is_not_waited_for_and_its_late_answers_reach_no_other_command(
    own_valkey: EmbeddedValkey,
) -> None:
    failures = counter()
    store = RedisStore(own_valkey.url, failures, CircuitBreaker(3, 0))
    for n in range(8):
        await store.put(f"k{n}", f"v{n}".encode(), 60)
    own_valkey.pause()
    try:
        assert [await store.get(f"k{n}") for n in range(4)] == [None] * 4
    finally:
        own_valkey.resume()
    assert total(failures) == 4
    assert [await store.get(f"k{n}") for n in range(8)] == [f"v{n}".encode() for n in range(8)]
    await store.close()


async def test_the_circuit_opens_after_three_failures(own_valkey: EmbeddedValkey) -> None:
    failures, clock = counter(), Clock()
    store = RedisStore(own_valkey.url, failures, CircuitBreaker(3, 10, clock))
    await store.put("key", b"value", 60)
    own_valkey.kill()
    for _ in range(3):
        assert await store.get("key") is None
    own_valkey.start()
    async with Redis.from_url(own_valkey.url) as client:
        await client.set("key", b"value")
    assert await store.get("key") is None
    assert total(failures) == 4
    clock.now += 10
    assert await store.get("key") == b"value"
    await store.close()


async def test_a_burst_waits_for_free_connections(valkey: ValkeyServer) -> None:
    failures = counter()
    store = RedisStore(valkey.url, failures, CircuitBreaker(3, 10))
    await asyncio.gather(*(store.put(f"burst{n}", b"v", 60) for n in range(100)))
    assert total(failures) == 0
    assert await store.get("burst99") == b"v"
    await store.close()


async def test_a_blocked_event_loop_is_not_counted_as_the_servers_delay(valkey: ValkeyServer) -> None:
    failures = counter()
    store = RedisStore(valkey.url, failures, CircuitBreaker(3, 10))
    await asyncio.gather(*(store.put("key", b"value", 60) for _ in range(8)))  # all are connected

    async def block() -> None:
        while True:
            time.sleep(1.5 * READ_SECONDS)  # noqa: ASYNC251 - it blocks the loop on purpose
            await asyncio.sleep(0)

    busy = asyncio.create_task(block())
    assert await asyncio.gather(*(store.get("key") for _ in range(8))) == [b"value"] * 8
    busy.cancel()
    assert total(failures) == 0
    await store.close()


async def test_a_full_server_is_still_read_from(own_valkey: EmbeddedValkey) -> None:
    failures = counter()
    store = RedisStore(own_valkey.url, failures, CircuitBreaker(1, 60))
    await store.put("key", b"value", 60)
    async with Redis.from_url(own_valkey.url) as client:
        await client.config_set("maxmemory", "1")
        try:
            await store.put("more", b"x", 60)
            assert not await store.add("sum", 1, 60)
            assert total(failures) == 2
            assert await store.get("key") == b"value"
        finally:
            await client.config_set("maxmemory", "0")
    await store.close()


async def test_a_key_of_another_type_is_a_miss(valkey: ValkeyServer) -> None:
    store = RedisStore(valkey.url, counter(), CircuitBreaker(1, 60))
    async with Redis.from_url(valkey.url) as client:
        await client.lpush("list", "x")
    assert await store.get("list") is None
    assert not await store.add("list", 1, 60)
    await store.put("list", b"value", 60)
    assert await store.get("list") == b"value"
    await store.close()
