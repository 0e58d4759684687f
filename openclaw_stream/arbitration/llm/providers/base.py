"""The contract of a provider: one prompt in, one reply out, every way of not answering told apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is asked: free of secrets, alert text fenced as data; `version` is the hash of what we wrote of it."""

    system: str
    user: str
    version: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What a provider answered: `text` as it came, tokens as it counted them (None where it did not).

    `input_tokens` are all of the prompt's, those read from the provider's cache or written to it among them;
    `output_tokens` are all it charges for, its thinking among them.
    """

    text: str
    model: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class Failure(StrEnum):
    """Why a provider gave no answer."""

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

    `retry_after` is in seconds, None where the provider gave none. `retryable` tells whether the same call may succeed
    soon; `trips` whether the failure says something about the provider's health, for its circuit breaker.
    """

    def __init__(
        self, failure: Failure, message: str, *, retry_after: float | None = None, reply: Reply | None = None
    ) -> None:
        super().__init__(message)
        self.failure = failure
        self.retry_after = retry_after
        self.reply = reply
        """What it had said and used up to then, where it said anything."""

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed soon."""
        return self.failure in {Failure.RATE_LIMITED, Failure.OVERLOADED, Failure.SERVER_ERROR, Failure.UNREACHABLE}

    @property
    def trips(self) -> bool:
        """Whether it counts against the provider's health; what a prompt or an answer is at fault for does not."""
        return self.retryable or self.failure in {
            Failure.TIMEOUT,
            Failure.UNAUTHORIZED,
            Failure.MODEL_MISSING,
            Failure.SPEND_LIMIT,
        }


class Provider(Protocol):
    """A server of language models."""

    name: str
    model: str

    async def ask(self, prompt: Prompt, schema: Mapping[str, Any], *, timeout: float) -> Reply:  # noqa: ASYNC109
        """Return the reply to a prompt, asked to follow a JSON schema, within `timeout` seconds.

        Raises:
            ProviderError: it did not answer.
        """

    async def check(self) -> None:
        """Ask whether the server and its model are there, at no cost.

        Raises:
            ProviderError: they are not; the message says what to do.
        """

    async def close(self) -> None:
        """Close its connections."""
