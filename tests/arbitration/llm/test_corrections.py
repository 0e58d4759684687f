"""Answers that are asked for once more, and those that are taken as they are, of servers on loopback."""

from typing import Any

import pytest

from openclaw_stream.resilience.circuit_breaker import CircuitBreaker
from tests.arbitration.llm.chains import GOOD, chained
from tests.arbitration.llm.model_server import ANSWER, completes, in_turn, question
from tests.arbitration.llm.providers.loopback import Answer, responds

pytestmark = pytest.mark.io


def ended(reason: str | None, content: Any) -> Answer:
    return responds(200, {"choices": [{"finish_reason": reason, "message": {"content": content}}]})


CUT = ended("length", ANSWER[:200])
EMPTY = ended("stop", "")


@pytest.mark.parametrize("reason", ["length", "model_length", None, "tool_calls"])
async def test_a_whole_answer_is_taken_whatever_reason_it_ended_for(reason: str | None) -> None:
    async with chained(ended(reason, f"{ANSWER}\n\n")) as running:
        assert await running.judge() == "a"
        assert running.outcomes == [("a", "answered")]


@pytest.mark.parametrize("reason", ["content_filter", "refusal"])
async def test_a_blocked_answer_is_none_even_if_it_is_whole(reason: str) -> None:
    async with chained(ended(reason, ANSWER)) as running:
        assert await running.judge() is None


async def test_a_cut_answer_is_asked_for_once_more_with_a_larger_limit() -> None:
    async with chained(in_turn(CUT, GOOD)) as running:
        assert await running.judge() == "a"
        assert running.outcomes == [("a", "truncated"), ("a", "answered")]
        first, second = running.servers[0].requests
        assert (first.json["max_tokens"], second.json["max_tokens"]) == (4096, 8192)
        assert "was cut" in question(second)


async def test_an_empty_answer_is_asked_for_once_more() -> None:
    async with chained(in_turn(EMPTY, GOOD)) as running:
        assert await running.judge() == "a"
        assert running.outcomes == [("a", "empty"), ("a", "answered")]
        assert "it was empty" in question(running.servers[0].requests[1])


@pytest.mark.parametrize(
    ("answers", "outcomes", "reason"),
    [
        ([EMPTY, EMPTY], ["empty"] * 2, "empty, twice"),
        ([CUT, CUT], ["truncated"] * 2, "truncated, twice"),
        ([EMPTY, CUT], ["empty", "truncated"], "empty, then truncated"),
        ([CUT, completes("no")], ["truncated", "no_json"], "truncated, then no_json"),
        ([completes("no"), EMPTY], ["no_json", "empty"], "no_json, then empty"),
        ([EMPTY, responds(401)], ["empty", "unauthorized"], "empty, then unauthorized"),
    ],
)
async def test_a_provider_is_corrected_once_in_all(answers: list[Answer], outcomes: list[str], reason: str) -> None:
    async with chained(in_turn(*answers), GOOD) as running:
        assert await running.judge() == "b"
        assert running.outcomes == [*(("a", outcome) for outcome in outcomes), ("b", "answered")]
        assert running.reasons == [f"a: {reason}"]


async def test_the_last_provider_in_a_spent_day_holds_no_decision() -> None:
    spent = responds(429, {"error": {"message": "quota of requests per day", "code": 429}}, retry_after="30")
    now = 0.0
    async with chained(spent, breaker=lambda: CircuitBreaker(5, 30, lambda: now)) as running:
        assert await running.judge() is None
        assert running.outcomes == [("a", "spend_limit")]
        for now in (1, 599):  # noqa: B007 - the clock
            assert await running.judge() is None
            assert running.reasons == ["a: circuit open after repeated failures"]
        now = 601
        assert await running.judge() is None
        assert running.outcomes == [("a", "spend_limit")]
        assert len(running.servers[0].requests) == 2


async def test_a_rate_limit_that_never_ends_holds_a_few_decisions_only() -> None:
    async with chained(responds(429, {"error": {"message": "later"}}, retry_after="9")) as running:
        for _ in range(3):
            assert await running.judge(seconds=5) is None
            assert running.outcomes == [("a", "rate_limited")]
        assert await running.judge(seconds=5) is None
        assert running.reasons == ["a: circuit open after repeated failures"]


async def test_an_answer_between_two_rate_limits_keeps_the_circuit_closed() -> None:
    limited = responds(429, {"error": {"message": "later"}}, retry_after="9")
    async with chained(in_turn(limited, limited, GOOD, limited)) as running:
        for _ in range(5):
            await running.judge(seconds=5)
        assert running.clients[0].available


async def test_a_spent_quota_that_ends_later_is_waited_for_an_hour_at_most() -> None:
    spent = responds(402, {"error": {"message": "Insufficient balance"}}, retry_after="7200")
    now = 0.0
    async with chained(in_turn(spent, GOOD), breaker=lambda: CircuitBreaker(5, 30, lambda: now)) as running:
        assert await running.judge() is None
        now = 3599
        assert not running.clients[0].available
        now = 3601
        assert await running.judge() == "a"
        assert running.clients[0].available
