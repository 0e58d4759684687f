import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from openclaw_stream.arbitration.llm.prompt.response import RESPONSE_SCHEMA, parse_answer
from openclaw_stream.arbitration.llm.providers import Failure, Ollama, Prompt, ProviderError, Reply
from tests.arbitration.llama import MODEL
from tests.arbitration.llm.providers.calls import PROMPT, ask, check, fail, ollama
from tests.arbitration.llm.providers.loopback import Answer, responds

REAL = "OLLAMA_TEST_URL"


def answer(reason: str | None = "stop", content: str = '{"a": 1}', **changes: Any) -> dict[str, Any]:
    return {
        "model": "qwen",
        "created_at": "2026-11-22T10:00:00Z",
        "message": {"role": "assistant", "content": content},
        "done": True,
        "done_reason": reason,
        "total_duration": 5_000_000,
        "prompt_eval_count": 812,
        "eval_count": 301,
        **changes,
    }


async def test_the_request_and_the_reply() -> None:
    reply, request = await ask(ollama, responds(200, answer()))
    assert reply == Reply('{"a": 1}', "qwen", input_tokens=812, output_tokens=301)
    assert request.line == "POST /api/chat HTTP/1.1"
    body = request.json
    assert [message["content"] for message in body["messages"]] == ["You judge.", "checkout is slow 慢"]
    assert (body["stream"], body["truncate"], body["keep_alive"]) == (False, False, "10m")
    assert (body["options"]["num_ctx"], body["options"]["num_predict"]) == (8192, 2048)
    assert body["format"] == RESPONSE_SCHEMA
    assert list(body["format"]["properties"]) == list(RESPONSE_SCHEMA["properties"])


async def test_counts_may_be_absent() -> None:
    reply, _ = await ask(ollama, responds(200, {"message": {"content": "x"}, "done": True, "done_reason": "stop"}))
    assert (reply.input_tokens, reply.output_tokens) == (None, None)


@pytest.mark.parametrize(
    ("server", "failure", "words"),
    [
        (responds(200, answer("length", '{"a')), Failure.TRUNCATED, "OLLAMA_MAX_TOKENS (2048)"),
        (responds(200, answer(prompt_eval_count=8192)), Failure.CONTEXT_TOO_LONG, "fills OLLAMA_NUM_CTX (8192)"),
        (responds(200, answer("load", "")), Failure.EMPTY, "an empty answer: load"),
        (responds(200, answer(done=False)), Failure.GARBAGE, "without a complete message"),
        (responds(200, answer(content="")), Failure.EMPTY, "an empty answer: stop"),
        (responds(200, answer(message=None)), Failure.EMPTY, "an empty answer: stop"),
        (
            responds(200, {"error": "an error encountered while running the model"}),
            Failure.SERVER_ERROR,
            "running the model",
        ),
        (responds(200, b'{"message":{"content":"a"}}\n{"done":true}\n'), Failure.GARBAGE, "no JSON object"),
        (
            responds(400, {"error": "the input length exceeds the context length"}),
            Failure.CONTEXT_TOO_LONG,
            "OLLAMA_NUM_CTX is 8192",
        ),
        (responds(400, {"error": 'time: missing unit in duration "10"'}), Failure.BAD_REQUEST, "missing unit"),
        (responds(404, {"error": "model 'qwen' not found"}), Failure.MODEL_MISSING, "run: ollama pull qwen"),
        (responds(403), Failure.UNAUTHORIZED, "an empty body; it refuses unknown host names"),
        (responds(500, {"error": "llama runner process: unexpected EOF"}), Failure.SERVER_ERROR, "unexpected EOF"),
        (
            responds(503, {"error": "server busy, please try again.  maximum pending requests exceeded"}),
            Failure.OVERLOADED,
            "server busy",
        ),
    ],
)
async def test_failures_are_classified(server: Answer, failure: Failure, words: str) -> None:
    error = await fail(ollama, server)
    assert error.failure is failure
    assert words in str(error)


async def test_a_truncated_answer_reports_its_tokens() -> None:
    error = await fail(ollama, responds(200, answer("length", '{"a')))
    assert error.reply == Reply('{"a', "qwen", input_tokens=812, output_tokens=301)


@pytest.mark.parametrize("name", ["qwen", "qwen:latest"])
async def test_check_finds_the_model(name: str) -> None:
    request = await check(ollama, responds(200, {"models": [{"name": "other"}, {"name": name}]}))
    assert request.line == "GET /api/tags HTTP/1.1"


@pytest.mark.parametrize("body", [{"models": None}, {"models": [{"name": "qwen2"}]}, {"models": "x"}])
async def test_check_names_the_command_that_pulls_the_model(body: dict[str, Any]) -> None:
    with pytest.raises(ProviderError, match="run: ollama pull qwen") as caught:
        await check(ollama, responds(200, body))
    assert caught.value.failure is Failure.MODEL_MISSING


@asynccontextmanager
async def real(max_tokens: int = 3000, model: str | None = None) -> AsyncIterator[Ollama]:
    """A real Ollama; its model may be a random one."""
    url = os.environ.get(REAL)
    if not url:
        pytest.skip(f"{REAL} is not set: the address of an Ollama that has the model OLLAMA_TEST_MODEL ({MODEL})")
    model = model or os.environ.get("OLLAMA_TEST_MODEL", MODEL)
    provider = Ollama(url, model, num_ctx=8192, max_tokens=max_tokens)
    try:
        yield provider
    finally:
        await provider.close()


async def test_a_real_server_answers_in_the_schema() -> None:
    async with real() as provider:
        await provider.check()
        reply = await provider.ask(PROMPT, RESPONSE_SCHEMA, timeout=100)
    assert parse_answer(reply.text).repaired is False
    assert (reply.input_tokens or 0) > 0
    assert (reply.output_tokens or 0) > 0


@pytest.mark.parametrize(
    ("max_tokens", "model", "prompt", "schema", "failure"),
    [
        (40, None, PROMPT, RESPONSE_SCHEMA, Failure.TRUNCATED),
        (40, None, Prompt("s", "x y " * 20_000, "v"), RESPONSE_SCHEMA, Failure.CONTEXT_TOO_LONG),
        (40, None, PROMPT, {"type": "unheard-of"}, Failure.SERVER_ERROR),
        (40, "absent", PROMPT, RESPONSE_SCHEMA, Failure.MODEL_MISSING),
    ],
)
async def test_failures_of_a_real_server_are_classified(
    max_tokens: int, model: str | None, prompt: Prompt, schema: dict[str, Any], failure: Failure
) -> None:
    async with real(max_tokens, model) as provider:
        with pytest.raises(ProviderError) as caught:
            await provider.ask(prompt, schema, timeout=100)
    assert caught.value.failure is failure


async def test_check_of_a_real_server_finds_the_model_missing() -> None:
    async with real(model="absent") as provider:
        with pytest.raises(ProviderError, match="run: ollama pull absent"):
            await provider.check()
