import asyncio
import signal
import socket

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter

from openclaw_stream.errors import SettingsError
from openclaw_stream.settings import Address
from openclaw_stream.telemetry.health import Health, serve

LOOPBACK = Address("127.0.0.1", 0)


def well() -> Health:
    return Health()


def registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    Counter("openclaw_things", "Things.", registry=registry).inc(2)
    return registry


def base(address: Address | None) -> str:
    assert address is not None
    return f"http://{address.host}:{address.port}"


async def test_each_request_runs_the_probe() -> None:
    reasons: tuple[str, ...] = ("Kafka does not answer", "partition 3 is being restored")
    async with serve(LOOPBACK, registry(), well, lambda: Health(reasons)) as address, httpx.AsyncClient() as client:
        live = await client.get(f"{base(address)}/livez")
        ready = await client.get(f"{base(address)}/readyz")
        assert (live.status_code, live.json()) == (200, {"status": "ok", "reasons": []})
        assert (ready.status_code, ready.json()) == (503, {"status": "unavailable", "reasons": list(reasons)})
        reasons = ()
        assert (await client.get(f"{base(address)}/readyz")).status_code == 200
        assert (await client.get(f"{base(address)}/")).status_code == 404


async def test_metrics_are_served_in_the_requested_format() -> None:
    async with serve(LOOPBACK, registry(), well, well) as address, httpx.AsyncClient() as client:
        text = await client.get(f"{base(address)}/metrics")
        open_metrics = await client.get(
            f"{base(address)}/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}
        )
    assert text.headers["content-type"].startswith("text/plain")
    assert "openclaw_things_total 2.0" in text.text
    assert open_metrics.headers["content-type"].startswith("application/openmetrics-text")
    assert open_metrics.text.endswith("# EOF\n")


async def test_a_port_in_use_is_a_settings_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"OPENCLAW_HTTP_ADDR=127\.0\.0\.1:{port}: the port is already in use"):
            async with serve(Address("127.0.0.1", port), registry(), well, well):
                pytest.fail("it listens")


async def test_an_address_of_another_host_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match=r"OPENCLAW_HTTP_ADDR=192\.0\.2\.1:8080"):
        async with serve(Address("192.0.2.1", 8080), registry(), well, well):
            pytest.fail("it listens")


async def test_without_an_address_nothing_is_served() -> None:
    async with serve(None, registry(), well, well) as address:
        assert address is None


async def test_the_port_is_released_and_no_signal_handlers_are_installed() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    async with serve(LOOPBACK, registry(), well, well) as address:
        assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
        assert address is not None
    async with serve(address, registry(), well, well) as again:
        assert again == address


async def test_an_open_connection_does_not_delay_the_shutdown() -> None:
    async with serve(LOOPBACK, registry(), well, well) as address:
        assert address is not None
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    assert b"ok" in await reader.read()
    writer.close()
    await writer.wait_closed()
