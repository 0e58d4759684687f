import asyncio
from collections.abc import Awaitable, Callable

import pytest
from pydantic import SecretStr

from openclaw_stream.langfuse.health import LangfuseError, check_langfuse
from openclaw_stream.settings.langfuse import LangfuseSettings
from tests.arbitration.llm.providers.loopback import Answer, loopback, raw, responds

SECRET = "sk-lf-" + "0123456789"
HEALTHY = responds(200, {"status": "OK", "version": "4.60.0"})


def settings(url: str) -> LangfuseSettings:
    return LangfuseSettings(public_key=SecretStr("pk-lf-1"), secret_key=SecretStr(SECRET), base_url=url, timeout=5)


def in_turn(*answers: Answer) -> Callable[[asyncio.StreamWriter], Awaitable[None]]:
    """Answer the first request with the first answer, and so on."""
    remaining = iter(answers)

    async def answer(writer: asyncio.StreamWriter) -> None:
        await next(remaining)(writer)

    return answer


async def test_the_version_of_a_healthy_server_is_returned() -> None:
    async with loopback(in_turn(HEALTHY, responds(200, {"data": []}))) as server:
        assert await check_langfuse(settings(server.url)) == "4.60.0"
    health, projects = server.requests
    assert "authorization" not in health.headers
    assert projects.headers["authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([responds(200, {"status": "OK"})], "does not answer like a Langfuse server (200)"),
        ([responds(200, {"version": ["4"]})], "does not answer like a Langfuse server (200)"),
        ([responds(200, {"version": "3.1.0"})], "runs 3.1.0, which is too old for the SDK"),
        ([responds(503, {"version": "4.60.0"})], "runs 4.60.0 and reports that it is unhealthy (503)"),
        ([HEALTHY, responds(401, {})], "rejects the keys (401); check LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY"),
        ([HEALTHY, responds(403, {})], "rejects the keys (403)"),
        ([HEALTHY, responds(500, {})], "answered 500 to the request for the project of the keys"),
        ([raw(b"")], "cannot be reached: RemoteProtocolError"),
    ],
)
async def test_a_server_that_cannot_be_used_is_an_error_with_the_reason(answers: list[Answer], reason: str) -> None:
    async with loopback(in_turn(*answers)) as server:
        with pytest.raises(LangfuseError) as raised:
            await check_langfuse(settings(server.url))
    assert reason in str(raised.value)
    assert SECRET not in str(raised.value)
    assert raised.value.__cause__ is None
