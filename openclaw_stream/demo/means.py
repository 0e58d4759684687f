"""What the decisions are made with, as far as it is configured, and what is left out because it is not."""

from collections.abc import Iterator
from dataclasses import dataclass

from openclaw_stream.arbitration.llm.providers import make_providers
from openclaw_stream.settings import Settings


@dataclass(frozen=True, slots=True)
class Means:
    """What is used and what is left out, told in lines; and whether models are asked, which takes its time."""

    lines: tuple[str, ...]
    asks_models: bool


async def means_of(settings: Settings) -> Means:
    """Return what the settings give the arbiter to decide with; nothing is connected to."""
    providers, skipped = make_providers(settings.providers)
    models = [f"{provider.name} {provider.model}" for provider in providers]
    for provider in providers:
        await provider.close()
    missing = [reason.replace(" is skipped: ", " (").replace(" is not set", ")") for reason in skipped]
    if settings.chain.mock_mode:
        models, missing = [], ["models (MOCK_MODE is on)"]
    used = ", ".join([f"decided by {', then '.join([*models, 'rules'])}", *_used(settings)])
    missing += _missing(settings)
    left_out = (f"not configured: {', '.join(missing)}",) if missing else ()
    return Means((used, *left_out), bool(models))


def _used(settings: Settings) -> Iterator[str]:
    if settings.signoz.url:
        yield f"with golden signals of SigNoz {settings.signoz.url}"
    if settings.langfuse.configured:
        yield f"traced to Langfuse {settings.langfuse.url}"


def _missing(settings: Settings) -> Iterator[str]:
    if not settings.signoz.url:
        yield "SigNoz (SIGNOZ_URL)"
    if not settings.langfuse.configured:
        yield "Langfuse (LANGFUSE_PUBLIC_KEY)"
