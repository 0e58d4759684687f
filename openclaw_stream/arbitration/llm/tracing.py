"""The protocol of a tracing backend: what the arbiter reports of a decision while it decides."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from openclaw_stream.arbitration.llm.providers.base import Prompt, Reply
from openclaw_stream.events.arbitration_result import ArbitrationResult
from openclaw_stream.incidents.case import Case


class Call(Protocol):
    """One call of a model in progress."""

    def replied(self, reply: Reply, cost_usd: float | None = None) -> None:
        """Record the reply, valid or not, and its cost in US dollars."""

    def validated(self, problem: str | None = None) -> None:
        """Record that the reply has JSON that fits the schema, or the problem."""


class Recorder(Protocol):
    """One decision in progress."""

    def attempt(self, provider: str, model: str, prompt: Prompt) -> AbstractContextManager[Call]:
        """Record a call, which lasts as long as the block.

        An exception that leaves the block, usually a ProviderError, is recorded as a failure and not suppressed.
        """

    def decided(self, result: ArbitrationResult) -> None:
        """Record the result."""


class Tracing(Protocol):
    """A tracing backend. Its methods raise nothing, wait for no server, and redact secrets."""

    def decision(self, case: Case, order: Sequence[str]) -> AbstractContextManager[Recorder]:
        """Record a decision, which lasts as long as the block; `order` are the providers' names, first asked first."""

    async def close(self, seconds: float) -> None:
        """Deliver what is recorded, within `seconds`."""


class NoTracing:
    """Records nothing."""

    def decision(self, case: Case, order: Sequence[str]) -> AbstractContextManager[Recorder]:  # noqa: ARG002
        """Record nothing."""
        return nullcontext(NoRecorder())

    async def close(self, seconds: float) -> None:
        """Do nothing."""


class NoRecorder:
    """Records nothing."""

    def attempt(self, provider: str, model: str, prompt: Prompt) -> AbstractContextManager[Call]:  # noqa: ARG002
        """Record nothing."""
        return nullcontext(NoCall())

    def decided(self, result: ArbitrationResult) -> None:
        """Do nothing."""


class NoCall:
    """Records nothing."""

    def replied(self, reply: Reply, cost_usd: float | None = None) -> None:
        """Do nothing."""

    def validated(self, problem: str | None = None) -> None:
        """Do nothing."""
