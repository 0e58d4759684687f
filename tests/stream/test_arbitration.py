"""The arbiter in a worker on a real Kafka: models, golden signals and the cache, and crashes of each of them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import jsonschema
import pytest
from redis.asyncio import Redis

from openclaw_stream.embedded import EmbeddedValkey
from tests.arbitration.llama import MODEL
from tests.arbitration.llm.model_server import ANSWER, Held, completes
from tests.arbitration.llm.providers.loopback import Answer, Loopback, loopback
from tests.conftest import PROJECT
from tests.embedded.containers import ValkeyServer
from tests.signoz.server import KEY, Span, mini_signoz
from tests.stream.pipeline import Pipeline, alert, check_exactly_once, until

NewPipeline = Callable[..., Pipeline]

FINE = completes(ANSWER)


def settings_for(url: str, model: str) -> dict[str, str]:
    """Return the settings of a worker that asks one model, on a server with this base URL."""
    return {"AI_FALLBACK_ORDER": "openai", "OPENAI_BASE_URL": url, "OPENAI_MODEL": model, "OPENAI_MAX_TOKENS": "1500"}


@asynccontextmanager
async def model(answer: Answer = FINE) -> AsyncIterator[tuple[Loopback, dict[str, str]]]:
    """Start a server with a model of its own (no cached answers), and return the settings of a worker that asks it."""
    async with loopback(answer) as server:
        yield server, settings_for(f"{server.url}/v1", f"m-{uuid4().hex}")


def play(pipeline: Pipeline, *services: str, **worker: str) -> None:
    """Run a worker until it has decided an alert of each service, then drain it."""
    process = pipeline.start(**worker)
    pipeline.produce([(0, alert(service, severity="critical")) for service in services])
    pipeline.await_settled()
    assert pipeline.stop(process) == 0, pipeline.logs()


def providers(decisions: list[dict[str, Any]]) -> list[tuple[str, bool]]:
    """Return the provider of each decision, and whether the answer came from the cache."""
    return [(each["provenance"]["provider"], each["provenance"]["from_cache"]) for each in decisions]


def logged(pipeline: Pipeline, event: str) -> list[Mapping[str, Any]]:
    lines = [json.loads(line) for line in pipeline.logs().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


def test_a_real_language_model_that_writes_no_words_decides_nothing(
    new_pipeline: NewPipeline, llama_server: str, valkey: ValkeyServer
) -> None:
    pipeline = new_pipeline(1, **settings_for(llama_server, MODEL), REDIS_URL=valkey.url, OPENCLAW_TIMEOUT="100")
    play(pipeline, "checkout")
    [decision] = pipeline.decisions()
    jsonschema.validate(decision, json.loads((PROJECT / "schemas" / "decision.v1.json").read_text()))
    provenance = decision["provenance"]
    assert (provenance["provider"], provenance["degraded_reasons"]) == ("rules", ["openai: schema, twice"])
    assert [each["outcome"] for each in provenance["attempts"]] == ["schema"] * 2
    assert all(each["model"] == MODEL and each["output_tokens"] > 0 for each in provenance["attempts"])


async def test_golden_signals_and_a_model_make_a_decision(new_pipeline: NewPipeline) -> None:
    now = round(time.time() * 1000)
    spans = [Span("checkout", "shop", now - n * 1000, 3_000_000_000, failed=n % 10 == 0) for n in range(100)]
    async with model() as (server, settings), mini_signoz(*spans) as signoz:
        pipeline = await asyncio.to_thread(new_pipeline, 1, **settings, SIGNOZ_URL=signoz.url, SIGNOZ_API_KEY=KEY)
        await asyncio.to_thread(play, pipeline, "checkout")
    [decision] = pipeline.decisions()
    assert providers([decision]) == [("openai", False)]
    assert decision["metrics"]["unavailable"] is None
    assert decision["metrics"]["p99_ms"] == 3000
    assert 5 <= decision["metrics"]["error_rate"] <= 15
    assert decision["trace_url"].startswith(signoz.url)
    asked = json.dumps(server.requests[0].json)
    assert "p99" in asked
    assert KEY not in asked
    assert KEY not in pipeline.logs()


async def test_the_rules_decide_without_signoz_and_without_a_model(new_pipeline: NewPipeline) -> None:
    unused = "http://127.0.0.1:1"
    pipeline = await asyncio.to_thread(
        new_pipeline,
        1,
        **settings_for(f"{unused}/v1", MODEL),
        SIGNOZ_URL=unused,
        SIGNOZ_API_KEY=KEY,
        REDIS_URL="redis://127.0.0.1:1",
    )
    await asyncio.to_thread(play, pipeline, "checkout", "web")
    decisions = pipeline.decisions()
    assert providers(decisions) == [("rules", False)] * 2
    for decision in decisions:
        assert decision["provenance"]["degraded"] is True
        assert decision["metrics"]["unavailable"]
    assert ["openai: unreachable"] in [each["provenance"]["degraded_reasons"] for each in decisions]


async def test_a_replay_is_answered_by_the_cache(new_pipeline: NewPipeline, valkey: ValkeyServer) -> None:
    async with model() as (server, settings):
        pipeline = await asyncio.to_thread(new_pipeline, 1, **settings, REDIS_URL=valkey.url)
        await asyncio.to_thread(play, pipeline, "checkout", "web")
        decided = pipeline.decisions()
        assert len(server.requests) == 2
        assert providers(decided) == [("openai", False)] * 2
        for _ in range(3):
            calls = len(server.requests)
            await asyncio.to_thread(pipeline.reset, [0])
            await asyncio.to_thread(play, pipeline)
            replayed = pipeline.decisions()[-2:]
            # On a busy machine Valkey may take longer than a decision waits for it.
            if len(server.requests) == calls:
                break
    assert providers(replayed) == [("openai", True)] * 2
    assert [each["replayed"] for each in (*decided, *replayed)] == [False, False, True, True]
    assert {each["incident_id"] for each in decided} == {each["incident_id"] for each in replayed}


@pytest.mark.valkey
async def test_a_cache_that_is_restarted_costs_calls_and_no_decision(new_pipeline: NewPipeline) -> None:
    with EmbeddedValkey() as valkey:
        async with model() as (server, settings):
            pipeline = await asyncio.to_thread(new_pipeline, 1, **settings, REDIS_URL=valkey.url)
            worker = pipeline.start()

            async def decide(service: str) -> None:
                pipeline.produce([(0, alert(service, severity="critical"))])
                await asyncio.to_thread(pipeline.await_settled)

            await decide("before")
            valkey.kill()
            await decide("dead")
            valkey.start()
            asked = 2
            async with Redis.from_url(valkey.url) as cache:
                # Its circuit stays open for some seconds.
                while not await cache.dbsize():
                    await decide(f"after-{asked}")
                    asked += 1
            assert await asyncio.to_thread(pipeline.stop, worker) == 0, pipeline.logs()
            assert len(server.requests) == asked
    decisions = pipeline.decisions()
    assert [each["incident"]["service"] for each in decisions[:2]] == ["before", "dead"]
    assert providers(decisions) == [("openai", False)] * asked
    assert "Traceback" not in pipeline.logs()


async def test_a_worker_killed_during_a_call_costs_one_more_call(
    new_pipeline: NewPipeline, valkey: ValkeyServer
) -> None:
    held = Held(FINE)
    async with model(held) as (server, settings):
        pipeline = await asyncio.to_thread(new_pipeline, 1, **settings, REDIS_URL=valkey.url)
        first = pipeline.start()
        pipeline.produce([(0, alert("checkout", severity="critical"))])
        await held.requested.wait()
        first.kill()
        held.release.set()
        await asyncio.to_thread(play, pipeline)
        assert len(server.requests) == 2
    decisions = pipeline.decisions()
    assert providers(decisions) == [("openai", False)]
    check_exactly_once(decisions)


async def test_a_call_whose_partition_is_lost_finishes_for_the_next_owner(
    new_pipeline: NewPipeline, valkey: ValkeyServer
) -> None:
    held = Held(FINE)
    async with model(held) as (server, settings):
        pipeline = await asyncio.to_thread(new_pipeline, 2, **settings, REDIS_URL=valkey.url)
        first = pipeline.start()
        pipeline.produce([(n, alert(f"s{n}", severity="critical")) for n in range(2)])
        await asyncio.to_thread(until, lambda: len(server.requests) == 2, "both incidents to be asked about")
        second = pipeline.start()
        # The first worker closes both partitions and restores one of them.
        await asyncio.to_thread(until, lambda: bool(logged(pipeline, "partitions revoked")), "the partitions to move")
        held.release.set()
        await asyncio.to_thread(pipeline.await_settled)
        for worker in (first, second):
            assert await asyncio.to_thread(pipeline.stop, worker) == 0, pipeline.logs()
    decisions = pipeline.decisions()
    check_exactly_once(decisions)
    assert [each["provenance"]["provider"] for each in decisions] == ["openai"] * 2
    assert len(server.requests) <= 3


async def test_a_flood_of_incidents_is_decided_by_the_model_however_long_it_takes(new_pipeline: NewPipeline) -> None:
    async def slow(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        await FINE(writer)

    # Forty at a tenth of a second each take longer than the deadline.
    async with model(slow) as (server, settings):
        deadline = {"OPENCLAW_TIMEOUT": "2", "OPENCLAW_DECISION_DEADLINE": "3.5", "OPENAI_CONCURRENCY": "1"}
        pipeline = await asyncio.to_thread(new_pipeline, 1, **settings, **deadline)
        await asyncio.to_thread(play, pipeline, *(f"s{n}" for n in range(40)))
    decisions = pipeline.decisions()
    assert providers(decisions) == [("openai", False)] * 40
    assert len(server.requests) == 40


async def test_mock_mode_asks_no_model(new_pipeline: NewPipeline) -> None:
    async with model() as (server, settings):
        pipeline = await asyncio.to_thread(new_pipeline, 1, **settings, MOCK_MODE="true")
        await asyncio.to_thread(play, pipeline, "checkout")
    [decision] = pipeline.decisions()
    assert decision["provenance"]["degraded_reasons"] == ["MOCK_MODE is on: no model is asked"]
    assert server.requests == []
