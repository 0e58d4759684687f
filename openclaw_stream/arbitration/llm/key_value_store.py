"""The store of answers and sums: Redis or Valkey, shared by the fleet, or the memory of this process.

A store never raises, and a read takes at most READ_SECONDS. A command that fails or takes longer is counted.
"""

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

from openclaw_stream.resilience.circuit_breaker import CircuitBreaker, CircuitOpenError
from openclaw_stream.resilience.deadline import within_server_time
from openclaw_stream.text import Hidden, safe_text

log = structlog.get_logger(__name__)

READ_SECONDS = 0.05
"""How long a decision waits for the store."""

_WRITE_SECONDS = 2.0
_CONNECTIONS = 16
_ENTRIES_MAX = 4096
_REASON_MAX = 300

T = TypeVar("T")


class Store(Protocol):
    """Values and sums that expire."""

    async def get(self, key: str) -> bytes | None:
        """Return a value, within READ_SECONDS; None where there is none or the store does not answer."""

    async def put(self, key: str, value: bytes, ttl: int) -> None:
        """Store a value for `ttl` seconds."""

    async def add(self, key: str, amount: float, ttl: int) -> bool:
        """Add to a sum, which `get` returns as a decimal, and keep it for `ttl` seconds; False where that failed."""

    async def close(self) -> None:
        """Close the connections."""


class MemoryStore:
    """The memory of this process, for the last few thousand values."""

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
        """Store a value; one too many evicts the least recently used."""
        self._values[key] = (self._clock() + ttl, value)
        self._values.move_to_end(key)
        if len(self._values) > _ENTRIES_MAX:
            self._values.popitem(last=False)

    async def add(self, key: str, amount: float, ttl: int) -> bool:
        """Add to a sum."""
        await self.put(key, repr(float(await self.get(key) or 0) + amount).encode(), ttl)
        return True

    async def close(self) -> None:
        """There is nothing to close."""


class RedisStore:
    """A server of the Redis protocol; after repeated failures it is bypassed while its circuit is open.

    Args:
        url: redis://, rediss:// or unix://, with credentials if the server needs them.
        bypassed: Counts the commands that were not carried out.
        breaker: Opens after repeated failures.
    """

    def __init__(self, url: str, bypassed: Counter, breaker: CircuitBreaker) -> None:
        # In a burst, commands wait for a free connection: a pool that raises would count as failures of the server.
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=_WRITE_SECONDS,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=_WRITE_SECONDS,
            socket_timeout=_WRITE_SECONDS,
        )
        self._redis: Redis = Redis.from_pool(pool)
        self._bypassed = bypassed
        self._breaker = breaker

    async def get(self, key: str) -> bytes | None:
        """Return a value; None also where the server is down, slow or bypassed."""
        value = await self._execute(lambda: self._redis.get(key), READ_SECONDS)
        return value if isinstance(value, bytes) else None

    async def put(self, key: str, value: bytes, ttl: int) -> None:
        """Store a value, if the server accepts it."""
        await self._execute(lambda: self._redis.set(key, value, ex=ttl), _WRITE_SECONDS)

    async def add(self, key: str, amount: float, ttl: int) -> bool:
        """Add to the fleet's sum, if the server accepts it."""
        return await self._execute(lambda: self._add(key, amount, ttl), _WRITE_SECONDS) is not None

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def _add(self, key: str, amount: float, ttl: int) -> bool:
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.incrbyfloat(key, amount)
            pipeline.expire(key, ttl)
            await pipeline.execute()
        return True

    async def _execute(self, command: Callable[[], Awaitable[T]], seconds: float) -> T | None:
        try:
            with self._breaker.attempt(_is_failure):
                return await within_server_time(seconds, command())
        except CircuitOpenError:
            self._bypassed.inc()
        except (RedisError, OSError, ValueError) as error:  # a TimeoutError is an OSError
            self._bypass(error)
        return None

    def _bypass(self, error: Exception) -> None:
        self._bypassed.inc()
        reason = safe_text(f"{type(error).__name__}: {error}", _REASON_MAX, hidden=Hidden.ESCAPE, one_line=True)
        log.warning("redis command failed", reason=reason)


def _is_failure(error: Exception) -> bool | None:
    """Return whether an error is a failure of the server; with a ResponseError it answers: it is full, or read-only."""
    if isinstance(error, ResponseError):
        return False
    return True if isinstance(error, (RedisError, OSError, ValueError)) else None
