"""The contract of a provider: one prompt in, one reply out, and an error that classifies every failure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt, free of secrets, with alert text fenced as data; `version` is the hash of its fixed texts."""

    system: str
    user: str
    version: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply of a provider: its raw text, and the tokens it reports (None where it reports none).

    `input_tokens` include those read from the provider's cache or written to it; `output_tokens` are all that are
    charged, thinking included.
    """

    text: str
    model: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class Failure(StrEnum):
    """Why a provider gave no answer."""

    EMPTY = "empty"
    TRUNCATED = "truncated"
    REFUSED = "refused"
    BLOCKED = "blocked"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    SPEND_LIMIT = "spend_limit"
    MODEL_MISSING = "model_missing"
    CONTEXT_TOO_LONG = "context_too_long"
    UNAUTHORIZED = "unauthorized"
    BAD_REQUEST = "bad_request"
    GARBAGE = "garbage"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    SERVER_ERROR = "server_error"


class ProviderError(Exception):
    """A provider did not answer; the message is free of secrets.

    `retry_after` is in seconds, None where the provider gave none; `reply` is the incomplete reply, if there was one;
    `larger_limit` is a limit of tokens that may be enough for an answer that was cut, None where there is none.
    """

    def __init__(
        self,
        failure: Failure,
        message: str,
        *,
        retry_after: float | None = None,
        reply: Reply | None = None,
        larger_limit: int | None = None,
    ) -> None:
        super().__init__(message)
        self.failure = failure
        self.retry_after = retry_after
        self.reply = reply
        self.larger_limit = larger_limit

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed soon."""
        return self.failure in {Failure.RATE_LIMITED, Failure.OVERLOADED, Failure.SERVER_ERROR, Failure.UNREACHABLE}

    @property
    def correctable(self) -> bool:
        """Whether it is worth asking once more: an empty answer comes at random, a cut one may fit a larger limit."""
        return self.failure is Failure.EMPTY or self.larger_limit is not None

    @property
    def may_have_answer(self) -> bool:
        """Whether the text of the reply may be an answer all the same, if its JSON is whole."""
        return self.reply is not None and self.failure in {Failure.TRUNCATED, Failure.GARBAGE}

    @property
    def opens_circuit(self) -> bool:
        """Whether the circuit breaker counts it: a fault of the provider, not of the prompt or the answer.

        A rate limit is no fault: pauses between the calls keep it.
        """
        return self.failure in {
            Failure.OVERLOADED,
            Failure.SERVER_ERROR,
            Failure.UNREACHABLE,
            Failure.TIMEOUT,
            Failure.UNAUTHORIZED,
            Failure.MODEL_MISSING,
            Failure.SPEND_LIMIT,
        }


class Provider(Protocol):
    """A server of language models."""

    name: str
    model: str

    async def ask(
        self,
        prompt: Prompt,
        schema: Mapping[str, Any],
        *,
        timeout: float,  # noqa: ASYNC109
        max_tokens: int | None = None,
    ) -> Reply:
        """Return the reply to a prompt within `timeout` seconds; the request demands the JSON schema.

        `max_tokens` replaces the provider's own limit of the tokens of an answer.

        Raises:
            ProviderError: There is no complete reply.
        """

    async def check(self) -> None:
        """Check, free of charge, that the server answers and has the model.

        Raises:
            ProviderError: It does not; the message says what to do.
        """

    async def close(self) -> None:
        """Close the connections."""
