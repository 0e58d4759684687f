"""The arbiter as the settings configure it: its chain, or the reasons why there is none."""

from dataclasses import replace

from structlog.testing import capture_logs

from openclaw_stream.arbitration.llm.chain import UNLIMITED
from openclaw_stream.arbitration.wiring import open_arbiter
from openclaw_stream.settings import ChainSettings, ProviderSettings, Settings, SigNozSettings
from openclaw_stream.telemetry.metrics import Metrics
from tests.arbitration.arbiters import GOOD, arbiter
from tests.arbitration.llm.model_server import CASE, MODEL
from tests.arbitration.llm.providers.loopback import loopback, responds


async def test_in_mock_mode_no_model_is_asked() -> None:
    async with arbiter(mock_mode=True) as running:
        verdict = await running.arbiter.decide(CASE)
        assert (verdict.provenance.provider, verdict.provenance.degraded) == ("rules", True)
        assert verdict.provenance.degraded_reasons == ["MOCK_MODE is on: no model is asked"]
        assert running.calls == 0
        assert running.arbiter.capacity() == UNLIMITED


async def test_the_reasons_name_what_is_not_configured() -> None:
    settings = Settings(providers=ProviderSettings(ai_fallback_order=("ollama", "gemini")))
    async with open_arbiter(settings, Metrics()) as opened:
        verdict = await opened.decide(CASE)
    assert verdict.provenance.degraded_reasons == [
        "ollama is skipped: OLLAMA_URL is not set",
        "gemini is skipped: GEMINI_API_KEY is not set",
    ]
    async with open_arbiter(Settings(providers=ProviderSettings(ai_fallback_order=("rules",))), Metrics()) as opened:
        verdict = await opened.decide(CASE)
    assert verdict.provenance.degraded_reasons == ["AI_FALLBACK_ORDER names no model"]


async def test_metrics_show_availability_spending_and_golden_signal_lookups() -> None:
    async with loopback(responds(401)) as server, loopback(responds(500)) as signoz:
        providers = ProviderSettings(
            ai_fallback_order=("openai",), openai_base_url=f"{server.url}/v1", openai_model=MODEL
        )
        settings = Settings(
            providers=providers, signoz=SigNozSettings(url=signoz.url), chain=ChainSettings(budget_usd_per_hour=2.5)
        )
        metrics = Metrics()
        async with open_arbiter(settings, metrics) as opened:
            assert metrics.registry.get_sample_value("openclaw_llm_available", {"provider": "openai"}) == 1
            for n in range(5):
                await opened.decide(replace(CASE, service=f"s{n}"))
            assert metrics.registry.get_sample_value("openclaw_llm_available", {"provider": "openai"}) == 0
            assert metrics.registry.get_sample_value("openclaw_llm_budget_spent_usd") == 0
            assert metrics.registry.get_sample_value("openclaw_llm_budget_limit_usd") == 2.5
            assert metrics.registry.get_sample_value("openclaw_golden_signals_total", {"result": "unavailable"}) == 5


async def test_a_model_without_a_price_is_reported_where_there_is_a_budget() -> None:
    async with loopback(GOOD) as server:
        providers = ProviderSettings(
            ai_fallback_order=("openai", "ollama"),
            openai_base_url=f"{server.url}/v1",
            openai_model=MODEL,
            ollama_url=server.url,
        )
        settings = Settings(providers=providers, chain=ChainSettings(budget_usd_per_hour=1))
        with capture_logs() as logs:
            async with open_arbiter(settings, Metrics()):
                pass
    [warning] = [each for each in logs if "OPENCLAW_LLM_PRICES" in each["event"]]
    assert (warning["log_level"], warning["provider"], warning["model"]) == ("warning", "openai", MODEL)


async def test_the_concurrency_is_the_sum_of_the_providers_slots() -> None:
    async with arbiter(openai_concurrency=3) as running:
        assert running.arbiter.concurrency == 3
    async with arbiter(mock_mode=True) as running:
        assert running.arbiter.concurrency == 1
