"""Errors of servers by their codes and words: spent quotas, errors inside a 200, refused parts of a request."""

import asyncio
import json
from typing import Any

import pytest

from openclaw_stream.arbitration.llm.prompt.response import RESPONSE_SCHEMA
from openclaw_stream.arbitration.llm.providers import Failure, Gemini, OpenAI, ProviderError, Reply
from tests.arbitration.llm.model_server import in_turn
from tests.arbitration.llm.providers.calls import (
    KEY,
    PROMPT,
    Maker,
    claude,
    connected,
    fail,
    gemini,
    keywords,
    ollama,
    openai,
)
from tests.arbitration.llm.providers.loopback import Answer, Loopback, loopback, responds

pytestmark = pytest.mark.io

GOOD_CHAT = responds(200, {"choices": [{"finish_reason": "stop", "message": {"content": "{}"}}]})
GOOD_GEMINI = responds(200, {"candidates": [{"content": {"parts": [{"text": "{}"}]}, "finishReason": "STOP"}]})


def error(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, **more}}


def violated(*quotas: str, delay: str = "12s") -> dict[str, Any]:
    violations = [{"quotaId": quota, "quotaValue": "50"} for quota in quotas]
    details = [{"violations": violations}, {"retryDelay": delay}]
    return error("Quota exceeded, check your plan", code=429, status="RESOURCE_EXHAUSTED", details=details)


@pytest.mark.parametrize(
    ("maker", "answer"),
    [
        (gemini, responds(429, violated("RequestsPerDayPerUser-FreeTier"))),
        (gemini, responds(429, violated("TokensPerMinute", "TokensPerDay"))),
        (gemini, responds(429, error("Your prepayment credits are depleted.", code=429))),
        (gemini, responds(429, error("Quota exceeded for metric x, limit: 0, model: y", code=429))),
        (openai, responds(429, [violated("GenerateRequestsPerDay")])),
        (openai, responds(400, error("Budget has been exceeded! Current cost: 3, Max: 2", type="budget_exceeded"))),
        (openai, responds(429, error("over", type="budget_exceeded", code="429"))),
        (openai, responds(402, error("Insufficient Balance"))),
        (openai, responds(403, error("Key limit exceeded (monthly limit)", code=403))),
        (openai, responds(429, error("Rate limit reached on tokens per day (TPD): limit 90000", type="tokens"))),
        (openai, responds(200, error("This request requires more credits", code=402))),
        (openai, responds(200, error("Rate limit exceeded: free-models-per-day", code=429))),
        (
            claude,
            responds(400, error("You have reached your specified API usage limits. Access returns on 2027-01-01.")),
        ),
        (claude, responds(400, error("Your credit balance is too low"))),
    ],
)
async def test_a_quota_of_a_day_or_spent_money_is_a_spend_limit(maker: Maker, answer: Answer) -> None:
    failed = await fail(maker, answer)
    assert failed.failure is Failure.SPEND_LIMIT
    assert (failed.retryable, failed.opens_circuit) == (False, True)


@pytest.mark.parametrize(
    ("maker", "answer"),
    [
        (gemini, responds(429, violated("RequestsPerMinutePerProject"))),
        (openai, responds(429, error("Rate limit reached: 60 requests per min, add a payment method"))),
        (openai, responds(200, error("Rate limit exceeded: free-models-per-min", code=429))),
        (openai, responds(200, error("slow down", code="rate_limit_exceeded"))),
        (claude, responds(429, error("over 50,000 input tokens per minute", type="rate_limit_error"))),
    ],
)
async def test_a_limit_of_a_minute_is_a_passing_rate(maker: Maker, answer: Answer) -> None:
    assert (await fail(maker, answer)).failure is Failure.RATE_LIMITED


@pytest.mark.parametrize(
    ("body", "failure", "words"),
    [
        (error("Provider returned error", code=502), Failure.SERVER_ERROR, "answered 502: Provider returned error"),
        (error("no such thing"), Failure.SERVER_ERROR, "no such thing"),
        ({"error": "the runner stopped"}, Failure.SERVER_ERROR, "the runner stopped"),
        (error("model is overloaded", code=503), Failure.OVERLOADED, "overloaded"),
        (error("bad key", code=401), Failure.UNAUTHORIZED, "check OPENAI_API_KEY"),
        (
            {
                "choices": [
                    {
                        "finish_reason": "error",
                        "error": error("upstream idle", code=504)["error"],
                        "message": {"content": ""},
                    }
                ]
            },
            Failure.SERVER_ERROR,
            "upstream idle",
        ),
        ({"choices": [{"finish_reason": "error", "message": {"content": '{"a'}}]}, Failure.SERVER_ERROR, "an error"),
    ],
)
async def test_an_error_inside_a_200_is_classified_by_its_own_code(
    body: dict[str, Any], failure: Failure, words: str
) -> None:
    failed = await fail(openai, responds(200, body))
    assert failed.failure is failure
    assert words in str(failed)


async def formats(server: Loopback) -> list[str]:
    return [dict(request.json.get("response_format") or {"type": "none"})["type"] for request in server.requests]


@pytest.mark.parametrize(
    ("refusals", "expected"),
    [
        ([error("This response_format type is unavailable now")], ["json_schema", "json_object"]),
        (
            [error("`json_schema` is not supported"), error("json_object neither")],
            ["json_schema", "json_object", "none"],
        ),
        ([{"detail": [{"loc": ["body", "response_format"], "msg": "bad"}]}], ["json_schema", "json_object"]),
        ([error("keyword 'maxLength' is not permitted")], ["json_schema", "json_schema"]),
    ],
)
async def test_a_server_that_refuses_a_format_is_asked_for_less_from_then_on(
    refusals: list[dict[str, Any]], expected: list[str]
) -> None:
    answers = [responds(422, body) for body in refusals]
    async with connected(openai, in_turn(*answers, GOOD_CHAT)) as (provider, server):
        for _ in range(2):
            assert (await provider.ask(PROMPT, RESPONSE_SCHEMA, timeout=10)).text == "{}"
        assert await formats(server) == [*expected, expected[-1]]


async def test_refused_keywords_are_left_out_of_the_schema() -> None:
    refusal = responds(400, error("Invalid schema: 'maxLength' is not permitted"))
    async with connected(openai, in_turn(refusal, refusal, GOOD_CHAT)) as (provider, server):
        await provider.ask(PROMPT, RESPONSE_SCHEMA, timeout=10)
        found = [keywords(request.json["response_format"]["json_schema"]["schema"]) for request in server.requests]
    assert "maxLength" in found[0]
    assert "maxItems" in found[1]
    assert not {"maxLength", "maxItems", "minimum", "maximum"} & found[2]


async def test_a_server_that_refuses_every_format_is_a_bad_request_and_nothing_is_learned() -> None:
    async with connected(openai, responds(400, error("grammar is broken"))) as (provider, server):
        for _ in range(2):
            with pytest.raises(ProviderError) as caught:
                await provider.ask(PROMPT, RESPONSE_SCHEMA, timeout=10)
            assert caught.value.failure is Failure.BAD_REQUEST
        assert await formats(server) == ["json_schema", "json_object", "none"] * 2


@pytest.mark.parametrize("response_format", ["json_schema", "json_object", "none"])
async def test_the_first_format_is_a_setting(response_format: str) -> None:
    def maker(url: str) -> OpenAI:
        return OpenAI(url, "m", None, max_tokens=99, max_tokens_field="max_tokens", response_format=response_format)

    async with connected(maker, GOOD_CHAT) as (provider, server):
        await provider.ask(PROMPT, RESPONSE_SCHEMA, timeout=10)
        assert await formats(server) == [response_format]


async def test_the_compatible_api_of_ollama_is_refused_by_the_check() -> None:
    provider = OpenAI("http://127.0.0.1:11434/v1", "m", None, max_tokens=99, max_tokens_field="max_tokens")
    with pytest.raises(ProviderError, match="set OLLAMA_URL"):
        await provider.check()
    await provider.close()


async def test_gemini_gets_no_bounds_and_learns_to_leave_out_what_it_refuses() -> None:
    thinking = responds(400, error("Thinking level is not supported for this model.", status="INVALID_ARGUMENT"))
    schema = responds(400, error("Request contains an invalid argument.", status="INVALID_ARGUMENT"))
    async with connected(gemini, in_turn(thinking, schema, GOOD_GEMINI)) as (provider, server):
        for _ in range(2):
            await provider.ask(PROMPT, RESPONSE_SCHEMA, timeout=10)
        configs = [request.json["generationConfig"] for request in server.requests]
    assert [("thinkingConfig" in each, "responseJsonSchema" in each) for each in configs] == [
        (True, True),
        (False, True),
        (False, False),
        (False, False),
    ]
    assert not {"maxItems", "minimum", "maximum", "maxLength"} & keywords(configs[0]["responseJsonSchema"])


@pytest.mark.parametrize(
    ("maker", "message", "good"),
    [
        (ollama, "this model does not take think", {"message": {"content": "{}"}, "done": True, "done_reason": "stop"}),
        (claude, "effort is not supported", {"content": [{"type": "text", "text": "{}"}], "stop_reason": "end_turn"}),
    ],
)
async def test_a_refused_parameter_is_left_out(maker: Maker, message: str, good: dict[str, Any]) -> None:
    async with connected(maker, in_turn(responds(400, error(message)), responds(200, good))) as (provider, server):
        await provider.ask(PROMPT, RESPONSE_SCHEMA, timeout=10)
        first, second = (json.dumps(request.json) for request in server.requests)
    assert [word in text for text in (first, second) for word in ('"think"', '"effort"')].count(True) == 1


@pytest.mark.parametrize(("thinking", "config"), [("high", {"thinkingLevel": "high"}), (None, None)])
async def test_the_thinking_level_of_gemini_can_be_left_out(
    thinking: str | None, config: dict[str, str] | None
) -> None:
    def maker(url: str) -> Gemini:
        return Gemini(url, "gemini-x", KEY, max_tokens=99, thinking=thinking)

    async with connected(maker, GOOD_GEMINI) as (provider, server):
        assert isinstance(await provider.ask(PROMPT, RESPONSE_SCHEMA, timeout=10), Reply)
        assert server.requests[0].json["generationConfig"].get("thinkingConfig") == config


async def test_the_variants_of_a_request_share_one_timeout() -> None:
    refusal = json.dumps(error("json_schema is not supported")).encode()

    async def slow(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.3)
        await responds(400, refusal)(writer)

    async with loopback(slow) as server:
        provider = openai(server.url)
        with pytest.raises(ProviderError) as caught:
            await provider.ask(PROMPT, RESPONSE_SCHEMA, timeout=0.4)
        await provider.close()
    assert caught.value.failure is Failure.TIMEOUT
