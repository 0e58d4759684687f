"""The contract of a provider: how each failure is classified, and what an error carries."""

from dataclasses import FrozenInstanceError

import pytest

from openclaw_stream.arbitration.llm.providers.base import Failure, Prompt, Provider, ProviderError, Reply
from tests.arbitration.llm.providers.calls import MAKERS, PROMPT, Maker

# Whether the same call may succeed soon, and whether the failure counts for the circuit breaker.
CLASSES = {
    Failure.EMPTY: (False, False),
    Failure.TRUNCATED: (False, False),
    Failure.REFUSED: (False, False),
    Failure.BLOCKED: (False, False),
    Failure.CONTEXT_TOO_LONG: (False, False),
    Failure.BAD_REQUEST: (False, False),
    Failure.GARBAGE: (False, False),
    Failure.RATE_LIMITED: (True, False),
    Failure.OVERLOADED: (True, True),
    Failure.SERVER_ERROR: (True, True),
    Failure.UNREACHABLE: (True, True),
    Failure.TIMEOUT: (False, True),
    Failure.UNAUTHORIZED: (False, True),
    Failure.MODEL_MISSING: (False, True),
    Failure.SPEND_LIMIT: (False, True),
}


@pytest.mark.parametrize("failure", Failure)
def test_a_failure_is_retryable_and_opens_the_circuit_as_listed(failure: Failure) -> None:
    error = ProviderError(failure, "m")
    assert (error.retryable, error.opens_circuit) == CLASSES[failure]


def test_an_error_carries_what_the_provider_sent() -> None:
    reply = Reply("{", "qwen", input_tokens=7)
    error = ProviderError(Failure.TRUNCATED, "ollama: truncated", retry_after=0.0, reply=reply)
    assert str(error) == "ollama: truncated"
    assert (error.failure, error.retry_after, error.reply) == (Failure.TRUNCATED, 0.0, reply)
    bare = ProviderError(Failure.TIMEOUT, "m")
    assert (bare.retry_after, bare.reply) == (None, None)


def test_unreported_tokens_are_unknown_and_not_zero() -> None:
    reply = Reply("{}", "qwen")
    tokens = (reply.input_tokens, reply.output_tokens, reply.cached_tokens, reply.cache_write_tokens)
    assert tokens == (None, None, None, None)


def test_prompts_and_replies_are_values() -> None:
    assert len({PROMPT, Prompt(PROMPT.system, PROMPT.user, PROMPT.version)}) == 1
    with pytest.raises(FrozenInstanceError):
        PROMPT.user = "other"  # type: ignore[misc]


@pytest.mark.parametrize("maker", MAKERS)
async def test_every_provider_has_a_name_a_model_and_may_be_closed_unused(maker: Maker) -> None:
    provider: Provider = maker("http://127.0.0.1:9")
    assert provider.name == maker.__name__
    assert provider.model
    await provider.close()
    await provider.close()
