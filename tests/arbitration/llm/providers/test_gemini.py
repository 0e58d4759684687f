from typing import Any

import pytest

from openclaw_stream.arbitration.llm.prompt.response import RESPONSE_SCHEMA
from openclaw_stream.arbitration.llm.providers import Failure, Gemini, Reply
from tests.arbitration.llm.providers.calls import KEY, ask, check, fail, gemini, keywords
from tests.arbitration.llm.providers.loopback import Answer, responds

USAGE = {
    "promptTokenCount": 900,
    "cachedContentTokenCount": 100,
    "candidatesTokenCount": 200,
    "thoughtsTokenCount": 50,
    "totalTokenCount": 1150,
}


def answer(reason: str | None = "STOP", *parts: dict[str, Any]) -> dict[str, Any]:
    content = {"role": "model", "parts": list(parts) or [{"text": '{"a": 1}'}]}
    return {"candidates": [{"content": content, "finishReason": reason}], "usageMetadata": USAGE}


def refusal(code: int, status: str, message: str, *details: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": code, "status": status, "message": message, "details": list(details)}}


async def test_the_request_and_the_reply() -> None:
    thought = {"text": "{hm", "thought": True}
    reply, request = await ask(gemini, responds(200, answer("STOP", thought, {"text": '{"a"'}, {"text": ": 1}"})))
    assert reply == Reply('{"a": 1}', "gemini-x", input_tokens=900, output_tokens=250, cached_tokens=100)
    assert request.line == "POST /v1beta/models/gemini-x:generateContent HTTP/1.1"
    assert request.headers["x-goog-api-key"] == KEY
    body = request.json
    assert body["systemInstruction"]["parts"] == [{"text": "You judge."}]
    assert body["contents"] == [{"role": "user", "parts": [{"text": "checkout is slow 慢"}]}]
    config = body["generationConfig"]
    assert (config["responseMimeType"], config["maxOutputTokens"]) == ("application/json", 4096)
    assert config["thinkingConfig"] == {"thinkingLevel": "low"}
    assert set(config["responseJsonSchema"]["properties"]) == set(RESPONSE_SCHEMA["properties"])
    assert not {"minLength", "maxLength"} & keywords(config["responseJsonSchema"])
    assert not {"temperature", "topP", "topK"} & set(config)


async def test_the_model_name_is_quoted_in_the_path() -> None:
    async def asked(model: str) -> str:
        _, request = await ask(lambda url: Gemini(url, model, KEY, max_tokens=64), responds(200, answer()))
        return request.line

    assert await asked("a/../b?key=1") == "POST /v1beta/models/a%2F..%2Fb%3Fkey%3D1:generateContent HTTP/1.1"


@pytest.mark.parametrize(
    ("server", "failure", "words"),
    [
        (responds(200, answer("MAX_TOKENS", {"text": '{"a'})), Failure.TRUNCATED, "GEMINI_MAX_TOKENS (4096)"),
        (responds(200, {"promptFeedback": {"blockReason": "SAFETY"}}), Failure.BLOCKED, "blocked the prompt: SAFETY"),
        *[
            (
                responds(200, {"candidates": [{"finishReason": reason}]}),
                Failure.BLOCKED,
                f"blocked its answer: {reason}",
            )
            for reason in ("SAFETY", "RECITATION", "PROHIBITED_CONTENT", "SPII", "BLOCKLIST")
        ],
        (
            responds(200, {"candidates": [{"finishReason": "MALFORMED_RESPONSE"}]}),
            Failure.GARBAGE,
            "MALFORMED_RESPONSE",
        ),
        (responds(200, answer("OTHER")), Failure.GARBAGE, "OTHER"),
        (responds(200, answer(None)), Failure.GARBAGE, "None"),
        (responds(200, answer("STOP", {"thought": True, "text": "hm"})), Failure.EMPTY, "STOP"),
        (responds(200, {"candidates": []}), Failure.GARBAGE, "None"),
        (
            responds(400, refusal(400, "INVALID_ARGUMENT", "API key not valid.", {"reason": "API_KEY_INVALID"})),
            Failure.UNAUTHORIZED,
            "check GEMINI_API_KEY",
        ),
        (
            responds(
                400, refusal(400, "INVALID_ARGUMENT", "The input token count (1200000) exceeds the maximum number")
            ),
            Failure.CONTEXT_TOO_LONG,
            "input token count",
        ),
        (responds(400, refusal(400, "INVALID_ARGUMENT", "Unknown name")), Failure.BAD_REQUEST, "Unknown name"),
        (responds(403, refusal(403, "PERMISSION_DENIED", "denied")), Failure.UNAUTHORIZED, "check GEMINI_API_KEY"),
        (responds(404, refusal(404, "NOT_FOUND", "not found")), Failure.MODEL_MISSING, "instead of gemini-x"),
        (responds(500, refusal(500, "INTERNAL", "internal")), Failure.SERVER_ERROR, "internal"),
        (responds(503, refusal(503, "UNAVAILABLE", "overloaded")), Failure.OVERLOADED, "overloaded"),
    ],
)
async def test_failures_are_classified(server: Answer, failure: Failure, words: str) -> None:
    error = await fail(gemini, server)
    assert error.failure is failure
    assert words in str(error)


@pytest.mark.parametrize(
    ("details", "headers", "seconds"),
    [
        ([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "31s"}], {}, 31),
        ([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.25s"}], {}, 0.25),
        ([{"reason": "x"}, {"retryDelay": "31s"}], {"retry_after": "7"}, 31),
        ([{"retryDelay": "soon"}, None, "x"], {"retry_after": "7"}, 7),
        ([], {"retry_after": "7"}, 7),
        ([], {}, None),
    ],
)
async def test_retry_after_is_read_from_the_details_or_the_header(
    details: list[Any], headers: dict[str, str], seconds: float | None
) -> None:
    body = refusal(429, "RESOURCE_EXHAUSTED", "quota", *details)
    error = await fail(gemini, responds(429, body, **headers))
    assert (error.failure, error.retry_after) == (Failure.RATE_LIMITED, seconds)


async def test_a_truncated_answer_reports_its_tokens() -> None:
    error = await fail(gemini, responds(200, answer("MAX_TOKENS", {"text": '{"a'})))
    assert error.reply == Reply('{"a', "gemini-x", input_tokens=900, output_tokens=250, cached_tokens=100)


async def test_check_requests_the_model() -> None:
    request = await check(gemini, responds(200, {"name": "models/gemini-x"}))
    assert request.line == "GET /v1beta/models/gemini-x HTTP/1.1"
