"""Health and metrics over HTTP: `/livez`, `/readyz`, `/metrics`."""

import contextlib
import errno
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from openclaw_stream.errors import SettingsError
from openclaw_stream.settings import Address

_CLOSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Health:
    """The result of a probe: healthy if there are no reasons against it."""

    reasons: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there are no reasons."""
        return not self.reasons


Probe = Callable[[], Health]


@contextlib.asynccontextmanager
async def serve(
    address: Address | None, registry: CollectorRegistry, live: Probe, ready: Probe
) -> AsyncIterator[Address | None]:
    """Serve within a `with` block; without an address nothing is served.

    Each request runs its probe: 200, or 503 with the reasons as JSON. Yields the address, with the real port where 0
    was given. No signal handlers are installed.

    Raises:
        SettingsError: Cannot listen on the address, for example because another process uses the port.
    """
    if address is None:
        yield None
        return
    runner = web.AppRunner(_application(registry, live, ready), access_log=None, shutdown_timeout=_CLOSE_SECONDS)
    await runner.setup()
    try:
        yield await _listen(runner, address)
    finally:
        await runner.cleanup()


def _application(registry: CollectorRegistry, live: Probe, ready: Probe) -> web.Application:
    async def metrics(request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})

    application = web.Application()
    application.add_routes(
        [web.get("/livez", _handler(live)), web.get("/readyz", _handler(ready)), web.get("/metrics", metrics)]
    )
    return application


def _handler(probe: Probe) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_: web.Request) -> web.Response:
        health = probe()
        body = {"status": "ok" if health.ok else "unavailable", "reasons": list(health.reasons)}
        return web.json_response(body, status=200 if health.ok else 503)

    return answer


async def _listen(runner: web.AppRunner, address: Address) -> Address:
    host, port = address
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        reason = "the port is already in use" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
        raise SettingsError(
            f"OPENCLAW_HTTP_ADDR={shown}: {reason}; choose another address, or an empty one to serve nothing"
        ) from error
    return Address(host, runner.addresses[0][1])
