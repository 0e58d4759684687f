"""Traces that a worker on a real Kafka sends to Langfuse, and a Langfuse that does not answer."""

import asyncio
from collections.abc import Callable
from typing import Any

from tests.arbitration.llm.model_server import ANSWER, completes, in_turn
from tests.arbitration.llm.providers.loopback import hangs, loopback, responds
from tests.langfuse.langfuse_server import langfuse_server
from tests.stream.pipeline import Pipeline, alert

NewPipeline = Callable[..., Pipeline]

SECRET = "hunter2-hunter2"  # noqa: S105 - planted, to be searched for
OVERLOADED = responds(503, {"error": {"message": f"busy, password={SECRET}"}})


def decide(new_pipeline: NewPipeline, model: str, langfuse: str) -> tuple[list[dict[str, Any]], str]:
    """Return the decisions and the log of a worker that decided one alert and was drained."""
    pipeline = new_pipeline(
        1,
        AI_FALLBACK_ORDER="openai",
        OPENAI_BASE_URL=f"{model}/v1",
        OPENAI_MODEL="m-1",
        LANGFUSE_BASE_URL=langfuse,
        LANGFUSE_PUBLIC_KEY="pk-lf-worker",
        LANGFUSE_SECRET_KEY="sk-lf-worker",  # noqa: S106 - no real key
    )
    worker = pipeline.start()
    message = f"cannot connect: postgres://app:{SECRET}@db/orders"
    pipeline.produce([(0, alert("checkout", severity="critical", message=message, fingerprint="c0ffee"))])
    pipeline.await_settled()
    assert pipeline.stop(worker) == 0, pipeline.logs()
    return pipeline.decisions(), pipeline.logs()


async def test_a_decision_is_traced_before_the_drain_ends(new_pipeline: NewPipeline) -> None:
    async with langfuse_server() as langfuse, loopback(in_turn(OVERLOADED, completes(ANSWER))) as model:
        [decision], logs = await asyncio.to_thread(decide, new_pipeline, model.url, langfuse.url)
    assert decision["provenance"]["provider"] == "openai"
    [trace] = langfuse.traces
    assert trace.attributes["session.id"] == decision["incident_id"]
    assert trace.json("trace.metadata.fallback_order") == "openai"
    assert trace.json("observation.output") == decision["decision"]
    assert [each["observation.level"] for each in langfuse.generations[:1]] == ["ERROR"]
    assert langfuse.generations[-1].json("observation.usage_details") == {"input": 1000, "output": 500}
    values = {name: [score["value"] for score in langfuse.scores_named(name)] for name in ("provider_success", "gate")}
    assert values == {"provider_success": [0, 1], "gate": [decision["confidence"]["gate"]]}
    sent = b"".join(langfuse.bodies) + b"".join(request.body for request in model.requests)
    assert SECRET.encode() not in sent
    assert SECRET not in logs


async def test_a_langfuse_that_hangs_delays_neither_decisions_nor_the_drain(new_pipeline: NewPipeline) -> None:
    async with loopback(hangs) as langfuse, loopback(completes(ANSWER)) as model:
        [decision], logs = await asyncio.to_thread(decide, new_pipeline, model.url, langfuse.url)
    assert decision["provenance"]["provider"] == "openai"
    assert "Langfuse did not accept the last traces in time" in logs
    assert "Traceback" not in logs
