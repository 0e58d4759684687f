"""The client of one provider: its limits, its state, and the steps that each of its calls passes."""

import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from openclaw_stream.arbitration.llm.budget import Budget
from openclaw_stream.arbitration.llm.prices import cost_usd
from openclaw_stream.arbitration.llm.providers.base import Prompt, Provider, Reply
from openclaw_stream.arbitration.llm.tracing import Recorder
from openclaw_stream.events.decision import Attempt
from openclaw_stream.resilience.circuit_breaker import CircuitBreaker
from openclaw_stream.resilience.priority_semaphore import PrioritySemaphore
from openclaw_stream.settings.providers import Price
from openclaw_stream.telemetry.metrics import Metrics

T = TypeVar("T")

_RATE_LIMITED_MAX, _RATE_LIMITED_SECONDS = 3, 60.0
_WEIGHT = 0.2
"""The weight of the latest call in the moving average of the durations."""


@dataclass(frozen=True, slots=True)
class AnswerFormat(Generic[T]):
    """The format of an answer: its JSON schema, and the function that reads it from a text or raises AnswerError."""

    schema: Mapping[str, Any]
    read: Callable[[str], T]


@dataclass(slots=True)
class DecisionContext:
    """What the calls of one decision share: its deadline, and what they record.

    `deadline` is in seconds of the monotonic clock; a higher `rank` is more urgent. `reasons` are why providers gave no
    answer.
    """

    deadline: float
    rank: int
    recorder: Recorder
    attempts: list[Attempt] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    @property
    def remaining(self) -> float:
        """Seconds until the deadline."""
        return self.deadline - time.monotonic()


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """What all clients share.

    `timeout` is in seconds for one call, `prices` are the operator's own by model, `backoff` is the upper limit in
    seconds of the pause before the first retry; it doubles with each retry.
    """

    timeout: float
    prices: Mapping[str, Price]
    budget: Budget
    metrics: Metrics
    backoff: float = 0.5


class ProviderClient:
    """A provider with its semaphore, its circuit breaker and its price.

    Args:
        provider: The server and the model.
        semaphore: Limits the calls at the same time; clients of one server may share it.
        breaker: Opens after repeated failures.
        config: What all clients share.
        steps: The steps of each call, in order; `STEPS` of the module `steps`.
    """

    def __init__(
        self,
        provider: Provider,
        semaphore: PrioritySemaphore,
        breaker: CircuitBreaker,
        config: ClientConfig,
        steps: "Sequence[Step]",
    ) -> None:
        self.name, self.model = provider.name, provider.model
        self.provider = provider
        self.semaphore = semaphore
        self.breaker = breaker
        self.config = config
        self._steps = steps
        price = self.cost(Reply("", self.model, input_tokens=1000, output_tokens=1000))
        self.priced = price is not None
        self._free = price == 0
        self.average_seconds = config.timeout
        """Moving average of how long a call holds its slot, retries included."""
        self.rate_limited = 0
        """Calls in a row that waited for the end of a rate limit until the deadline."""

    @property
    def affordable(self) -> bool:
        """Whether it is free of charge, or the budget is not spent; a model without a known price is not free."""
        return self._free or not self.config.budget.exhausted

    @property
    def available(self) -> bool:
        """Whether it may be asked: it is affordable and its circuit is not open."""
        return self.affordable and not self.breaker.is_open

    def ask(
        self, prompt: Prompt, answer_format: AnswerFormat[T], context: DecisionContext, *, reserve: float
    ) -> Coroutine[Any, Any, T | None]:
        """Return the answer; None where there is none, with the reason in the context.

        Args:
            prompt: The question.
            answer_format: The format of the answer.
            context: The decision it is for.
            reserve: Seconds before the deadline that are kept for the providers after this one: it spends none of them
                on waiting for a slot or on a pause between retries. 0 for the last provider.
        """
        return run_steps(self._steps, ProviderCall(self, prompt, answer_format, context, reserve))

    def cost(self, reply: Reply) -> float | None:
        """Return the cost of a reply in US dollars; None where it is not known."""
        return cost_usd(self.name, self.model, reply, self.config.prices)

    def rate_limited_until_deadline(self) -> None:
        """Count a call that a rate limit held until the deadline; open the circuit where no limit of a minute does so.

        A spent quota in unknown words must not hold every decision of a day.
        """
        self.rate_limited += 1
        if self.rate_limited >= _RATE_LIMITED_MAX:
            self.breaker.open_for(_RATE_LIMITED_SECONDS)

    def observe_duration(self, seconds: float, *, answered: bool) -> None:
        """Update the average; a call that failed quickly does not show how long an answer takes."""
        if answered or seconds > self.average_seconds:
            self.average_seconds += _WEIGHT * (seconds - self.average_seconds)


@dataclass(slots=True)
class ProviderCall(Generic[T]):
    """One call on its way through the steps; `reply` is the last one received, `answer` what was read from it.

    `max_tokens` replaces the provider's limit of the tokens of an answer; `first_fault` is why it is asked once more.
    """

    client: ProviderClient
    prompt: Prompt
    answer_format: AnswerFormat[T]
    context: DecisionContext
    reserve: float
    reply: Reply | None = None
    answer: T | None = None
    max_tokens: int | None = None
    first_fault: str = ""

    @property
    def timeout(self) -> float:
        """Seconds the provider has for its reply."""
        return min(self.client.config.timeout, self.context.remaining)


Step = Callable[[ProviderCall[Any]], AsyncGenerator[None, None]]
"""A step of a call, written like an async context manager: the code before its `yield` runs before the request is sent,
the code after it when the reply has come, and an error is raised at the `yield`. Where a step yields again, the steps
after it and the request are repeated."""


async def run_steps(steps: Sequence[Step], call: ProviderCall[T]) -> T | None:
    """Enter the steps in order, send the request, and leave the steps in reverse order; return the answer.

    Raises:
        Exception: What the request or a step raised and no step handled.
    """
    entered: list[AsyncGenerator[None, None]] = []
    repeat = True
    while repeat:
        error: BaseException | None = None
        try:
            for step in steps[len(entered) :]:
                generator = step(call)
                await anext(generator)
                entered.append(generator)
            call.reply = await call.client.provider.ask(
                call.prompt, call.answer_format.schema, timeout=call.timeout, max_tokens=call.max_tokens
            )
        except BaseException as raised:  # noqa: BLE001 - the steps see it, and it is raised again unless one handles it
            error = raised
        repeat = await _leave(entered, error)
    return call.answer


async def _leave(entered: list[AsyncGenerator[None, None]], error: BaseException | None) -> bool:
    """Leave the steps from the last to the first, or to one that yields again: then return True."""
    while entered:
        try:
            await (anext(entered[-1]) if error is None else entered[-1].athrow(error))
        except StopAsyncIteration:
            error = None
        except BaseException as raised:  # noqa: BLE001 - the same error or another, for the step before
            error = raised
        else:
            return True
        entered.pop()
    if error is not None:
        raise error
    return False
