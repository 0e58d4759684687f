"""The steps of a call against a server on loopback: their order, their repetitions, and what they leave behind."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from openclaw_stream.arbitration.llm.budget import Budget
from openclaw_stream.arbitration.llm.key_value_store import MemoryStore
from openclaw_stream.arbitration.llm.prompt.response import AnswerError, AnswerFault
from openclaw_stream.arbitration.llm.provider_client import (
    AnswerFormat,
    ClientConfig,
    DecisionContext,
    ProviderCall,
    ProviderClient,
    Step,
)
from openclaw_stream.arbitration.llm.providers import OpenAI, Prompt, ProviderError, Reply
from openclaw_stream.arbitration.llm.steps import STEPS, acquire_slot, retry
from openclaw_stream.arbitration.llm.tracing import Call, NoRecorder, Recorder
from openclaw_stream.events.arbitration_result import ArbitrationResult
from openclaw_stream.resilience.circuit_breaker import CircuitBreaker
from openclaw_stream.resilience.priority_semaphore import PrioritySemaphore
from openclaw_stream.settings.providers import Price
from openclaw_stream.telemetry.metrics import Metrics
from tests.arbitration.llm.model_server import MODEL, Held, completes, in_turn, servers
from tests.arbitration.llm.providers.loopback import Answer, Loopback, hangs, responds

PROMPT = Prompt("system", "user", "1")


def read(text: str) -> str:
    if text != "good":
        raise AnswerError(AnswerFault.SCHEMA, f"{text} is not good")
    return text


FORMAT = AnswerFormat({}, read)


@dataclass
class Client:
    client: ProviderClient
    server: Loopback
    metrics: Metrics
    context: DecisionContext

    async def ask(self, reserve: float = 0) -> str | None:
        return await self.client.ask(PROMPT, FORMAT, self.context, reserve=reserve)

    @property
    def outcomes(self) -> list[str]:
        return [attempt.outcome for attempt in self.context.attempts]

    async def has_free_slot(self) -> bool:
        """Whether the only slot is granted at once."""
        acquiring = asyncio.create_task(self.client.semaphore.acquire(0))
        await asyncio.sleep(0)
        if acquiring.done():
            self.client.semaphore.release()
            return True
        acquiring.cancel()
        await asyncio.gather(acquiring, return_exceptions=True)
        return False


@asynccontextmanager
async def client_of(
    answer: Answer, steps: Sequence[Step] = STEPS, *, recorder: Recorder | None = None, seconds: float = 60
) -> AsyncIterator[Client]:
    async with servers(answer) as (server,):
        metrics = Metrics()
        config = ClientConfig(10, {MODEL: Price(1000, 2000)}, Budget(100, MemoryStore()), metrics, backoff=0.01)
        provider = OpenAI(f"{server.url}/v1", MODEL, None, max_tokens=4096, max_tokens_field="max_tokens")
        client = ProviderClient(provider, PrioritySemaphore(1), CircuitBreaker(2, 60), config, steps)
        context = DecisionContext(time.monotonic() + seconds, 0, recorder or NoRecorder())
        yield Client(client, server, metrics, context)
        await provider.close()


def traced(name: str, log: list[str], repeats: int = 0) -> Step:
    """A step that logs what it sees, and repeats the steps after it so many times."""

    async def step(_: ProviderCall[Any]) -> AsyncGenerator[None, None]:
        for _attempt in range(repeats + 1):
            log.append(f"{name} before")
            try:
                yield
            except Exception as error:
                log.append(f"{name} {type(error).__name__}")
                raise
            log.append(f"{name} after")

    return step


async def handle(_: ProviderCall[Any]) -> AsyncGenerator[None, None]:
    with suppress(ValueError):
        yield


async def refuse(_: ProviderCall[Any]) -> AsyncGenerator[None, None]:
    raise ValueError("refused")
    yield


async def test_steps_are_entered_in_order_and_left_in_reverse_order() -> None:
    log: list[str] = []
    async with client_of(completes("good"), (traced("a", log), traced("b", log))) as called:
        await called.ask()
    assert log == ["a before", "b before", "b after", "a after"]
    assert len(called.server.requests) == 1


async def test_a_step_that_yields_again_repeats_what_is_after_it() -> None:
    log: list[str] = []
    async with client_of(
        completes("good"), (traced("a", log), traced("b", log, repeats=1), traced("c", log))
    ) as called:
        await called.ask()
        assert len(called.server.requests) == 2
    again = ["b before", "c before", "c after", "b after"]
    assert log == ["a before", *again, *again, "a after"]


async def test_a_step_that_refuses_a_call_ends_those_before_it() -> None:
    log: list[str] = []
    async with client_of(completes("good"), (handle, traced("a", log), refuse, traced("b", log))) as called:
        assert await called.ask() is None
        assert called.server.requests == []
    assert log == ["a before", "a ValueError"]


async def test_an_error_that_no_step_handles_is_raised() -> None:
    log: list[str] = []
    async with client_of(responds(500), (traced("a", log), handle)) as called:
        with pytest.raises(ProviderError, match="500"):
            await called.ask()
    assert log == ["a before", "a ProviderError"]


@pytest.mark.parametrize(
    ("answer", "outcomes"),
    [
        (completes("good"), ["answered"]),
        (completes("bad"), ["schema", "schema"]),
        (in_turn(completes("bad"), responds(500), completes("good")), ["schema", "server_error", "answered"]),
        (responds(400), ["bad_request"]),
        (in_turn(responds(500), completes("good")), ["server_error", "answered"]),
    ],
)
async def test_a_call_frees_its_slot_however_it_ends(answer: Answer, outcomes: list[str]) -> None:
    async with client_of(answer) as called:
        assert await called.ask() == ("good" if outcomes[-1] == "answered" else None)
        assert called.outcomes == outcomes
        assert await called.has_free_slot()


async def test_a_cancelled_call_frees_its_slot_and_records_no_attempt() -> None:
    held = Held(hangs)
    async with client_of(held) as called:
        call = asyncio.create_task(called.ask())
        await held.requested.wait()
        assert not await called.has_free_slot()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert await called.has_free_slot()
        assert (called.outcomes, called.context.reasons) == ([], [])
        assert called.client.available


async def test_an_error_of_our_own_frees_the_slot_and_is_raised() -> None:
    def broken(_: str) -> str:
        raise RuntimeError("broken")

    async with client_of(completes("good")) as called:
        with pytest.raises(RuntimeError, match="broken"):
            await called.client.ask(PROMPT, AnswerFormat({}, broken), called.context, reserve=0)
        assert await called.has_free_slot()
        assert called.client.available


async def test_the_slot_is_held_over_the_pauses_between_retries() -> None:
    assert STEPS.index(acquire_slot) < STEPS.index(retry)
    held = Held(completes("good"))
    async with client_of(in_turn(responds(429, retry_after="0"), held)) as called:
        call = asyncio.create_task(called.ask())
        await held.requested.wait()
        assert not await called.has_free_slot()
        held.release.set()
        assert await call == "good"


async def test_a_circuit_that_opens_between_two_attempts_ends_the_retries() -> None:
    async with client_of(responds(500)) as called:
        assert await called.ask() is None
        assert called.outcomes == ["server_error"] * 2
        assert called.context.reasons == [f"{called.client.name}: circuit open after repeated failures"]


async def test_an_answer_that_cannot_be_read_is_no_failure_of_the_provider() -> None:
    async with client_of(completes("bad")) as called:
        for _ in range(3):
            await called.ask()
        assert called.client.available
        assert called.context.reasons == [f"{called.client.name}: schema, twice"] * 3


async def test_the_correction_quotes_the_problem() -> None:
    async with client_of(in_turn(completes("bad"), completes("good"))) as called:
        assert await called.ask() == "good"
        question = str(called.server.requests[1].json["messages"][1]["content"])
    assert "bad is not good" in question


async def test_each_attempt_is_counted_and_paid_for() -> None:
    async with client_of(in_turn(completes("bad"), completes("good"))) as called:
        await called.ask()
        value = called.metrics.registry.get_sample_value
        assert value("openclaw_llm_calls_total", {"provider": "openai", "outcome": "schema"}) == 1
        assert value("openclaw_llm_calls_total", {"provider": "openai", "outcome": "answered"}) == 1
        assert value("openclaw_llm_tokens_total", {"provider": "openai", "direction": "input"}) == 2000
        assert value("openclaw_llm_cost_usd_total", {"provider": "openai"}) == 4
        assert called.client.config.budget.spent == 4


@dataclass
class LogCall:
    log: list[str]

    def replied(self, reply: Reply, cost_usd: float | None = None) -> None:
        self.log.append(f"replied {reply.text} for {cost_usd}")

    def validated(self, problem: str | None = None) -> None:
        self.log.append(f"validated {problem}")


@dataclass
class LogRecorder:
    """A tracing backend that logs."""

    log: list[str] = field(default_factory=list)

    @contextmanager
    def attempt(self, provider: str, model: str, prompt: Prompt) -> Iterator[Call]:
        self.log.append(f"call {provider} {model} {prompt.version}")
        try:
            yield LogCall(self.log)
        except Exception as error:
            self.log.append(f"failed {type(error).__name__}")
            raise

    def decided(self, verdict: ArbitrationResult) -> None:
        self.log.append(f"decided {verdict.provenance.provider}")


async def test_an_unreadable_answer_is_traced_as_a_problem_and_a_missing_one_as_a_failure() -> None:
    recorder = LogRecorder()
    async with client_of(in_turn(completes("bad"), responds(500), completes("good")), recorder=recorder) as called:
        assert await called.ask() == "good"
    call = f"call openai {MODEL} 1"
    assert recorder.log == [
        *(call, "replied bad for 2.0", "validated bad is not good"),
        *(call, "failed ProviderError"),
        *(call, "replied good for 2.0", "validated None"),
    ]
