"""The chain against servers on loopback: order, retries, breaker, budget, deadline, storms."""

import asyncio

import pytest

from openclaw_stream.arbitration.llm.chain import UNLIMITED
from openclaw_stream.resilience.circuit_breaker import CircuitBreaker
from tests.arbitration.llm.chains import BUSY, GOOD, chained, judged_storm, ollama_responds
from tests.arbitration.llm.model_server import (
    MODEL,
    Held,
    completes,
    in_turn,
    question,
    until,
)
from tests.arbitration.llm.providers.loopback import Answer, hangs, responds
from tests.resilience.breakers import record_failures


async def test_providers_after_the_first_answer_are_not_asked() -> None:
    async with chained(GOOD, GOOD) as running:
        assert await running.judge() == "a"
        assert running.outcomes == [("a", "answered")]
        assert [len(server.requests) for server in running.servers] == [1, 0]
        attempt = running.contexts[0].attempts[0]
        assert (attempt.model, attempt.input_tokens, attempt.output_tokens) == (MODEL, 1000, 500)
        assert attempt.cost_usd == pytest.approx(2)
        assert running.metrics.registry.get_sample_value("openclaw_llm_cost_usd_total", {"provider": "a"}) == 2


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (responds(401, {"error": {"message": "bad key"}}), "unauthorized"),
        (responds(404, {"error": {"message": "no such model"}}), "model_missing"),
        (responds(400, {"error": {"message": "what?"}}), "bad_request"),
        (responds(200, b"no json"), "garbage"),
        (responds(200, {"choices": [{"finish_reason": "tool_calls", "message": {"content": "{"}}]}), "garbage"),
        (responds(200, {"choices": [{"finish_reason": "stop", "message": {"refusal": "no"}}]}), "refused"),
    ],
)
async def test_a_permanent_failure_is_not_retried(answer: Answer, outcome: str) -> None:
    async with chained(answer, GOOD) as running:
        assert await running.judge() == "b"
        assert running.outcomes == [("a", outcome), ("b", "answered")]
        assert running.reasons == [f"a: {outcome}"]


async def test_a_transient_failure_is_tried_three_times() -> None:
    async with chained(responds(500), GOOD) as running:
        assert await running.judge() == "b"
        assert running.outcomes == [("a", "server_error")] * 3 + [("b", "answered")]
    async with chained(in_turn(responds(503), GOOD)) as running:
        assert await running.judge() == "a"
        assert running.outcomes == [("a", "overloaded"), ("a", "answered")]


async def test_a_long_retry_after_moves_on_to_the_next_provider() -> None:
    async with chained(responds(429, {"error": "slow down"}, retry_after="30"), GOOD) as running:
        assert await running.judge() == "b"
        assert running.outcomes == [("a", "rate_limited"), ("b", "answered")]


async def test_a_retry_after_beyond_the_deadline_is_not_waited_for() -> None:
    async with chained(responds(429, {"error": "slow down"}, retry_after="61")) as running:
        assert await running.judge() is None
        assert running.outcomes == [("a", "rate_limited")]
        assert running.reasons == ["a: rate_limited"]


async def test_the_last_provider_is_retried_while_it_is_rate_limited() -> None:
    async with chained(in_turn(BUSY, BUSY, BUSY, BUSY, GOOD), breaker=lambda: CircuitBreaker(1, 60)) as running:
        assert await running.judge() == "a"
        assert running.outcomes == [("a", "rate_limited")] * 4 + [("a", "answered")]


async def test_an_unreadable_answer_is_asked_for_once_more_with_the_problem() -> None:
    async with chained(in_turn(completes("I think it is BE."), GOOD)) as running:
        assert await running.judge() == "a"
        assert running.outcomes == [("a", "no_json"), ("a", "answered")]
        first, second = (question(request) for request in running.servers[0].requests)
        assert second.startswith(first)
        assert "contains no readable JSON object" in second.removeprefix(first)


async def test_invalid_answers_move_on_to_the_next_provider_and_do_not_open_the_circuit() -> None:
    bad = completes('{"primary_responsibility": "OPS", "confidence": 90, "action_title": "x"}')
    async with chained(bad, GOOD, breaker=lambda: CircuitBreaker(1, 60)) as running:
        for _ in range(3):
            assert await running.judge() == "b"
            assert running.outcomes == [("a", "schema"), ("a", "schema"), ("b", "answered")]
            assert running.reasons == ["a: schema, twice"]


async def test_an_open_circuit_skips_the_provider_until_a_probe_succeeds() -> None:
    now = [0.0]
    breaker = lambda: CircuitBreaker(3, 30, lambda: now[0])  # noqa: E731 - one for each client
    async with chained(in_turn(responds(500), responds(500), responds(500), GOOD), GOOD, breaker=breaker) as running:
        assert await running.judge() == "b"
        assert await running.judge() == "b"
        assert running.outcomes == [("b", "answered")]
        assert running.reasons == ["a: circuit open after repeated failures"]
        now[0] = 30
        assert await running.judge() == "a"


async def test_a_half_open_circuit_refuses_other_calls_before_they_wait_for_a_slot() -> None:
    now, held = [0.0], Held(GOOD)
    breaker = lambda: CircuitBreaker(1, 30, lambda: now[0])  # noqa: E731 - one for each client
    async with chained(in_turn(responds(400), responds(500), held), breaker=breaker, slots=1) as running:
        assert await running.judge() is None
        assert running.chain.capacity() < UNLIMITED
        assert await running.judge() is None
        assert running.chain.capacity() == UNLIMITED
        now[0] = 30
        probe = asyncio.create_task(running.judge())
        await held.requested.wait()
        # The probe has the only slot, and may keep it for as long as a call may take.
        assert await running.judge() is None
        assert running.outcomes == []
        held.release.set()
        assert await probe == "a"
        assert running.chain.capacity() < UNLIMITED


async def test_an_unavailable_provider_after_it_does_not_end_the_retries_of_the_last_available_one() -> None:
    async with chained(
        in_turn(BUSY, BUSY, BUSY, BUSY, GOOD), responds(500), breaker=lambda: CircuitBreaker(2, 60)
    ) as running:
        record_failures(running.clients[1].breaker, 2)
        assert await running.judge() == "a"
        assert running.outcomes == [("a", "rate_limited")] * 4 + [("a", "answered")]


async def test_a_hanging_call_times_out_and_the_next_provider_is_asked() -> None:
    async with chained(hangs, GOOD, timeout=2) as running:
        assert await running.judge() == "b"
        assert running.outcomes == [("a", "timeout"), ("b", "answered")]


async def test_the_deadline_ends_the_last_call() -> None:
    async with chained(hangs, timeout=60) as running:
        assert await running.judge(seconds=0.3) is None
        assert running.outcomes == [("a", "timeout")]


async def test_after_the_deadline_no_provider_is_asked() -> None:
    async with chained(GOOD, GOOD) as running:
        assert await running.judge(seconds=-1) is None
        assert running.reasons == [f"{name}: no time is left before the deadline" for name in "ab"]
        assert [server.requests for server in running.servers] == [[], []]


async def test_with_a_spent_budget_no_provider_is_asked() -> None:
    async with chained(GOOD, GOOD, limit=3) as running:
        assert await running.judge() == "a"
        assert await running.judge() == "a"
        assert running.budget.spent == pytest.approx(4)
        assert await running.judge() is None
        assert running.reasons == [f"{name}: the budget of 3 USD an hour is spent" for name in "ab"]
        assert running.chain.capacity() == UNLIMITED


async def test_unusable_answers_count_against_the_budget() -> None:
    cut = responds(
        200,
        {
            "choices": [{"finish_reason": "length", "message": {"content": "{"}}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 500},
        },
    )
    async with chained(cut, completes("no JSON"), limit=100) as running:
        assert await running.judge() is None
        assert running.outcomes == [*[("a", "truncated")] * 2, *[("b", "no_json")] * 2]
        assert running.budget.spent == pytest.approx(8)


async def test_the_models_are_listed_in_order_with_the_summarizer() -> None:
    async with chained(GOOD, GOOD, summary=hangs) as running:
        assert running.chain.models == (("a", MODEL), ("b", MODEL), ("ollama", "small"))
        assert running.chain.order == ["a", "b"]
        assert running.chain.concurrency == 8


async def test_the_capacity_is_what_the_first_provider_answers_before_the_deadline() -> None:
    async with chained(GOOD, GOOD, slots=2, timeout=10, deadline=60) as running:
        # 40 of the 60 seconds, without a timeout for each provider; the average duration starts at the timeout.
        assert running.chain.capacity() == 8
        running.clients[0].average_seconds = 2
        assert running.chain.capacity() == 40
        running.clients[0].average_seconds = 600
        assert running.chain.capacity() == 2
        await running.judge()
        assert running.clients[0].average_seconds < 600


async def test_waiting_calls_reduce_the_capacity() -> None:
    held = Held(GOOD)
    async with chained(held, slots=1, timeout=10, deadline=60) as running:
        assert running.chain.capacity() == 5
        tasks = [asyncio.create_task(running.judge()) for _ in range(4)]
        await held.requested.wait()
        assert running.chain.capacity() == 2
        tasks += [asyncio.create_task(running.judge()) for _ in range(9)]
        await until(lambda: running.clients[0].semaphore.waiting == 12)
        assert running.chain.capacity() == 1
        held.release.set()
        assert await asyncio.gather(*tasks) == ["a"] * 13


@pytest.mark.parametrize(("shared", "capacity"), [(True, 10), (False, 20)])
async def test_storm_summaries_on_the_same_slots_reduce_the_capacity(*, shared: bool, capacity: int) -> None:
    summary = ollama_responds('{"summary": "It all hangs together."}')
    async with chained(GOOD, slots=1, timeout=10, deadline=60, summary=summary, shared=shared) as running:
        for _ in range(30):
            await judged_storm(running)
        assert running.summarizer is not None
        running.clients[0].average_seconds = running.summarizer.average_seconds = 2.5
        assert running.chain.capacity() == capacity
        for _ in range(30):
            await running.judge()
        running.clients[0].average_seconds = 2.5
        assert running.chain.capacity() == pytest.approx(20, abs=1)
