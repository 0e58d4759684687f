import gzip
import logging
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from openclaw_stream.arbitration.llm.prompt.response import RESPONSE_SCHEMA
from openclaw_stream.arbitration.llm.providers import Failure, Prompt, ProviderError
from openclaw_stream.embedded.server import free_port
from openclaw_stream.http_client import BODY_MAX
from tests.arbitration.llm.providers.calls import KEY, MAKERS, PROMPT, Maker, connected, fail, ollama
from tests.arbitration.llm.providers.loopback import Answer, hangs, raw, resets, responds, trickles, truncates

pytestmark = pytest.mark.parametrize("maker", MAKERS)


def own_key(maker: Maker) -> list[str]:
    """The key of a provider, in full and cut; Ollama has none."""
    return [] if maker is ollama else [KEY, KEY[:6]]


@pytest.mark.parametrize(
    ("answer", "seconds", "failure"),
    [
        (hangs, 0.1, Failure.TIMEOUT),
        (trickles(), 0.1, Failure.TIMEOUT),
        (trickles(500), 0.1, Failure.TIMEOUT),
        (resets, 10, Failure.UNREACHABLE),
        (raw(b""), 10, Failure.UNREACHABLE),
        (raw(b"SSH-2.0-OpenSSH\r\n"), 10, Failure.UNREACHABLE),
        (truncates(b'{"message": {"content": "{'), 10, Failure.UNREACHABLE),
        (responds(200, b'{"message": {"content": "{'), 10, Failure.GARBAGE),
        (responds(200, b"<html>Welcome</html>"), 10, Failure.GARBAGE),
        (responds(200, b""), 10, Failure.GARBAGE),
        (responds(200, b"[1]"), 10, Failure.GARBAGE),
        (responds(200, b"[" * 10_000), 10, Failure.GARBAGE),
        (responds(200, {"unknown": [None, {"shape": 1}]}), 10, Failure.GARBAGE),
        (responds(200, b" " * (BODY_MAX + 1)), 10, Failure.GARBAGE),
        (responds(500, b"x" * (BODY_MAX + 1)), 10, Failure.GARBAGE),
        (responds(200, gzip.compress(b"{}"), content_encoding="gzip"), 10, Failure.GARBAGE),
        (responds(301, b"", location="http://127.0.0.1:1/"), 10, Failure.BAD_REQUEST),
        (responds(400, {"error": "bad body"}), 10, Failure.BAD_REQUEST),
        (responds(401, b""), 10, Failure.UNAUTHORIZED),
        (responds(402, b""), 10, Failure.SPEND_LIMIT),
        (responds(403, b""), 10, Failure.UNAUTHORIZED),
        (responds(404, b"page not found"), 10, Failure.MODEL_MISSING),
        (responds(408, b""), 10, Failure.TIMEOUT),
        (responds(413, b""), 10, Failure.CONTEXT_TOO_LONG),
        (responds(429, b""), 10, Failure.RATE_LIMITED),
        (responds(500, b"\xff\xfe"), 10, Failure.SERVER_ERROR),
        (responds(502, b"<h1>Bad Gateway</h1>"), 10, Failure.SERVER_ERROR),
        (responds(503, b""), 10, Failure.OVERLOADED),
        (responds(504, b""), 10, Failure.SERVER_ERROR),
    ],
)
async def test_transport_and_status_failures_are_classified(
    maker: Maker, answer: Answer, seconds: float, failure: Failure
) -> None:
    error = await fail(maker, answer, seconds)
    assert error.failure is failure
    assert str(error).startswith(maker.__name__)
    assert len(str(error)) < 600


async def test_a_refused_connection_is_unreachable(maker: Maker) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    provider = maker(url)
    with pytest.raises(ProviderError, match=f"at {url} cannot be reached: ConnectError") as caught:
        await provider.ask(PROMPT, RESPONSE_SCHEMA, timeout=10)
    await provider.close()
    assert caught.value.failure is Failure.UNREACHABLE
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [("17", 17, 17), ("0.5", 0.5, 0.5), ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0), ("{soon}", 80, 91)],
)
async def test_retry_after_is_read_as_seconds_or_a_date(maker: Maker, header: str, least: float, most: float) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    error = await fail(maker, responds(429, b"", retry_after=header.format(soon=soon)))
    assert error.retry_after is not None
    assert least <= error.retry_after <= most
    assert error.retryable


@pytest.mark.parametrize("header", ["soon", "-1", "", "1e400", "Wed, 99 Oct 2015"])
async def test_an_invalid_retry_after_is_ignored(maker: Maker, header: str) -> None:
    error = await fail(maker, responds(503, b"", retry_after=header))
    assert (error.failure, error.retry_after) == (Failure.OVERLOADED, None)


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": f"bad key {KEY}"}},
        {"error": f"bad key {KEY}"},
        f"<p>{KEY}</p>".encode(),
        b" " * 4090 + KEY.encode(),
        f"{KEY} password=hunter2hunter2 Bearer abcdef123456 a@b.example".encode(),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 500])
async def test_no_secret_is_in_an_error_or_a_log(
    maker: Maker, body: object, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    error = await fail(maker, responds(status, body))
    shown = "".join(traceback.format_exception(error)) + caplog.text
    for secret in (*own_key(maker), "hunter2", "abcdef123456", "a@b.example"):
        assert secret not in shown


async def test_hidden_characters_of_an_error_are_escaped(maker: Maker) -> None:
    error = await fail(maker, responds(400, {"error": {"message": "evil\u202etxt \x1b[31m\n" + "long " * 500}}))
    assert "evil<U+202E>txt <U+001B>[31m long" in str(error)
    assert len(str(error)) < 500


async def test_a_lone_surrogate_is_replaced(maker: Maker) -> None:
    async with connected(maker, responds(500, b"")) as (provider, server):
        with pytest.raises(ProviderError, match="500"):
            await provider.ask(Prompt("s", "half \ud83d of a pair", "v"), RESPONSE_SCHEMA, timeout=10)
    assert b"half ? of a pair" in server.requests[0].body


async def test_the_key_is_in_a_header_only(maker: Maker) -> None:
    async with connected(maker, responds(500, b"")) as (provider, server):
        for call in (provider.check(), provider.ask(PROMPT, RESPONSE_SCHEMA, timeout=10)):
            with pytest.raises(ProviderError, match="500"):
                await call
    for request in server.requests:
        assert KEY not in request.line + request.body.decode()
        assert all(key in str(request.headers) for key in own_key(maker))
        assert request.headers["accept-encoding"] == "identity"
    assert len(server.requests) == 2


async def test_check_reports_a_server_that_is_down(maker: Maker) -> None:
    async with connected(maker, responds(503, b"")) as (provider, _):
        with pytest.raises(ProviderError) as caught:
            await provider.check()
    assert caught.value.failure is Failure.OVERLOADED
