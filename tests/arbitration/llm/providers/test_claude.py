from typing import Any

import pytest

from openclaw_stream.arbitration.llm.providers import Claude, Failure, Reply
from tests.arbitration.llm.providers.calls import KEY, ask, check, claude, fail, keywords
from tests.arbitration.llm.providers.loopback import Answer, responds

USAGE = {
    "input_tokens": 50,
    "cache_creation_input_tokens": 300,
    "cache_read_input_tokens": 700,
    "output_tokens": 210,
}


def answer(reason: str | None = "end_turn", *blocks: dict[str, Any]) -> dict[str, Any]:
    content = list(blocks) or [{"type": "text", "text": '{"a": 1}'}]
    return {"type": "message", "content": content, "stop_reason": reason, "usage": USAGE}


def refusal(kind: str, message: str, **more: Any) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message, **more}, "request_id": "req_1"}


async def test_the_request_and_the_reply() -> None:
    thinking = {"type": "thinking", "thinking": "hm {", "signature": "x"}
    reply, request = await ask(
        claude, responds(200, answer("end_turn", thinking, {"type": "text", "text": '{"a": 1}'}))
    )
    assert reply == Reply('{"a": 1}', "claude-x", 1050, 210, cached_tokens=700, cache_write_tokens=300)
    assert request.line == "POST /v1/messages HTTP/1.1"
    assert (request.headers["x-api-key"], request.headers["anthropic-version"]) == (KEY, "2023-06-01")
    body = request.json
    assert body["system"] == [{"type": "text", "text": "You judge.", "cache_control": {"type": "ephemeral"}}]
    assert body["messages"] == [{"role": "user", "content": "checkout is slow 慢"}]
    assert (body["max_tokens"], body["output_config"]["effort"]) == (4096, "low")
    assert body["output_config"]["format"]["type"] == "json_schema"
    assert keywords(body["output_config"]["format"]["schema"]) == {
        "type",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "enum",
    }
    assert not {"temperature", "top_p", "top_k", "tools"} & set(body)


async def test_a_model_without_effort() -> None:
    def maker(url: str) -> Claude:
        return Claude(url, "claude-x", KEY, max_tokens=64, effort=None)

    _, request = await ask(maker, responds(200, answer()))
    assert list(request.json["output_config"]) == ["format"]


@pytest.mark.parametrize(
    ("server", "failure", "words"),
    [
        (responds(200, answer("max_tokens")), Failure.TRUNCATED, "CLAUDE_MAX_TOKENS (4096)"),
        (responds(200, answer("model_context_window_exceeded")), Failure.CONTEXT_TOO_LONG, "context window"),
        (responds(200, answer("refusal")), Failure.REFUSED, "refused"),
        (responds(200, answer("tool_use")), Failure.GARBAGE, "tool_use"),
        (responds(200, answer("pause_turn")), Failure.GARBAGE, "pause_turn"),
        (responds(200, answer(None)), Failure.GARBAGE, "None"),
        (responds(200, answer("end_turn", {"type": "thinking", "thinking": "hm"})), Failure.EMPTY, "end_turn"),
        (responds(200, {"type": "message", "content": None, "stop_reason": "end_turn"}), Failure.EMPTY, "end_turn"),
        (
            responds(400, refusal("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum")),
            Failure.CONTEXT_TOO_LONG,
            "too long",
        ),
        (
            responds(400, refusal("invalid_request_error", "Your credit balance is too low to access the API")),
            Failure.SPEND_LIMIT,
            "credit balance",
        ),
        (responds(400, refusal("invalid_request_error", "max_tokens: required")), Failure.BAD_REQUEST, "required"),
        (
            responds(401, refusal("authentication_error", "invalid x-api-key")),
            Failure.UNAUTHORIZED,
            "check CLAUDE_API_KEY",
        ),
        (responds(403, refusal("permission_error", "no")), Failure.UNAUTHORIZED, "check CLAUDE_API_KEY"),
        (responds(404, refusal("not_found_error", "model: claude-x")), Failure.MODEL_MISSING, "instead of claude-x"),
        (responds(413, refusal("request_too_large", "too large")), Failure.CONTEXT_TOO_LONG, "too large"),
        (responds(500, refusal("api_error", "internal")), Failure.SERVER_ERROR, "internal"),
        (responds(529, refusal("overloaded_error", "Overloaded")), Failure.OVERLOADED, "Overloaded"),
    ],
)
async def test_failures_are_classified(server: Answer, failure: Failure, words: str) -> None:
    error = await fail(claude, server)
    assert error.failure is failure
    assert words in str(error)


async def test_a_rate_limit_is_retryable_and_a_spend_limit_is_not() -> None:
    limited = await fail(claude, responds(429, refusal("rate_limit_error", "slow down"), retry_after="12"))
    assert (limited.failure, limited.retry_after, limited.retryable) == (Failure.RATE_LIMITED, 12, True)
    details = {"error_code": "enforced_spend_limit_reached"}
    for body in (refusal("rate_limit_error", "spent", details=details), {**refusal("x", "spent"), "details": details}):
        spent = await fail(claude, responds(429, body))
        assert (spent.failure, spent.retry_after, spent.retryable) == (Failure.SPEND_LIMIT, None, False)


async def test_a_refusal_reports_its_tokens() -> None:
    error = await fail(claude, responds(200, answer("refusal")))
    assert error.reply is not None
    assert (error.reply.input_tokens, error.reply.output_tokens) == (1050, 210)


async def test_check_requests_the_model() -> None:
    request = await check(claude, responds(200, {"type": "model", "id": "claude-x"}))
    assert request.line == "GET /v1/models/claude-x HTTP/1.1"
    assert request.headers["x-api-key"] == KEY
