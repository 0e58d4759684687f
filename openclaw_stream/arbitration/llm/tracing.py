"""What the arbiter tells of a decision while it makes it; who listens, if anybody, is decided by the settings."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from openclaw_stream.arbitration.llm.providers.base import Prompt, Reply
from openclaw_stream.events.arbitration_result import ArbitrationResult
from openclaw_stream.incidents.case import Case


class Call(Protocol):
    """One call of a model that is being made."""

    def replied(self, reply: Reply, cost_usd: float | None = None) -> None:
        """Tell what came back, a broken answer too, and what it cost in US dollars."""

    def validated(self, problem: str | None = None) -> None:
        """Tell that the answer had JSON of the schema, or what was wrong with it."""


class Recorder(Protocol):
    """One decision that is being made."""

    def attempt(self, provider: str, model: str, prompt: Prompt) -> AbstractContextManager[Call]:
        """Record a call for the length of the block, which is its latency.

        A block left by an exception, a ProviderError above all, is recorded as a failure; the exception goes on.
        """

    def decided(self, verdict: ArbitrationResult) -> None:
        """Tell the outcome."""


class Tracing(Protocol):
    """Whoever follows the decisions. Nothing here raises, waits for a server, or lets a secret out."""

    def decision(self, case: Case, order: Sequence[str]) -> AbstractContextManager[Recorder]:
        """Record a decision for the length of the block; `order` names the providers, first asked first."""

    async def close(self, seconds: float) -> None:
        """Deliver what is recorded, in `seconds` at most."""


class NoTracing:
    """Follows nothing."""

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

    def decided(self, verdict: ArbitrationResult) -> None:
        """Do nothing."""


class NoCall:
    """Records nothing."""

    def replied(self, reply: Reply, cost_usd: float | None = None) -> None:
        """Do nothing."""

    def validated(self, problem: str | None = None) -> None:
        """Do nothing."""
