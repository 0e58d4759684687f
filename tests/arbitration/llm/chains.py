"""A chain whose providers are servers on loopback."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from openclaw_stream.arbitration.llm.budget import Budget
from openclaw_stream.arbitration.llm.chain import Chain
from openclaw_stream.arbitration.llm.key_value_store import MemoryStore
from openclaw_stream.arbitration.llm.provider_client import ClientConfig, DecisionContext, ProviderClient
from openclaw_stream.arbitration.llm.providers import Ollama, OpenAI
from openclaw_stream.arbitration.llm.steps import STEPS
from openclaw_stream.arbitration.llm.tracing import NoRecorder
from openclaw_stream.resilience.circuit_breaker import CircuitBreaker
from openclaw_stream.resilience.priority_semaphore import PrioritySemaphore
from openclaw_stream.settings.providers import Price
from openclaw_stream.telemetry.metrics import Metrics
from openclaw_stream.vocabulary import Language, Responsibility
from tests.arbitration.llm.model_server import (
    ANSWER,
    CASE,
    MODEL,
    completes,
    evidence_of,
    question,
    servers,
    storm,
)
from tests.arbitration.llm.providers.loopback import Answer, Loopback, responds

GOOD = completes(ANSWER)
BUSY = responds(429, {"error": {"message": "slow down"}}, retry_after="0")
PRICE = Price(1000, 2000)
"""A call of 1000 and 500 tokens costs 2 dollars."""


@dataclass
class ChainUnderTest:
    chain: Chain
    clients: list[ProviderClient]
    summarizer: ProviderClient | None
    servers: list[Loopback]
    budget: Budget
    metrics: Metrics
    contexts: list[DecisionContext] = field(default_factory=list)

    async def judge(self, seconds: float = 60, rank: int = 0) -> str | None:
        """Return the provider that answered."""
        context = DecisionContext(time.monotonic() + seconds, rank, NoRecorder())
        self.contexts.append(context)
        answer = await self.chain.judge(CASE, None, context)
        return answer.provider if answer else None

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        return [(attempt.provider, attempt.outcome) for attempt in self.contexts[-1].attempts]

    @property
    def reasons(self) -> list[str]:
        return self.contexts[-1].reasons


@asynccontextmanager
async def chained(
    *answers: Answer,
    slots: int = 4,
    limit: float | None = None,
    breaker: Callable[[], CircuitBreaker] = lambda: CircuitBreaker(5, 30),
    timeout: float = 10,  # noqa: ASYNC109 - of one call
    deadline: float = 60,
    summary: Answer | None = None,
    shared: bool = False,
) -> AsyncIterator[ChainUnderTest]:
    """A chain of OpenAI-compatible servers a, b, c …, and an Ollama summarizer, `shared`: on the slots of a."""
    async with servers(*answers, *([summary] if summary else [])) as running:
        metrics, budget = Metrics(), Budget(limit, MemoryStore())
        config = ClientConfig(timeout, {MODEL: PRICE}, budget, metrics, backoff=0.01)
        providers = []
        for name, server in zip("abcd", running[: len(answers)], strict=False):
            provider = OpenAI(f"{server.url}/v1", MODEL, None, max_tokens=4096, max_tokens_field="max_tokens")
            provider.name = name
            providers.append(provider)
        clients = [
            ProviderClient(provider, PrioritySemaphore(slots), breaker(), config, STEPS) for provider in providers
        ]
        ollama = Ollama(running[-1].url, "small", num_ctx=8192, max_tokens=512)
        summary_slots = clients[0].semaphore if shared else PrioritySemaphore(1)
        summarizer = ProviderClient(ollama, summary_slots, breaker(), config, STEPS) if summary else None
        chain = Chain(clients, summarizer, Language.EN, timeout, deadline)
        yield ChainUnderTest(chain, clients, summarizer, list(running), budget, metrics)
        await asyncio.gather(*(provider.close() for provider in (*providers, ollama)))


def ollama_responds(text: str) -> Answer:
    return responds(
        200,
        {"message": {"content": text}, "done": True, "done_reason": "stop", "prompt_eval_count": 9, "eval_count": 3},
    )


async def judged_storm(running: ChainUnderTest) -> tuple[DecisionContext, list[dict[str, object]]]:
    context = DecisionContext(time.monotonic() + 60, 0, NoRecorder())
    answer = await running.chain.judge(storm(), None, context)
    assert answer is not None
    assert answer.parsed.judgement.primary_responsibility is Responsibility.BE
    return context, evidence_of(question(running.servers[0].requests[-1]))
