"""The arbiter as the settings ask for it."""

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
from openclaw_stream.arbitration.llm.tracing import Tracing
from openclaw_stream.resilience.circuit_breaker import CircuitBreaker
from openclaw_stream.resilience.priority_semaphore import PrioritySemaphore
from openclaw_stream.settings import Settings
from openclaw_stream.signoz import SigNoz
from openclaw_stream.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)

_PROVIDER_FAILURES, _PROVIDER_COOLDOWN = 5, 30.0
_REDIS_FAILURES, _REDIS_COOLDOWN = 3, 10.0


@asynccontextmanager
async def open_arbiter(settings: Settings, metrics: Metrics, tracing: Tracing | None = None) -> AsyncIterator[Arbiter]:
    """Make the arbiter, and close what it holds open when the block ends."""
    chain = settings.chain
    async with AsyncExitStack() as open_things:
        signoz = SigNoz(settings.signoz)
        open_things.push_async_callback(signoz.close)
        models, why_none = _models(settings, metrics, open_things)
        arbiter = Arbiter(
            settings.arbiter.language,
            chain.decision_deadline,
            signoz,
            metrics.golden_signals,
            models,
            why_none=why_none,
            tracing=tracing,
        )
        open_things.push_async_callback(arbiter.close)
        yield arbiter


def _models(settings: Settings, metrics: Metrics, open_things: AsyncExitStack) -> tuple[CachedChain | None, list[str]]:
    if settings.chain.mock_mode:
        return None, ["MOCK_MODE is on: no model is asked"]
    providers, skipped = make_providers(settings.providers)
    for provider in providers:
        open_things.push_async_callback(provider.close)
    for reason in skipped:
        log.warning("a provider is not asked", reason=reason)
    if not providers:
        return None, skipped or ["AI_FALLBACK_ORDER names no model"]
    store = _store(settings, metrics)
    open_things.push_async_callback(store.close)
    budget = Budget(settings.chain.budget_usd_per_hour, store)
    cache = AnswerCache(store, settings.chain.cache_ttl, settings.chain.cache_ttl_incident, metrics.cache_lookups)
    terms = ClientConfig(settings.providers.timeout, settings.providers.prices, budget, metrics)
    metrics.llm_budget_spent.set_function(lambda: budget.spent)
    chain = _chain(settings, providers, terms, open_things)
    return CachedChain(chain, cache, budget, settings.arbiter.language), []


def _store(settings: Settings, metrics: Metrics) -> Store:
    url = settings.chain.redis_url
    if url is None:
        return MemoryStore()
    return RedisStore(url.get_secret_value(), metrics.redis_bypassed, CircuitBreaker(_REDIS_FAILURES, _REDIS_COOLDOWN))


def _chain(settings: Settings, providers: list[Provider], terms: ClientConfig, open_things: AsyncExitStack) -> Chain:
    # A model that condenses runs on the same server as the one that judges: its calls take the same slots.
    slots = {
        "ollama": PrioritySemaphore(settings.chain.ollama_concurrency),
        "gemini": PrioritySemaphore(settings.chain.gemini_concurrency),
        "claude": PrioritySemaphore(settings.chain.claude_concurrency),
        "openai": PrioritySemaphore(settings.chain.openai_concurrency),
    }

    def link(provider: Provider) -> ProviderClient:
        made = ProviderClient(
            provider, slots[provider.name], CircuitBreaker(_PROVIDER_FAILURES, _PROVIDER_COOLDOWN), terms
        )
        if terms.budget.limit is not None and not made.priced:
            log.warning(
                "the budget does not count a model whose price is not known; set it with OPENCLAW_LLM_PRICES",
                provider=made.name,
                model=made.model,
            )
        return made

    links = [link(provider) for provider in providers]
    for each in links:
        terms.metrics.llm_available.labels(each.name).set_function(partial(getattr, each, "available"))
    summarizer = make_summarizer(settings.providers)
    if summarizer:
        open_things.push_async_callback(summarizer.close)
    return Chain(
        links,
        link(summarizer) if summarizer else None,
        settings.arbiter.language,
        settings.providers.timeout,
        settings.chain.decision_deadline,
    )
