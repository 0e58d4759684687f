"""One link of the chain: a provider with its breaker, its slots and its retries."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from openclaw_stream.arbitration.llm.budget import Budget
from openclaw_stream.arbitration.llm.prices import cost_usd
from openclaw_stream.arbitration.llm.prompt.response import AnswerError
from openclaw_stream.arbitration.llm.prompt.template import ask_again
from openclaw_stream.arbitration.llm.providers.base import Failure, Prompt, Provider, ProviderError, Reply
from openclaw_stream.arbitration.llm.tracing import Call, Recorder
from openclaw_stream.events.decision import Attempt
from openclaw_stream.resilience.circuit_breaker import CircuitBreaker
from openclaw_stream.resilience.priority_semaphore import PrioritySemaphore
from openclaw_stream.settings.providers import Price
from openclaw_stream.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)

T = TypeVar("T")

_TRIES = 3
_BACKOFF_MOST = 8.0
_WEIGHT = 0.2
_PATIENCE = 5.0
ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class AnswerFormat(Generic[T]):
    """What is asked for: its JSON schema, and what reads it out of a text and raises AnswerError."""

    schema: Mapping[str, Any]
    read: Callable[[str], T]


@dataclass(slots=True)
class DecisionContext:
    """One decision's way along the chain: how long it may take, and what came of it so far.

    `deadline` is in seconds of the monotonic clock, `rank` the higher the more urgent.
    """

    deadline: float
    rank: int
    recorder: Recorder
    attempts: list[Attempt] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return self.deadline - time.monotonic()


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """What all links share.

    `timeout` is in seconds for one call, `prices` are the operator's own by model, `backoff` is the most seconds before
    the first retry, which double with each.
    """

    timeout: float
    prices: Mapping[str, Price]
    budget: Budget
    metrics: Metrics
    backoff: float = 0.5


class ProviderClient:
    """A provider that is asked with care."""

    def __init__(
        self, provider: Provider, slots: PrioritySemaphore, breaker: CircuitBreaker, terms: ClientConfig
    ) -> None:
        self.name, self.model = provider.name, provider.model
        self.slots = slots
        self._provider = provider
        self._breaker = breaker
        self._terms = terms
        self._backoff = wait_random_exponential(multiplier=terms.backoff, max=_BACKOFF_MOST)
        one = Reply("", self.model, input_tokens=1000, output_tokens=1000)
        price = cost_usd(self.name, self.model, one, terms.prices)
        self.priced = price is not None
        self._free = price == 0
        self.average = terms.timeout
        """Seconds a slot is held, lately."""

    @property
    def affordable(self) -> bool:
        """Whether it costs nothing, or there is something left to spend; an unknown price is one."""
        return self._free or not self._terms.budget.exhausted

    @property
    def available(self) -> bool:
        """Whether it may be asked: it is affordable, and not left alone after failures."""
        return self.affordable and not self._breaker.is_open

    async def ask(self, prompt: Prompt, form: AnswerFormat[T], errand: DecisionContext, *, reserve: float) -> T | None:
        """Return the answer; None where there is none, with the reason noted in the errand.

        Args:
            prompt: The question.
            form: What its answer looks like.
            errand: The decision it is for.
            reserve: Seconds before the deadline that are kept for the links behind: neither a slot nor a provider that
                asks for a pause is waited for into them. 0 for the last link.
        """
        try:
            self._require_permission(errand)  # nobody waits for a slot in vain
            async with asyncio.timeout(max(errand.left - reserve, 0)):
                await self.slots.acquire(errand.rank)
            return await self._ask(prompt, form, errand, reserve)
        except TimeoutError:
            errand.reasons.append(f"{self.name}: busy for too long")
        except _NotAskedError as error:
            errand.reasons.append(f"{self.name}: {error}")
        except (AnswerError, ProviderError) as error:
            errand.reasons.append(f"{self.name}: {_word_for(error)}")
            log.warning("a model gave no answer", provider=self.name, model=self.model, reason=str(error))
        return None

    async def _ask(self, prompt: Prompt, form: AnswerFormat[T], errand: DecisionContext, reserve: float) -> T:
        """Ask, and give the slot back."""
        started, answered = time.monotonic(), False
        try:
            answer = await self._converse(prompt, form, errand, reserve)
            answered = True
            return answer
        finally:
            seconds = time.monotonic() - started
            # To fail fast says nothing of how long an answer takes.
            if answered or seconds > self.average:
                self.average += _WEIGHT * (seconds - self.average)
            self.slots.release()

    async def _converse(self, prompt: Prompt, form: AnswerFormat[T], errand: DecisionContext, reserve: float) -> T:
        """Ask, and once more with the fault where the answer cannot be read."""
        retrying = AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, ProviderError) and error.retryable),
            wait=self._pause,
            stop=lambda state: _gives_up(state, errand, reserve),
            reraise=True,
        )
        try:
            return await retrying(self._call, prompt, form, errand)
        except AnswerError as fault:
            again = ask_again(prompt, str(fault))
        return await retrying(self._call, again, form, errand)

    async def _call(self, prompt: Prompt, form: AnswerFormat[T], errand: DecisionContext) -> T:
        self._require_permission(errand)
        self._breaker.allows()
        started, seconds = time.monotonic(), min(self._terms.timeout, errand.left)
        try:
            with errand.recorder.attempt(self.name, self.model, prompt) as call:
                reply = await self._provider.ask(prompt, form.schema, timeout=seconds)
                call.replied(reply, self._cost(reply))
                answer = await _read(form, reply, call)
        except ProviderError as error:
            # A rate that is limited is kept to by pauses; the provider is well.
            ill = error.trips and error.failure is not Failure.RATE_LIMITED
            (self._breaker.failed if ill else self._breaker.succeeded)()
            self._note(errand, error.failure, started, error.reply)
            raise
        self._breaker.succeeded()
        self._note(errand, answer.reason if isinstance(answer, AnswerError) else ANSWERED, started, reply)
        if isinstance(answer, AnswerError):
            raise answer
        return answer

    def _pause(self, state: RetryCallState) -> float:
        """Return the seconds until the next try: a random backoff, and not before the provider wants it."""
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, ProviderError) else None
        return max(self._backoff(state), asked or 0.0)

    def _require_permission(self, errand: DecisionContext) -> None:
        if errand.left <= 0:
            raise _NotAskedError("no time is left before the deadline")
        if not self.affordable:
            raise _NotAskedError(f"the budget of {self._terms.budget.limit:g} USD an hour is spent")
        if self._breaker.is_open:
            raise _NotAskedError("it has failed again and again, and is left alone for a while")

    def _note(self, errand: DecisionContext, outcome: str, started: float, reply: Reply | None) -> None:
        metrics, seconds = self._terms.metrics, time.monotonic() - started
        cost = self._cost(reply) if reply else None
        if cost:
            self._terms.budget.spend(cost)
            metrics.llm_cost.labels(self.name).inc(cost)
        metrics.llm_calls.labels(self.name, outcome).inc()
        metrics.llm_seconds.labels(self.name).observe(seconds)
        attempt = Attempt(
            provider=self.name,
            model=self.model,
            outcome=outcome,
            latency_ms=round(seconds * 1000),
            input_tokens=reply.input_tokens if reply else None,
            output_tokens=reply.output_tokens if reply else None,
            cost_usd=cost,
        )
        metrics.llm_tokens.labels(self.name, "input").inc(attempt.input_tokens or 0)
        metrics.llm_tokens.labels(self.name, "output").inc(attempt.output_tokens or 0)
        errand.attempts.append(attempt)

    def _cost(self, reply: Reply) -> float | None:
        return cost_usd(self.name, self.model, reply, self._terms.prices)


class _NotAskedError(Exception):
    """A call that was not made; the message says why."""


async def _read(form: AnswerFormat[T], reply: Reply, call: Call) -> T | AnswerError:
    try:
        # In a thread: to repair a text that is made for it takes half a second.
        answer = await asyncio.to_thread(form.read, reply.text)
    except AnswerError as fault:
        call.validated(str(fault))
        return fault
    call.validated()
    return answer


def _gives_up(state: RetryCallState, errand: DecisionContext, reserve: float) -> bool:
    """Tell whether to leave a provider: others are asked soon, but the last is waited for while its rate is limited."""
    error = state.outcome.exception() if state.outcome else None
    if state.upcoming_sleep >= errand.left - reserve:
        return True
    if reserve == 0 and isinstance(error, ProviderError) and error.failure is Failure.RATE_LIMITED:
        return False
    return state.attempt_number >= _TRIES or (reserve > 0 and state.upcoming_sleep > _PATIENCE)


def _word_for(error: AnswerError | ProviderError) -> str:
    return error.failure.value if isinstance(error, ProviderError) else f"{error.reason.value}, twice"
