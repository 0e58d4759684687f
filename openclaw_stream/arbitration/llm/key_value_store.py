"""Where answers and sums are kept: Redis or Valkey for the fleet, or this process's memory.

A store never raises and never keeps a decision waiting: what it cannot do at once it does not do, and counts.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import structlog
from prometheus_client import Counter
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from openclaw_stream.resilience.circuit_breaker import CircuitBreaker
from openclaw_stream.text.redaction import redact

log = structlog.get_logger(__name__)

PATIENCE = 0.05
"""Seconds a decision waits for the store at most."""

_LOOKS = 10
"""How often a wait looks for its answer."""

_WRITE_SECONDS = 2.0
_CONNECTIONS = 16
_ENTRIES = 4096

T = TypeVar("T")


class Store(Protocol):
    """Values and sums that expire."""

    async def get(self, key: str) -> bytes | None:
        """Return a value, within PATIENCE seconds; None where there is none or it cannot be had."""

    async def put(self, key: str, value: bytes, ttl: int) -> None:
        """Keep a value for `ttl` seconds."""

    async def add(self, key: str, amount: float, ttl: int) -> bool:
        """Add to a sum that `get` reads as a decimal; it is kept for `ttl` seconds. False where that failed."""

    async def close(self) -> None:
        """Let go of the connections."""


class MemoryStore:
    """The memory of this process: the last few thousand values."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._values: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    async def get(self, key: str) -> bytes | None:
        """Return a value that has not expired."""
        expires, value = self._values.get(key, (0.0, b""))
        if expires <= self._clock():
            self._values.pop(key, None)
            return None
        self._values.move_to_end(key)
        return value

    async def put(self, key: str, value: bytes, ttl: int) -> None:
        """Keep a value; the one used longest ago makes room."""
        self._values[key] = (self._clock() + ttl, value)
        self._values.move_to_end(key)
        if len(self._values) > _ENTRIES:
            self._values.popitem(last=False)

    async def add(self, key: str, amount: float, ttl: int) -> bool:
        """Add to a sum."""
        await self.put(key, repr(float(await self.get(key) or 0) + amount).encode(), ttl)
        return True

    async def close(self) -> None:
        """Nothing is open."""


class RedisStore:
    """A server of the Redis protocol; while it fails it is left alone for some seconds at a time.

    Args:
        url: redis://, rediss:// or unix://, with credentials if it asks for some.
        failures: Counts what was bypassed.
        breaker: Says when the server is left alone.
    """

    def __init__(self, url: str, failures: Counter, breaker: CircuitBreaker) -> None:
        # A burst waits for a connection: one that finds none free would be a failure of the server's.
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=_WRITE_SECONDS,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=_WRITE_SECONDS,
            socket_timeout=_WRITE_SECONDS,
        )
        self._redis: Redis = Redis.from_pool(pool)
        self._failures = failures
        self._breaker = breaker

    async def get(self, key: str) -> bytes | None:
        """Return a value, unless the server is down, slow or left alone."""
        value = await self._ask(lambda: self._redis.get(key), PATIENCE)
        return value if isinstance(value, bytes) else None

    async def put(self, key: str, value: bytes, ttl: int) -> None:
        """Keep a value, if the server takes it."""
        await self._ask(lambda: self._redis.set(key, value, ex=ttl), _WRITE_SECONDS)

    async def add(self, key: str, amount: float, ttl: int) -> bool:
        """Add to the fleet's sum, if the server takes it."""
        return await self._ask(lambda: self._add(key, amount, ttl), _WRITE_SECONDS) is not None

    async def ping(self) -> None:
        """Ask whether the server answers.

        Raises:
            RedisError: It does not.
        """
        await self._redis.ping()

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def _add(self, key: str, amount: float, ttl: int) -> bool:
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.incrbyfloat(key, amount)
            pipeline.expire(key, ttl)
            await pipeline.execute()
        return True

    async def _ask(self, command: Callable[[], Awaitable[T]], seconds: float) -> T | None:
        if not self._breaker.allows():
            self._failures.inc()
            return None
        try:
            answer = await _within(seconds, command())
        except ResponseError as error:  # it lives: full, read-only, or the key is of another type
            self._breaker.succeeded()
            self._bypass(error)
            return None
        except (RedisError, OSError, ValueError) as error:  # a TimeoutError is an OSError
            self._breaker.failed()
            self._bypass(error)
            return None
        self._breaker.succeeded()
        return answer

    def _bypass(self, error: Exception) -> None:
        self._failures.inc()
        log.warning("redis is bypassed", reason=redact(f"{type(error).__name__}: {error}"))


async def _within(seconds: float, asking: Awaitable[T]) -> T:
    """Await an answer for so long at most.

    It is the server's time that counts. One timer for the whole would go off in a burst, when this process is busy for
    longer than that between two turns of its loop, and the answer that lies in the socket would be taken for a failure.

    Raises:
        TimeoutError: There was none.
    """
    task = asyncio.ensure_future(asking)
    try:
        for _ in range(_LOOKS):
            await asyncio.wait({task}, timeout=seconds / _LOOKS)
            if task.done():
                return await task
        raise TimeoutError
    finally:
        task.cancel()
