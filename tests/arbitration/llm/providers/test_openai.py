import asyncio
from typing import Any

import pytest

from openclaw_stream.arbitration.llm.prompt.json_extraction import is_whole
from openclaw_stream.arbitration.llm.prompt.response import RESPONSE_SCHEMA, parse_answer
from openclaw_stream.arbitration.llm.providers import Failure, OpenAI, Prompt, ProviderError, Reply
from tests.arbitration.llama import MODEL
from tests.arbitration.llm.providers.calls import KEY, PROMPT, ask, check, fail, openai
from tests.arbitration.llm.providers.loopback import Answer, responds

USAGE = {"prompt_tokens": 400, "completion_tokens": 90, "prompt_tokens_details": {"cached_tokens": 256}}


def answer(reason: str | None = "stop", content: Any = '{"a": 1}', refusal: str | None = None) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, "refusal": refusal}
    return {"choices": [{"index": 0, "finish_reason": reason, "message": message}], "usage": USAGE}


def refusal(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, **more}}


async def test_the_request_and_the_reply() -> None:
    reply, request = await ask(openai, responds(200, answer()))
    assert reply == Reply('{"a": 1}', "gpt-x", input_tokens=400, output_tokens=90, cached_tokens=256)
    assert request.line == "POST /v1/chat/completions HTTP/1.1"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    body = request.json
    assert [(message["role"], message["content"]) for message in body["messages"]] == [
        ("system", "You judge."),
        ("user", "checkout is slow 慢"),
    ]
    assert body["max_completion_tokens"] == 4096
    form = body["response_format"]
    assert (form["type"], form["json_schema"]["strict"]) == ("json_schema", True)
    assert form["json_schema"]["schema"] == RESPONSE_SCHEMA


async def test_a_server_without_a_key_and_with_the_older_token_limit() -> None:
    def maker(url: str) -> OpenAI:
        return OpenAI(f"{url}/openai/v1", "m", None, max_tokens=99, max_tokens_field="max_tokens")

    _, request = await ask(maker, responds(200, answer()))
    assert request.line == "POST /openai/v1/chat/completions HTTP/1.1"
    assert "authorization" not in request.headers
    assert request.json["max_tokens"] == 99
    assert "max_completion_tokens" not in request.json


@pytest.mark.parametrize(
    ("server", "failure", "words"),
    [
        (responds(200, answer("length", '{"a')), Failure.TRUNCATED, "OPENAI_MAX_TOKENS (4096)"),
        (responds(200, answer("content_filter", "")), Failure.BLOCKED, "content_filter"),
        (responds(200, answer("stop", None, "I cannot")), Failure.REFUSED, "refused"),
        (responds(200, answer("tool_calls", None)), Failure.GARBAGE, "tool_calls"),
        (responds(200, answer("stop", None)), Failure.EMPTY, "gave an empty answer: stop"),
        (responds(200, answer("stop", " \n")), Failure.EMPTY, "stop"),
        (responds(200, answer("stop", [{"type": "text"}])), Failure.EMPTY, "stop"),
        (responds(200, answer(None)), Failure.GARBAGE, "None"),
        (responds(200, {"choices": []}), Failure.GARBAGE, "None"),
        (responds(400, refusal("too much", code="context_length_exceeded")), Failure.CONTEXT_TOO_LONG, "too much"),
        (
            responds(400, refusal("request (20088 tokens) exceeds", code=400, type="exceed_context_size_error")),
            Failure.CONTEXT_TOO_LONG,
            "20088",
        ),
        (
            responds(400, refusal("This model's maximum context length is 4096 tokens.", type="BadRequestError")),
            Failure.CONTEXT_TOO_LONG,
            "4096 tokens",
        ),
        (responds(400, refusal("filtered", code="content_filter")), Failure.BLOCKED, "filtered"),
        (responds(400, refusal("no such model", code="model_not_found")), Failure.MODEL_MISSING, "check OPENAI_MODEL"),
        (responds(400, refusal("Invalid schema", type="invalid_request_error")), Failure.BAD_REQUEST, "Invalid schema"),
        (responds(401, refusal("Incorrect API key")), Failure.UNAUTHORIZED, "check OPENAI_API_KEY"),
        (responds(404, {"detail": "Not Found"}), Failure.MODEL_MISSING, "OPENAI_BASE_URL includes the version"),
        (responds(429, refusal("quota", code="insufficient_quota")), Failure.SPEND_LIMIT, "quota"),
        (responds(429, refusal("slow down", code="rate_limit_exceeded")), Failure.RATE_LIMITED, "slow down"),
        (responds(500, refusal("oops", type="server_error")), Failure.SERVER_ERROR, "oops"),
        (responds(503, refusal("Loading model", code=503, type="unavailable_error")), Failure.OVERLOADED, "Loading"),
    ],
)
async def test_failures_are_classified(server: Answer, failure: Failure, words: str) -> None:
    error = await fail(openai, server)
    assert error.failure is failure
    assert words in str(error)


async def test_check_finds_the_model_or_lists_what_there_is() -> None:
    request = await check(openai, responds(200, {"data": [{"id": "gpt-x"}]}))
    assert request.line == "GET /v1/models HTTP/1.1"
    with pytest.raises(ProviderError, match="choose OPENAI_MODEL from: a, b"):
        await check(openai, responds(200, {"data": [{"id": "a"}, {"id": "b"}]}))
    with pytest.raises(ProviderError, match="choose OPENAI_MODEL from: none"):
        await check(openai, responds(200, {"data": None}))


def real(url: str, max_tokens: int = 4096, model: str = MODEL) -> OpenAI:
    return OpenAI(url, model, None, max_tokens=max_tokens, max_tokens_field="max_completion_tokens")


async def test_a_real_server_answers_in_the_schema(llama_server: str) -> None:
    provider = real(llama_server)
    await provider.check()
    reply = await provider.ask(PROMPT, RESPONSE_SCHEMA, timeout=60)
    await provider.close()
    answer = parse_answer(reply.text)
    assert (answer.repaired, reply.model) == (False, MODEL)
    assert 0 <= answer.judgement.confidence <= 1
    assert (reply.input_tokens or 0) > 0
    assert (reply.output_tokens or 0) > 0


async def test_a_real_server_queues_concurrent_calls(llama_server: str) -> None:
    provider = real(llama_server)
    replies = await asyncio.gather(*(provider.ask(PROMPT, RESPONSE_SCHEMA, timeout=60) for _ in range(8)))
    await provider.close()
    assert all(parse_answer(reply.text).judgement for reply in replies)


async def test_a_real_server_truncates_its_answer(llama_server: str) -> None:
    provider = real(llama_server, max_tokens=64)
    with pytest.raises(ProviderError) as caught:
        await provider.ask(PROMPT, RESPONSE_SCHEMA, timeout=60)
    await provider.close()
    assert caught.value.failure is Failure.TRUNCATED
    assert caught.value.reply is not None
    assert caught.value.reply.output_tokens == 64


async def test_a_real_server_refuses_a_prompt_that_is_too_long(llama_server: str) -> None:
    provider = real(llama_server)
    with pytest.raises(ProviderError) as caught:
        await provider.ask(Prompt("s", "x" * 40_000, "v"), RESPONSE_SCHEMA, timeout=60)
    await provider.close()
    assert caught.value.failure is Failure.CONTEXT_TOO_LONG


async def test_a_real_server_that_refuses_a_schema_is_asked_for_any_object(llama_server: str) -> None:
    provider = real(llama_server)
    reply = await provider.ask(PROMPT, {"type": "unheard-of"}, timeout=60)
    await provider.close()
    assert is_whole(reply.text)


async def test_check_of_a_real_server_finds_the_model_missing(llama_server: str) -> None:
    provider = real(llama_server, model="gpt-x")
    with pytest.raises(ProviderError, match=f"choose OPENAI_MODEL from: {MODEL}"):
        await provider.check()
    await provider.close()
