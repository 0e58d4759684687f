"""What decisions share: answers in the process and in Valkey, and the budget of the fleet."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from openclaw_stream.arbitration.llm import key_value_store as store
from openclaw_stream.arbitration.wiring import open_arbiter
from openclaw_stream.embedded import EmbeddedValkey
from openclaw_stream.settings import ArbiterSettings, ChainSettings, ProviderSettings, Settings
from openclaw_stream.settings.providers import Price
from openclaw_stream.telemetry.metrics import Metrics
from openclaw_stream.vocabulary import Language
from tests.arbitration.arbiters import GOOD, arbiter, arbiter_of
from tests.arbitration.llm.model_server import (
    CASE,
    MODEL,
    Held,
    question,
)
from tests.arbitration.llm.providers.loopback import loopback
from tests.embedded.containers import ValkeyServer


@pytest.fixture
def own_valkey() -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey() as server:
        yield server


@pytest.fixture
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a live server however busy the machine is."""
    monkeypatch.setattr(store, "READ_SECONDS", 20.0)


@pytest.fixture
async def redis_url(valkey: ValkeyServer, _patient: None) -> str:
    """An empty Valkey."""
    async with Redis.from_url(valkey.url) as client:
        await client.flushdb()
    return valkey.url


async def entries(url: str) -> dict[str, str]:
    """The cached answers by their keys, once there are any."""
    async with Redis.from_url(url, decode_responses=True) as client:
        while not (names := await client.keys("openclaw:answer:*")):  # noqa: ASYNC110 - Valkey sends no event
            await asyncio.sleep(0.01)
        return {str(name): str(await client.get(name)) for name in names}


async def test_a_repeated_question_is_answered_from_the_cache() -> None:
    async with arbiter() as running:
        first = await running.arbiter.decide(CASE)
        second = await running.arbiter.decide(replace(CASE, incident_id="another", revision=2))
        assert running.calls == 1
        assert second.provenance.from_cache
        assert second.provenance.attempts == []
        assert second.judgement == first.judgement
        assert (await running.arbiter.decide(replace(CASE, namespace="other"))).provenance.from_cache is False
        assert running.calls == 2


async def test_concurrent_equal_questions_share_one_call() -> None:
    held = Held(GOOD)
    async with arbiter(held) as running:
        tasks = [asyncio.create_task(running.arbiter.decide(CASE)) for _ in range(10)]
        await held.requested.wait()
        held.release.set()
        verdicts = await asyncio.gather(*tasks)
        assert running.calls == 1
        assert [verdict.provenance.from_cache for verdict in verdicts].count(False) == 1
        assert sum(len(verdict.provenance.attempts) for verdict in verdicts) == 1
        assert {verdict.provenance.provider for verdict in verdicts} == {"openai"}


async def test_a_cancelled_decision_still_stores_its_answer_in_the_cache(redis_url: str) -> None:
    held = Held(GOOD)
    async with arbiter(held, redis_url=redis_url) as running, arbiter_of(running.server, redis_url=redis_url) as owner:
        lost = asyncio.create_task(running.arbiter.decide(CASE))
        await held.requested.wait()
        lost.cancel()
        with pytest.raises(asyncio.CancelledError):
            await lost
        held.release.set()
        await entries(redis_url)
        verdict = await owner.arbiter.decide(CASE)
        assert verdict.provenance.from_cache
        assert running.calls == 1


@pytest.mark.usefixtures("_patient")
async def test_without_valkey_decisions_cost_calls_until_it_restarts(own_valkey: EmbeddedValkey) -> None:
    async with arbiter(redis_url=own_valkey.url) as running:
        own_valkey.kill()
        for n in range(5):
            verdict = await running.arbiter.decide(replace(CASE, service=f"s{n}"))
            assert verdict.provenance.provider == "openai"
        assert running.calls == 5
        assert (running.metrics.registry.get_sample_value("openclaw_redis_bypassed_total") or 0) >= 5
        own_valkey.start()
        async with arbiter_of(running.server, redis_url=own_valkey.url) as fresh:
            assert not (await fresh.arbiter.decide(CASE)).provenance.from_cache
            await entries(own_valkey.url)
            assert (await fresh.arbiter.decide(CASE)).provenance.from_cache


async def test_a_hanging_valkey_delays_no_decision(own_valkey: EmbeddedValkey) -> None:
    async with arbiter(redis_url=own_valkey.url, budget_usd_per_hour=5) as running:
        own_valkey.pause()
        try:
            # It hangs until it is resumed: any answer shows that it is not waited for.
            for n in range(5):
                verdict = await running.arbiter.decide(replace(CASE, service=f"s{n}"))
                assert verdict.provenance.provider == "openai"
        finally:
            own_valkey.resume()


@pytest.mark.parametrize("planted", [b"", b"\xff", b"{}", b'{"schema_version": 1, "key": "x"}'])
async def test_a_forged_cache_entry_is_ignored(redis_url: str, planted: bytes) -> None:
    async with arbiter(redis_url=redis_url) as running:
        await running.arbiter.decide(CASE)
        async with Redis.from_url(redis_url) as client:
            for name in await entries(redis_url):
                await client.set(name, planted)
        assert not (await running.arbiter.decide(CASE)).provenance.from_cache
        assert running.calls == 2


async def test_a_forged_command_in_the_cache_is_rejected(redis_url: str) -> None:
    async with arbiter(redis_url=redis_url) as running:
        await running.arbiter.decide(CASE)
        async with Redis.from_url(redis_url) as client:
            for name, entry in (await entries(redis_url)).items():
                await client.set(name, entry.replace("kubectl scale", "kubectl delete --all"))
        verdict = await running.arbiter.decide(CASE)
        assert verdict.provenance.from_cache
        assert verdict.judgement.kubectl_command == ""
        assert verdict.validation.rejected_commands


async def test_the_fleet_shares_its_budget(redis_url: str) -> None:
    chain = ChainSettings(redis_url=SecretStr(redis_url), budget_usd_per_hour=0.001)
    async with loopback(GOOD) as server:
        providers = ProviderSettings(
            ai_fallback_order=("openai",),
            openai_base_url=f"{server.url}/v1",
            openai_model=MODEL,
            prices={MODEL: Price(10, 10)},
        )
        settings = Settings(providers=providers, chain=chain, arbiter=ArbiterSettings(language=Language.EN))
        async with open_arbiter(settings, Metrics()) as one:
            assert (await one.decide(CASE)).provenance.provider == "openai"
        async with Redis.from_url(redis_url) as client:
            assert await client.keys("openclaw:spent:*")
        async with open_arbiter(settings, Metrics()) as other:
            assert (await other.decide(CASE)).provenance.from_cache
            verdict = await other.decide(replace(CASE, service="another"))
        assert verdict.provenance.provider == "rules"
        assert verdict.provenance.degraded_reasons == ["openai: the budget of 0.001 USD an hour is spent"]
        assert len(server.requests) == 1


async def test_languages_do_not_share_cached_answers(redis_url: str) -> None:
    async with arbiter(redis_url=redis_url) as running:
        await running.arbiter.decide(CASE)
        async with arbiter_of(running.server, language="zh-TW", redis_url=redis_url) as chinese:
            verdict = await chinese.arbiter.decide(CASE)
            assert not verdict.provenance.from_cache
            assert verdict.provenance.language is Language.ZH_TW
        assert "繁體中文" in question(running.server.requests[1])
