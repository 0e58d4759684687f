"""The chain against servers on loopback: order, retries, breaker, budget, deadline, storms."""

import asyncio
import json
import threading
import time

import pytest

from openclaw_stream.arbitration.llm.chain import UNLIMITED
from openclaw_stream.arbitration.llm.provider_client import AnswerFormat, DecisionContext
from openclaw_stream.arbitration.llm.providers import Prompt
from openclaw_stream.arbitration.llm.tracing import NoRecorder
from openclaw_stream.resilience.circuit_breaker import CircuitBreaker
from tests.arbitration.llm.chains import BUSY, FINE, chained, judged_storm, ollama_responds
from tests.arbitration.llm.model_server import (
    ANSWER,
    MODEL,
    Held,
    completes,
    in_turn,
    question,
    storm,
    until,
)
from tests.arbitration.llm.providers.loopback import Answer, hangs, responds
from tests.resilience.breakers import record_failures


async def test_the_first_that_answers_is_the_last_that_is_asked() -> None:
    async with chained(FINE, FINE) as asked:
        assert await asked.judge() == "a"
        assert asked.outcomes == [("a", "answered")]
        assert [len(server.requests) for server in asked.servers] == [1, 0]
        attempt = asked.contexts[0].attempts[0]
        assert (attempt.model, attempt.input_tokens, attempt.output_tokens) == (MODEL, 1000, 500)
        assert attempt.cost_usd == pytest.approx(2)
        assert asked.metrics.registry.get_sample_value("openclaw_llm_cost_usd_total", {"provider": "a"}) == 2


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (responds(401, {"error": {"message": "bad key"}}), "unauthorized"),
        (responds(404, {"error": {"message": "no such model"}}), "model_missing"),
        (responds(400, {"error": {"message": "what?"}}), "bad_request"),
        (responds(200, b"no json"), "garbage"),
        (responds(200, {"choices": [{"finish_reason": "length", "message": {"content": "{"}}]}), "truncated"),
        (responds(200, {"choices": [{"finish_reason": "stop", "message": {"refusal": "no"}}]}), "refused"),
    ],
)
async def test_what_cannot_change_is_not_tried_again(answer: Answer, outcome: str) -> None:
    async with chained(answer, FINE) as asked:
        assert await asked.judge() == "b"
        assert asked.outcomes == [("a", outcome), ("b", "answered")]
        assert asked.reasons == [f"a: {outcome}"]


async def test_what_may_pass_is_tried_three_times() -> None:
    async with chained(responds(500), FINE) as asked:
        assert await asked.judge() == "b"
        assert asked.outcomes == [("a", "server_error")] * 3 + [("b", "answered")]
    async with chained(in_turn(responds(503), FINE)) as asked:
        assert await asked.judge() == "a"
        assert asked.outcomes == [("a", "overloaded"), ("a", "answered")]


async def test_a_pause_longer_than_patience_is_left_to_the_next() -> None:
    async with chained(responds(429, {"error": "slow down"}, retry_after="30"), FINE) as asked:
        assert await asked.judge() == "b"
        assert asked.outcomes == [("a", "rate_limited"), ("b", "answered")]


async def test_a_pause_beyond_the_deadline_is_not_made() -> None:
    async with chained(responds(429, {"error": "slow down"}, retry_after="61")) as asked:
        assert await asked.judge() is None
        assert asked.outcomes == [("a", "rate_limited")]
        assert asked.reasons == ["a: rate_limited"]


async def test_the_last_is_waited_for_while_its_rate_is_limited() -> None:
    async with chained(in_turn(BUSY, BUSY, BUSY, BUSY, FINE), breaker=lambda: CircuitBreaker(1, 60)) as asked:
        assert await asked.judge() == "a"
        assert asked.outcomes == [("a", "rate_limited")] * 4 + [("a", "answered")]


async def test_an_answer_that_cannot_be_read_is_asked_for_once_more_with_the_fault() -> None:
    async with chained(in_turn(completes("I think it is BE."), FINE)) as asked:
        assert await asked.judge() == "a"
        assert asked.outcomes == [("a", "no_json"), ("a", "answered")]
        first, second = (question(request) for request in asked.servers[0].requests)
        assert second.startswith(first)
        assert "contains no readable JSON object" in second.removeprefix(first)


async def test_to_read_an_answer_holds_nobody_up() -> None:
    reading, go = threading.Event(), threading.Event()

    def read(text: str) -> str:
        reading.set()
        return text if go.wait(10) else ""

    async with chained(FINE) as asked:
        context = DecisionContext(time.monotonic() + 60, 0, NoRecorder())
        prompt = Prompt("system", "user", "1")
        task = asyncio.create_task(asked.clients[0].ask(prompt, AnswerFormat({}, read), context, reserve=0))
        await until(reading.is_set)
        go.set()
        assert await task == ANSWER


async def test_invalid_answers_pass_to_the_next_and_do_not_trip_the_breaker() -> None:
    bad = completes('{"primary_responsibility": "OPS", "confidence": 90, "action_title": "x"}')
    async with chained(bad, FINE, breaker=lambda: CircuitBreaker(1, 60)) as asked:
        for _ in range(3):
            assert await asked.judge() == "b"
            assert asked.outcomes == [("a", "schema"), ("a", "schema"), ("b", "answered")]
            assert asked.reasons == ["a: schema, twice"]


async def test_a_provider_that_fails_again_and_again_is_left_alone_until_it_is_tried_once() -> None:
    now = [0.0]
    breaker = lambda: CircuitBreaker(3, 30, lambda: now[0])  # noqa: E731 - one for each link
    async with chained(in_turn(responds(500), responds(500), responds(500), FINE), FINE, breaker=breaker) as asked:
        assert await asked.judge() == "b"
        assert await asked.judge() == "b"
        assert asked.outcomes == [("b", "answered")]
        assert asked.reasons == ["a: circuit open after repeated failures"]
        now[0] = 30
        assert await asked.judge() == "a"


async def test_one_call_that_tries_the_dead_holds_nobody_up() -> None:
    now, held = [0.0], Held(FINE)
    breaker = lambda: CircuitBreaker(1, 30, lambda: now[0])  # noqa: E731 - one for each link
    async with chained(in_turn(responds(400), responds(500), held), breaker=breaker, slots=1) as asked:
        assert await asked.judge() is None
        assert asked.chain.capacity() < UNLIMITED
        assert await asked.judge() is None
        assert asked.chain.capacity() == UNLIMITED
        now[0] = 30
        probe = asyncio.create_task(asked.judge())
        await held.requested.wait()
        # The probe has the only slot, and may keep it for as long as a call may take.
        assert await asked.judge() is None
        assert asked.outcomes == []
        held.release.set()
        assert await probe == "a"
        assert asked.chain.capacity() < UNLIMITED


async def test_who_cannot_be_asked_is_no_reason_to_leave_the_last_that_can() -> None:
    async with chained(
        in_turn(BUSY, BUSY, BUSY, BUSY, FINE), responds(500), breaker=lambda: CircuitBreaker(2, 60)
    ) as asked:
        record_failures(asked.clients[1].breaker, 2)
        assert await asked.judge() == "a"
        assert asked.outcomes == [("a", "rate_limited")] * 4 + [("a", "answered")]


async def test_to_fail_fast_lets_no_more_in() -> None:
    async with chained(responds(400), timeout=10) as asked:
        for _ in range(20):
            await asked.judge()
        assert asked.clients[0].average_seconds == 10


async def test_a_call_that_hangs_ends_with_its_timeout_and_the_next_is_asked() -> None:
    async with chained(hangs, FINE, timeout=2) as asked:
        assert await asked.judge() == "b"
        assert asked.outcomes == [("a", "timeout"), ("b", "answered")]


async def test_the_deadline_ends_the_last_call() -> None:
    async with chained(hangs, timeout=60) as asked:
        assert await asked.judge(seconds=0.3) is None
        assert asked.outcomes == [("a", "timeout")]


async def test_after_the_deadline_nobody_is_asked() -> None:
    async with chained(FINE, FINE) as asked:
        assert await asked.judge(seconds=-1) is None
        assert asked.reasons == [f"{name}: no time is left before the deadline" for name in "ab"]
        assert [server.requests for server in asked.servers] == [[], []]


async def test_a_budget_that_is_spent_leaves_nobody_to_ask() -> None:
    async with chained(FINE, FINE, limit=3) as asked:
        assert await asked.judge() == "a"
        assert await asked.judge() == "a"
        assert asked.budget.spent == pytest.approx(4)
        assert await asked.judge() is None
        assert asked.reasons == [f"{name}: the budget of 3 USD an hour is spent" for name in "ab"]
        assert asked.chain.capacity() == UNLIMITED


async def test_answers_that_are_of_no_use_are_paid_for_too() -> None:
    cut = responds(
        200,
        {
            "choices": [{"finish_reason": "length", "message": {"content": "{"}}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 500},
        },
    )
    async with chained(cut, completes("no JSON"), limit=100) as asked:
        assert await asked.judge() is None
        assert asked.outcomes == [("a", "truncated"), ("b", "no_json"), ("b", "no_json")]
        assert asked.budget.spent == pytest.approx(6)


async def test_what_costs_nothing_is_asked_whatever_is_spent() -> None:
    async with chained(FINE, limit=0, summary=responds(200, {})) as asked:
        ollama = asked.chain._summarizer  # noqa: SLF001 - the one link that is free
        assert ollama is not None
        assert ollama.affordable
        assert not asked.clients[0].affordable


async def test_a_storm_is_condensed_first() -> None:
    async with chained(
        FINE, summary=ollama_responds('{"summary": "It all\\u202e hangs on the password=hunter2."}')
    ) as asked:
        context, evidence = await judged_storm(asked)
        assert [(each.provider, each.model, each.outcome) for each in context.attempts] == [
            ("ollama", "small", "answered"),
            ("a", MODEL, "answered"),
        ]
        assert {"summary_of_all_alerts": "It all hangs on the password=[redacted:password]"} in evidence
        assert evidence[2]["alert_counts"] == dict(storm().alert_names)
        assert await asked.judge() == "a"
        assert len(asked.servers[1].requests) == 1


async def test_a_digest_is_short_however_much_the_model_says() -> None:
    async with chained(FINE, summary=ollama_responds(json.dumps({"summary": "It rains. " * 100_000}))) as asked:
        _, evidence = await judged_storm(asked)
        [digest] = [each["summary_of_all_alerts"] for each in evidence if "summary_of_all_alerts" in each]
        assert str(digest).startswith("It rains. It rains.")
        assert len(str(digest)) <= 600


LATE = ollama_responds(" " * 100_000 + '{"summary": "Nobody reads so far."}')


@pytest.mark.parametrize("summary", [responds(500), ollama_responds("{}"), ollama_responds("A storm."), LATE, hangs])
async def test_a_storm_that_cannot_be_condensed_is_judged_by_its_counts(summary: Answer) -> None:
    async with chained(FINE, summary=summary, timeout=2) as asked:
        context, evidence = await judged_storm(asked)
        assert context.reasons == []
        assert context.attempts[-1].outcome == "answered"
        assert len([each for each in evidence if "alert" in each]) == 12
        assert evidence[2]["alert_counts"] == dict(storm().alert_names)


async def test_the_key_names_all_models_in_their_order() -> None:
    async with chained(FINE, FINE, summary=hangs) as asked:
        assert asked.chain.models == (("a", MODEL), ("b", MODEL), ("ollama", "small"))
        assert asked.chain.order == ["a", "b"]
        assert asked.chain.concurrency == 8
