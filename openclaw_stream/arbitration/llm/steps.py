"""The steps of a provider's call, in the order of `STEPS`; `Step` describes their form."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from typing import Any, Final

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from openclaw_stream.arbitration.llm.prompt.json_extraction import is_whole
from openclaw_stream.arbitration.llm.prompt.response import AnswerError
from openclaw_stream.arbitration.llm.prompt.template import correction_prompt
from openclaw_stream.arbitration.llm.prompt.thoughts import without_thoughts
from openclaw_stream.arbitration.llm.provider_client import ProviderCall, Step
from openclaw_stream.arbitration.llm.providers.base import Failure, ProviderError
from openclaw_stream.events.decision import Attempt
from openclaw_stream.resilience.circuit_breaker import CircuitOpenError

log = structlog.get_logger(__name__)

_ATTEMPTS_MAX = 3
_BACKOFF_MAX = 8.0
_PAUSE_MAX = 5.0
"""Seconds of a pause that is waited for while there is another provider to ask."""

_SPENT_SECONDS, _SPENT_SECONDS_MAX = 600.0, 3600.0
"""How long a provider with a spent quota is not asked, unless it states a later time; an hour at most, because a quota
may be raised."""

_CORRECTIONS: Final = {
    Failure.EMPTY: "it was empty",
    Failure.TRUNCATED: "it was too long and was cut, so write less",
}

ANSWERED: Final = "answered"


class NotAskedError(Exception):
    """The provider was not asked; the message is the reason."""


async def record_reason(call: ProviderCall[Any]) -> AsyncGenerator[None, None]:
    """Record in the decision why there is no answer, instead of raising it."""
    client, reasons = call.client, call.context.reasons
    try:
        yield
    except (NotAskedError, CircuitOpenError) as error:
        reasons.append(f"{client.name}: {error}")
    except (AnswerError, ProviderError) as error:
        reasons.append(f"{client.name}: {_both_outcomes(call.first_fault, _outcome(error))}")
        log.warning("provider gave no answer", provider=client.name, model=client.model, reason=str(error))


async def require_time(call: ProviderCall[Any]) -> AsyncGenerator[None, None]:
    """Refuse a call after the deadline."""
    if call.context.remaining <= 0:
        raise NotAskedError("no time is left before the deadline")
    yield


async def require_budget(call: ProviderCall[Any]) -> AsyncGenerator[None, None]:
    """Refuse a call that costs money when the budget is spent."""
    if not call.client.affordable:
        raise NotAskedError(f"the budget of {call.client.config.budget.limit:g} USD an hour is spent")
    yield


async def require_closed_circuit(call: ProviderCall[Any]) -> AsyncGenerator[None, None]:
    """Refuse a call before it waits for a slot, where the circuit is open; takes no permit of the breaker."""
    if call.client.breaker.is_open:
        raise CircuitOpenError
    yield


async def acquire_slot(call: ProviderCall[Any]) -> AsyncGenerator[None, None]:
    """Wait for a slot of the semaphore, and hold it over all retries."""
    client, context = call.client, call.context
    try:
        async with asyncio.timeout(max(context.remaining - call.reserve, 0)):
            await client.semaphore.acquire(context.rank)
    except TimeoutError:
        raise NotAskedError("busy for too long") from None
    started, answered = time.monotonic(), False
    try:
        yield
        answered = True
    finally:
        client.observe_duration(time.monotonic() - started, answered=answered)
        client.semaphore.release()


async def ask_with_correction(call: ProviderCall[Any]) -> AsyncGenerator[None, None]:
    """Ask once more where the answer is unusable, with what is wrong with it; a cut one with a larger limit."""
    try:
        yield
    except AnswerError as error:
        fault, call.first_fault = str(error), _outcome(error)
    except ProviderError as error:
        if not error.correctable:
            raise
        fault, call.first_fault = _CORRECTIONS[error.failure], _outcome(error)
        call.max_tokens = error.larger_limit
    else:
        return
    call.prompt = correction_prompt(call.prompt, fault)
    yield


async def retry(call: ProviderCall[Any]) -> AsyncGenerator[None, None]:
    """Repeat a call that failed for a reason that may pass."""
    backoff = wait_random_exponential(multiplier=call.client.config.backoff, max=_BACKOFF_MAX)
    retrying = AsyncRetrying(
        retry=retry_if_exception(lambda error: isinstance(error, ProviderError) and error.retryable),
        wait=lambda state: max(backoff(state), _retry_after(state)),
        stop=lambda state: _is_last_attempt(state, call),
        reraise=True,
    )
    try:
        async for attempt in retrying:
            with attempt:
                yield
    except ProviderError as error:
        if error.failure is Failure.RATE_LIMITED and call.reserve == 0:
            call.client.rate_limited_until_deadline()
        raise
    call.client.rate_limited = 0


async def pass_breaker(call: ProviderCall[Any]) -> AsyncGenerator[None, None]:
    """Take the circuit breaker's permit and record the outcome with it; a spent quota opens it at once."""
    breaker = call.client.breaker
    try:
        with breaker.attempt(_is_failure):
            yield
    except ProviderError as error:
        if error.failure is Failure.SPEND_LIMIT:
            breaker.open_for(min(max(error.retry_after or 0, _SPENT_SECONDS), _SPENT_SECONDS_MAX))
        raise


async def record_attempt(call: ProviderCall[Any]) -> AsyncGenerator[None, None]:
    """Record outcome, duration, tokens and cost in the decision, the metrics and the budget."""
    started, call.reply = time.monotonic(), None
    try:
        yield
    except ProviderError as error:
        call.reply = error.reply
        _record(call, _outcome(error), started)
        raise
    except AnswerError as error:
        _record(call, _outcome(error), started)
        raise
    _record(call, ANSWERED, started)


async def trace_and_read(call: ProviderCall[Any]) -> AsyncGenerator[None, None]:
    """Trace the call, and read the answer from its reply.

    To the trace, an answer that cannot be read is a reply with a problem, and not a failed call.
    """
    client, problem = call.client, None
    with call.context.recorder.attempt(client.name, client.model, call.prompt) as trace:
        try:
            yield
        except ProviderError as error:
            if not (error.may_have_answer and error.reply and is_whole(without_thoughts(error.reply.text))):
                raise
            call.reply = error.reply
        assert call.reply is not None  # noqa: S101 - otherwise an error is raised at the yield
        trace.replied(call.reply, client.cost(call.reply))
        try:
            # In a thread: the repair of a hostile text can take half a second.
            call.answer = await asyncio.to_thread(call.answer_format.read, call.reply.text)
        except AnswerError as error:
            problem = error
        trace.validated(None if problem is None else str(problem))
    if problem is not None:
        raise problem


STEPS: Final[Sequence[Step]] = (
    record_reason,
    require_time,
    require_budget,
    require_closed_circuit,
    acquire_slot,
    ask_with_correction,
    retry,
    # Checked again for each attempt: during the wait for a slot, and the pauses, other calls spend and fail.
    require_time,
    require_budget,
    pass_breaker,
    record_attempt,
    trace_and_read,
)


def _outcome(error: AnswerError | ProviderError) -> str:
    return error.failure.value if isinstance(error, ProviderError) else error.reason.value


def _both_outcomes(first: str, last: str) -> str:
    if not first:
        return last
    return f"{last}, twice" if first == last else f"{first}, then {last}"


def _retry_after(state: RetryCallState) -> float:
    """Return the seconds the provider asks to wait, 0 where it gives none."""
    error = state.outcome.exception() if state.outcome else None
    return (error.retry_after or 0.0) if isinstance(error, ProviderError) else 0.0


def _is_last_attempt(state: RetryCallState, call: ProviderCall[Any]) -> bool:
    """Return whether to stop retrying: early where another provider follows; never while the last is rate limited."""
    error = state.outcome.exception() if state.outcome else None
    if state.upcoming_sleep >= call.context.remaining - call.reserve:
        return True
    if call.reserve == 0 and isinstance(error, ProviderError) and error.failure is Failure.RATE_LIMITED:
        return False
    return state.attempt_number >= _ATTEMPTS_MAX or (call.reserve > 0 and state.upcoming_sleep > _PAUSE_MAX)


def _is_failure(error: Exception) -> bool | None:
    """Return whether an error is a fault of the provider; it works where its answer cannot be read."""
    if isinstance(error, ProviderError):
        return error.opens_circuit
    return False if isinstance(error, AnswerError) else None


def _record(call: ProviderCall[Any], outcome: str, started: float) -> None:
    client, reply, seconds = call.client, call.reply, time.monotonic() - started
    metrics = client.config.metrics
    attempt = Attempt(
        provider=client.name,
        model=client.model,
        outcome=outcome,
        latency_ms=round(seconds * 1000),
        input_tokens=reply.input_tokens if reply else None,
        output_tokens=reply.output_tokens if reply else None,
        cost_usd=client.cost(reply) if reply else None,
    )
    call.context.attempts.append(attempt)
    if attempt.cost_usd:
        client.config.budget.spend(attempt.cost_usd)
        metrics.llm_cost.labels(client.name).inc(attempt.cost_usd)
    metrics.llm_calls.labels(client.name, outcome).inc()
    metrics.llm_seconds.labels(client.name).observe(seconds)
    metrics.llm_tokens.labels(client.name, "input").inc(attempt.input_tokens or 0)
    metrics.llm_tokens.labels(client.name, "output").inc(attempt.output_tokens or 0)
