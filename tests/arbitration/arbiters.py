"""The arbiter, built from settings, with a model server on loopback."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from openclaw_stream.arbitration.arbiter import Arbiter
from openclaw_stream.arbitration.ownership import OwnerLookup
from openclaw_stream.arbitration.wiring import open_arbiter
from openclaw_stream.settings import ArbiterSettings, ChainSettings, ProviderSettings, Settings
from openclaw_stream.telemetry.metrics import Metrics
from openclaw_stream.vocabulary import Language
from tests.arbitration.llm.model_server import (
    ANSWER,
    MODEL,
    completes,
)
from tests.arbitration.llm.providers.loopback import Answer, Loopback, loopback

GOOD = completes(ANSWER)


@dataclass
class RunningArbiter:
    arbiter: Arbiter
    server: Loopback
    metrics: Metrics

    @property
    def calls(self) -> int:
        return len(self.server.requests)


@asynccontextmanager
async def arbiter(
    reply: Answer = GOOD, *, language: str = "en", owners: OwnerLookup | None = None, **chain: Any
) -> AsyncIterator[RunningArbiter]:
    """An arbiter that asks one OpenAI-compatible server."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(loopback(reply))
        running = await stack.enter_async_context(arbiter_of(server, language=language, owners=owners, **chain))
        yield running


@asynccontextmanager
async def arbiter_of(
    server: Loopback, *, language: str = "en", owners: OwnerLookup | None = None, **chain: Any
) -> AsyncIterator[RunningArbiter]:
    """Another arbiter that asks the same server."""
    settings = Settings(
        arbiter=ArbiterSettings(language=Language(language)),
        providers=ProviderSettings(
            ai_fallback_order=("openai",), openai_base_url=f"{server.url}/v1", openai_model=MODEL
        ),
        chain=ChainSettings(**chain),
    )
    metrics = Metrics()
    async with open_arbiter(settings, metrics, owners=owners) as opened:
        yield RunningArbiter(opened, server, metrics)
