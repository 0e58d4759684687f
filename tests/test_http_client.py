"""The HTTP client and the environment: proxies and certificates."""

import asyncio

import pytest

from openclaw_stream.arbitration.llm.providers import ProviderError
from openclaw_stream.errors import SettingsError
from tests.arbitration.llm.providers.calls import connected, ollama
from tests.arbitration.llm.providers.loopback import loopback, responds

LISTED = {"models": [{"name": "qwen"}]}


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY"])
async def test_the_proxy_is_used_for_other_hosts_and_never_for_loopback(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with loopback(responds(200, {"models": []})) as proxy, loopback(responds(200, LISTED)) as server:
        monkeypatch.setenv(variable, proxy.url)
        for url in (server.url, server.url.replace("127.0.0.1", "localhost")):
            near = ollama(url)
            await near.check()
            await near.close()
        assert proxy.requests == []
        far = ollama("http://ollama.example:11434")
        with pytest.raises(ProviderError, match="has no model"):
            await far.check()
        await far.close()
        assert [request.line for request in proxy.requests] == ["GET http://ollama.example:11434/api/tags HTTP/1.1"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [("ALL_PROXY", "socks5://127.0.0.1:1"), ("HTTPS_PROXY", "ftp://user:hunter2@x"), ("SSL_CERT_FILE", "/no/such")],
)
def test_an_unusable_environment_variable_is_named(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=variable) as caught:
        ollama("http://127.0.0.1:11434")
    assert "hunter2" not in str(caught.value)


async def test_the_client_does_not_limit_concurrent_calls() -> None:
    asked, number = 0, 100
    everybody = asyncio.Event()

    async def answer(writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        if asked == number:
            everybody.set()
        await everybody.wait()
        await responds(200, LISTED)(writer)

    async with connected(ollama, answer) as (provider, _):
        await asyncio.gather(*(provider.check() for _ in range(number)))
