import asyncio
from typing import Any

import pytest

from openclaw_stream.signoz.client import SigNozClient, SigNozError
from tests.arbitration.llm.providers.loopback import Answer, hangs, loopback, responds
from tests.signoz.server import KEY


async def query(url: str, key: str | None = KEY, seconds: float = 10) -> Any:
    client = SigNozClient(url, key)
    try:
        return await client.query({"a": 1}, asyncio.get_running_loop().time() + seconds)
    finally:
        await client.close()


async def error_of(answer: Answer, seconds: float = 10) -> SigNozError:
    async with loopback(answer) as server:
        with pytest.raises(SigNozError) as raised:
            await query(server.url, seconds=seconds)
    return raised.value


async def test_a_query_returns_the_data_of_the_response() -> None:
    async with loopback(responds(200, {"status": "success", "data": [1]})) as server:
        assert await query(server.url) == [1]
    (request,) = server.requests
    assert request.line.startswith("POST /api/v5/query_range ")
    assert request.headers["signoz-api-key"] == KEY


async def test_without_a_key_no_header_is_sent() -> None:
    async with loopback(responds(200, {"status": "success", "data": None})) as server:
        assert await query(server.url, None) is None
    assert "signoz-api-key" not in server.requests[0].headers


@pytest.mark.parametrize(
    ("status", "rejected"), [(400, True), (401, False), (404, False), (429, False), (500, False), (503, False)]
)
async def test_only_status_400_is_a_rejected_query(status: int, rejected: bool) -> None:  # noqa: FBT001 - parametrized
    error = await error_of(responds(status, {"status": "error", "error": {"message": "no"}}))
    assert error.rejected_query is rejected


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            {"message": "one", "errors": [{"message": "two"}, {"message": None}, 3, {"message": "four"}]},
            "one; two; four",
        ),
        ({"message": "one", "errors": "two"}, "one"),
        ("one", "one"),
        ({"message": "one\r\n  two\u202e"}, "one two<U+202E>"),
        ({"message": f"key {KEY}, password=hunter2"}, "key [redacted:key], password=[redacted:password]"),
    ],
)
async def test_the_message_of_the_server_is_kept_without_secrets(error: object, message: str) -> None:
    raised = await error_of(responds(500, {"status": "error", "error": error}))
    assert raised.server_message == message
    assert str(raised) == f"SigNoz answered 500: {message}"


async def test_a_long_message_is_cut_in_the_error_and_kept_longer_in_server_message() -> None:
    raised = await error_of(responds(500, {"status": "error", "error": "word " * 5000}))
    assert len(str(raised)) < 400
    assert str(raised).endswith("…")
    assert len(raised.server_message) == 4096


async def test_a_response_after_the_deadline_is_an_error() -> None:
    error = await error_of(hangs, seconds=0.2)
    assert str(error) == "SigNoz did not answer in time"
    assert not error.rejected_query
