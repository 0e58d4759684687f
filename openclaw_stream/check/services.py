"""Checks the optional dependencies: Redis, SigNoz, the models, Langfuse and the file of owners."""

import asyncio
from collections.abc import Awaitable, Mapping
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, RedisError

from openclaw_stream.arbitration.llm.providers import Provider, ProviderError, make_providers, make_summarizer
from openclaw_stream.arbitration.ownership import OwnersFileError, read_owners
from openclaw_stream.check.finding import Finding, FindingStatus
from openclaw_stream.langfuse.health import LangfuseError, check_langfuse
from openclaw_stream.settings import ChainSettings, LangfuseSettings, OwnerSettings, Settings, SigNozSettings
from openclaw_stream.signoz import SigNoz, SigNozError

_REDIS_KEY = "openclaw-stream:check"


async def check_redis(settings: ChainSettings) -> Finding:
    """Write a key that expires after a second."""
    if settings.redis_url is None:
        text = "REDIS_URL is not set: answers and the budget are kept in process memory, and lost when it ends"
        return Finding("Redis", FindingStatus.MISSING, text)
    url = settings.redis_url.get_secret_value()
    parts = urlsplit(url)
    address = parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or 6379}"
    redis: Redis = Redis.from_url(url)
    try:
        await redis.set(_REDIS_KEY, b"1", ex=1)
    except AuthenticationError as error:
        text = f"{address} refuses the login: {error}; check the user and the password in REDIS_URL"
    except (RedisError, OSError) as error:
        text = f"{address} cannot be written: {error}; check REDIS_URL. Answers are not cached"
    else:
        return Finding("Redis", FindingStatus.WORKS, f"{address} can be written")
    finally:
        await redis.aclose()
    return Finding("Redis", FindingStatus.DEGRADED, text)


async def check_signoz(settings: SigNozSettings) -> Finding:
    """Run an empty query."""
    signoz = SigNoz(settings)
    try:
        await signoz.check()
    except SigNozError as error:
        return Finding("SigNoz", FindingStatus.DEGRADED if signoz.configured else FindingStatus.MISSING, str(error))
    finally:
        await signoz.close()
    return Finding("SigNoz", FindingStatus.WORKS, f"{settings.url} answers queries")


def check_models(settings: Settings) -> Mapping[str, Awaitable[Finding]]:
    """Return a check for each configured model, by name, and the reason for each that is not configured."""
    if settings.chain.mock_mode:
        return {"models": _missing("models", "MOCK_MODE is on: no model is asked, the rules decide")}
    providers, skipped = make_providers(settings.providers)
    probes = {provider.name: _check_model(provider.name, provider) for provider in providers}
    summarizer = make_summarizer(settings.providers)
    if summarizer:
        name = f"{summarizer.name} (summaries)"
        probes[name] = _check_model(name, summarizer)
    for reason in skipped:
        name, _, missing = reason.partition(" is skipped: ")
        probes[name] = _missing(name, f"{missing}: it is not asked")
    if not providers:
        probes["models"] = _missing("models", "none is configured: the rules decide")
    return probes


async def check_langfuse_server(settings: LangfuseSettings) -> Finding:
    """Check the server's version, and whether it accepts the keys."""
    if not settings.tracing_enabled:
        return Finding("Langfuse", FindingStatus.MISSING, "LANGFUSE_TRACING_ENABLED is false: nothing is traced")
    if not settings.configured:
        text = "LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY are not set: nothing is traced"
        return Finding("Langfuse", FindingStatus.MISSING, text)
    hint = f"; {settings.deprecated}" if settings.deprecated else ""
    try:
        version = await check_langfuse(settings)
    except LangfuseError as error:
        return Finding("Langfuse", FindingStatus.DEGRADED, f"{error}{hint}")
    return Finding("Langfuse", FindingStatus.WORKS, f"{settings.url} runs {version} and accepts the keys{hint}")


async def check_owners(settings: OwnerSettings) -> Finding:
    """Read the file of owners; a wrong one stops the worker at its start."""
    if settings.owners is None:
        label = settings.team_label
        known = f"the label {label} names the owners" if label else "no incident has an owner"
        return Finding("owners", FindingStatus.MISSING, f"OPENCLAW_OWNERS is not set: {known}")
    try:
        owners = await asyncio.to_thread(read_owners, settings.owners)
    except OwnersFileError as error:
        return Finding("owners", FindingStatus.MISSING, str(error), fatal=True)
    return Finding("owners", FindingStatus.WORKS, f"{settings.owners} is right; entries: {len(owners.entries)}")


async def _missing(dependency: str, text: str) -> Finding:
    return Finding(dependency, FindingStatus.MISSING, text)


async def _check_model(name: str, provider: Provider) -> Finding:
    try:
        await provider.check()
    except ProviderError as error:
        return Finding(name, FindingStatus.DEGRADED, f"{provider.model}: {error}")
    finally:
        await provider.close()
    return Finding(name, FindingStatus.WORKS, f"{provider.model} is available")
