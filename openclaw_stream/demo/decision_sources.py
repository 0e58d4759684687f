"""Which models and data sources the arbiter uses, and which are not configured."""

from collections.abc import Iterator
from dataclasses import dataclass

from openclaw_stream.arbitration.llm.providers import make_providers
from openclaw_stream.settings import Settings


@dataclass(frozen=True, slots=True)
class DecisionSources:
    """Lines that list used and missing sources; `uses_models` is whether a model may decide, which takes longer."""

    lines: tuple[str, ...]
    uses_models: bool


async def decision_sources(settings: Settings) -> DecisionSources:
    """Return the sources that are configured; connects to none of them."""
    providers, skipped = make_providers(settings.providers)
    models = [f"{provider.name} {provider.model}" for provider in providers]
    for provider in providers:
        await provider.close()
    missing = [reason.replace(" is skipped: ", " (").replace(" is not set", ")") for reason in skipped]
    if settings.chain.mock_mode:
        models, missing = [], ["models (MOCK_MODE is on)"]
    used = ", ".join([f"decided by {', then '.join([*models, 'rules'])}", *_used(settings)])
    missing += _missing(settings)
    absent = (f"not configured: {', '.join(missing)}",) if missing else ()
    return DecisionSources((used, *absent), bool(models))


def _used(settings: Settings) -> Iterator[str]:
    if settings.signoz.url:
        yield f"with golden signals from SigNoz {settings.signoz.url}"
    if settings.langfuse.configured:
        yield f"with traces in Langfuse {settings.langfuse.url}"


def _missing(settings: Settings) -> Iterator[str]:
    if not settings.signoz.url:
        yield "SigNoz (SIGNOZ_URL)"
    if not settings.langfuse.configured:
        yield "Langfuse (LANGFUSE_PUBLIC_KEY)"
