"""Builds the arbiter from the settings."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import structlog

from openclaw_stream.arbitration.arbiter import Arbiter
from openclaw_stream.arbitration.llm.answer_cache import AnswerCache
from openclaw_stream.arbitration.llm.budget import Budget
from openclaw_stream.arbitration.llm.cached_chain import CachedChain
from openclaw_stream.arbitration.llm.chain import Chain
from openclaw_stream.arbitration.llm.key_value_store import MemoryStore, RedisStore, Store
from openclaw_stream.arbitration.llm.provider_client import ClientConfig, ProviderClient
from openclaw_stream.arbitration.llm.providers import Provider, make_providers, make_summarizer
from openclaw_stream.arbitration.llm.steps import STEPS
from openclaw_stream.arbitration.llm.tracing import Tracing
from openclaw_stream.arbitration.ownership import OwnerLookup
from openclaw_stream.resilience.circuit_breaker import CircuitBreaker
from openclaw_stream.resilience.priority_semaphore import PrioritySemaphore
from openclaw_stream.settings import ChainSettings, Settings
from openclaw_stream.signoz import SigNoz
from openclaw_stream.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)

_PROVIDER_FAILURES, _PROVIDER_COOLDOWN = 5, 30.0
_REDIS_FAILURES, _REDIS_COOLDOWN = 3, 10.0


@asynccontextmanager
async def open_arbiter(
    settings: Settings, metrics: Metrics, tracing: Tracing | None = None, owners: OwnerLookup | None = None
) -> AsyncIterator[Arbiter]:
    """Create the arbiter; close its connections when the block ends.

    Args:
        settings: The settings.
        metrics: Counts what it does.
        tracing: Records the decisions.
        owners: Finds the owner of an incident; without it no incident has one.
    """
    async with AsyncExitStack() as resources:
        signoz = SigNoz(settings.signoz)
        resources.push_async_callback(signoz.close)
        chain, no_chain_reasons = _cached_chain(settings, metrics, resources)
        arbiter = Arbiter(
            settings.arbiter.language,
            settings.chain.decision_deadline,
            signoz,
            metrics.golden_signals,
            chain,
            no_chain_reasons=no_chain_reasons,
            owners=owners,
            tracing=tracing,
        )
        resources.push_async_callback(arbiter.close)
        yield arbiter


def _cached_chain(
    settings: Settings, metrics: Metrics, resources: AsyncExitStack
) -> tuple[CachedChain | None, list[str]]:
    """Return the chain of the configured providers; None and the reasons where there is none."""
    if settings.chain.mock_mode:
        return None, ["MOCK_MODE is on: no model is asked"]
    providers, skipped = make_providers(settings.providers)
    for provider in providers:
        resources.push_async_callback(provider.close)
    for reason in skipped:
        log.warning("provider is not used", reason=reason)
    if not providers:
        return None, skipped or ["AI_FALLBACK_ORDER names no model"]
    store = _store(settings.chain, metrics)
    resources.push_async_callback(store.close)
    budget = Budget(settings.chain.budget_usd_per_hour, store)
    metrics.llm_budget_spent.set_function(lambda: budget.spent)
    if budget.limit is not None:
        metrics.llm_budget_limit.set(budget.limit)
    cache = AnswerCache(store, settings.chain.cache_ttl, settings.chain.cache_ttl_incident, metrics.cache_lookups)
    config = ClientConfig(settings.providers.timeout, settings.providers.prices, budget, metrics)
    chain = _chain(settings, providers, config, resources)
    return CachedChain(chain, cache, budget, settings.arbiter.language), []


def _store(settings: ChainSettings, metrics: Metrics) -> Store:
    url = settings.redis_url
    if url is None:
        return MemoryStore()
    return RedisStore(url.get_secret_value(), metrics.redis_bypassed, CircuitBreaker(_REDIS_FAILURES, _REDIS_COOLDOWN))


def _chain(settings: Settings, providers: list[Provider], config: ClientConfig, resources: AsyncExitStack) -> Chain:
    # The summary model runs on the same server as Ollama's arbiter model: both share its slots.
    semaphores = {
        "ollama": PrioritySemaphore(settings.chain.ollama_concurrency),
        "gemini": PrioritySemaphore(settings.chain.gemini_concurrency),
        "claude": PrioritySemaphore(settings.chain.claude_concurrency),
        "openai": PrioritySemaphore(settings.chain.openai_concurrency),
    }
    clients = [_client(provider, semaphores[provider.name], config) for provider in providers]
    for client in clients:
        config.metrics.llm_available.labels(client.name).set_function(partial(getattr, client, "available"))
    summarizer = make_summarizer(settings.providers)
    if summarizer:
        resources.push_async_callback(summarizer.close)
    return Chain(
        clients,
        _client(summarizer, semaphores[summarizer.name], config) if summarizer else None,
        settings.arbiter.language,
        settings.providers.timeout,
        settings.chain.decision_deadline,
    )


def _client(provider: Provider, semaphore: PrioritySemaphore, config: ClientConfig) -> ProviderClient:
    breaker = CircuitBreaker(_PROVIDER_FAILURES, _PROVIDER_COOLDOWN)
    client = ProviderClient(provider, semaphore, breaker, config, STEPS)
    if config.budget.limit is not None and not client.priced:
        log.warning(
            "the budget does not count a model without a known price; set it with OPENCLAW_LLM_PRICES",
            provider=client.name,
            model=client.model,
        )
    return client
