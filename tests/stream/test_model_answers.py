"""A worker on a real Kafka whose model gives the answers that real models and servers give.

The model's server is scripted: the service in a question selects what it answers, one answer after the other.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest

from openclaw_stream.arbitration.llm.prompt.template import example_answer
from openclaw_stream.vocabulary import Language
from tests.arbitration.llm.model_server import ANSWER, ANSWER_ZH, question
from tests.arbitration.llm.providers.loopback import Answer, Loopback, loopback, responds
from tests.stream.pipeline import Pipeline, alert

NewPipeline = Callable[..., Pipeline]


def ended(reason: str | None, **message: Any) -> Answer:
    return responds(200, {"choices": [{"finish_reason": reason, "message": {"role": "assistant", **message}}]})


def says(text: str) -> Answer:
    return ended("stop", content=text)


def changed(**members: Any) -> Answer:
    return says(json.dumps({**json.loads(ANSWER_ZH), **members}, ensure_ascii=False))


def error(status: int, message: str, **more: Any) -> Answer:
    return responds(status, {"error": {"message": message, **more}}, retry_after="0")


FINE = says(ANSWER_ZH)
EXAMPLE = says(example_answer(Language.ZH_TW))
LOOP = changed(description="請求排隊等候，" * 30)
SIMPLIFIED = changed(reasoning="所有副本都处于繁忙状态，新的请求只能排队等候。")
CUT = ended("length", content=ANSWER_ZH[:300])
EMPTY = ended("stop", content="")
PARTS = [{"type": "thinking", "thinking": "嗯 {"}, {"type": "text", "text": ANSWER_ZH}]
DRAFT = '先看看 {"primary_responsibility": "FE", "confidence": 99}？不對。'

SCRIPTS: dict[str, tuple[list[Answer], list[str]]] = {
    "copied-once": ([EXAMPLE, FINE], ["example_repeated", "answered"]),
    "copied-twice": ([EXAMPLE, EXAMPLE], ["example_repeated"] * 2),
    "loops": ([LOOP, FINE], ["repetitive", "answered"]),
    "english": ([says(ANSWER), FINE], ["wrong_language", "answered"]),
    "simplified": ([SIMPLIFIED, says(ANSWER)], ["wrong_language"] * 2),
    "loops-then-copies": ([LOOP, EXAMPLE], ["repetitive", "example_repeated"]),
    "reasoning-content": ([ended("stop", content=None, reasoning_content=ANSWER_ZH)], ["answered"]),
    "parts": ([ended("eos", content=PARTS)], ["answered"]),
    "unopened-thoughts": ([says(f"{DRAFT}</think>\n{ANSWER_ZH}")], ["answered"]),
    "channels": (
        [
            says(
                f"<|channel|>analysis<|message|>{DRAFT}<|end|><|start|>assistant<|channel|>final<|message|>{ANSWER_ZH}<|return|>"
            )
        ],
        ["answered"],
    ),
    "whole-but-cut": ([ended("max_tokens", content=ANSWER_ZH)], ["answered"]),
    "no-reason": ([ended(None, content=ANSWER_ZH)], ["answered"]),
    "cut": ([CUT, FINE], ["truncated", "answered"]),
    "cut-twice": ([CUT, CUT], ["truncated"] * 2),
    "empty": ([EMPTY, FINE], ["empty", "answered"]),
    "empty-then-prose": ([EMPTY, says("我不知道。")], ["empty", "no_json"]),
    "limited-in-a-200": ([error(200, "too many requests per minute", code=429), FINE], ["rate_limited", "answered"]),
    "failed-in-a-200": ([error(200, "upstream failed", code=502), FINE], ["server_error", "answered"]),
    "refused": ([ended("stop", content=None, refusal="no")], ["refused"]),
    "no-command": ([changed(kubectl_command="無需執行任何命令。", suggested_action="NO_ACTION")], ["answered"]),
    "odd-members": ([changed(secondary_teams=["DB", "OPS"], blast_radius="大", affected_services=[7])], ["answered"]),
    "invented-names": ([changed(description="副本忙碌。主機 db-primary-02 很慢。")], ["answered"]),
}
"""By service: what the model answers, and the outcomes of the attempts."""


@asynccontextmanager
async def scripted(scripts: dict[str, list[Answer]]) -> AsyncIterator[Loopback]:
    """Serve the answers to each service in turn; the last one is repeated."""
    remaining = {service: list(answers) for service, answers in scripts.items()}

    async def answer(writer: asyncio.StreamWriter) -> None:
        match = re.search(r'"service":"([^"]+)"', question(server.requests[-1]))
        assert match
        answers = remaining[match[1]]
        await (answers.pop(0) if len(answers) > 1 else answers[0])(writer)

    async with loopback(answer) as server:
        yield server


def play(pipeline: Pipeline, *batches: list[str]) -> dict[str, dict[str, Any]]:
    """Return the decisions by service; a batch is produced when the one before is decided."""
    process = pipeline.start()
    for batch in batches:
        pipeline.produce([(0, alert(service, severity="critical")) for service in batch])
        pipeline.await_settled()
    assert pipeline.stop(process) == 0, pipeline.logs()
    decisions = pipeline.decisions()
    assert len(decisions) == sum(map(len, batches))
    return {decision["incident"]["service"]: decision for decision in decisions}


def settings_for(server: Loopback) -> dict[str, str]:
    return {
        "AI_FALLBACK_ORDER": "openai",
        "OPENAI_BASE_URL": f"{server.url}/v1",
        "OPENAI_MODEL": f"m-{uuid4().hex}",
        "OPENCLAW_LANGUAGE": "zh-TW",
        "OPENCLAW_TIMEOUT": "10",
        "OPENCLAW_DECISION_DEADLINE": "60",
    }


def outcomes(decision: dict[str, Any]) -> list[str]:
    return [attempt["outcome"] for attempt in decision["provenance"]["attempts"]]


@pytest.fixture
async def decisions(new_pipeline: NewPipeline) -> dict[str, dict[str, Any]]:
    """The decision of each service of the scripts."""
    async with scripted({service: answers for service, (answers, _) in SCRIPTS.items()}) as server:
        pipeline = await asyncio.to_thread(new_pipeline, 1, **settings_for(server))
        return await asyncio.to_thread(play, pipeline, list(SCRIPTS))


async def test_every_incident_is_decided_and_none_by_a_wrong_reading(decisions: dict[str, dict[str, Any]]) -> None:
    expected = {service: names for service, (_, names) in SCRIPTS.items()}
    assert {service: outcomes(decision) for service, decision in decisions.items()} == expected
    for service, decision in decisions.items():
        by_model = expected[service][-1] == "answered"
        assert decision["provenance"]["provider"] == ("openai" if by_model else "rules"), service
        assert decision["provenance"]["degraded"] is not by_model, service
        assert not any("deadline" in reason for reason in decision["provenance"]["degraded_reasons"]), service
        text = json.dumps(decision["decision"], ensure_ascii=False)
        assert not any(word in text for word in ("parcel-quotes", "处于", "db-primary-02", "Requests take")), service
        assert ("副本" in decision["decision"]["description"]) is by_model, service
        assert decision["validation"]["rejected_commands"] == [] or "kubectl" in str(decision["validation"]), service
    assert decisions["no-command"]["validation"]["rejected_commands"] == []
    assert decisions["odd-members"]["decision"]["secondary_teams"] == ["DB"]


async def test_a_server_without_schemas_is_asked_for_less_once(new_pipeline: NewPipeline) -> None:
    refusal = error(400, "response_format of type json_schema is not supported")
    async with scripted({"first": [refusal, FINE], "second": [FINE]}) as server:
        pipeline = await asyncio.to_thread(new_pipeline, 1, **settings_for(server))
        decisions = await asyncio.to_thread(play, pipeline, ["first"], ["second"])
    assert {service: outcomes(decision) for service, decision in decisions.items()} == {
        "first": ["answered"],
        "second": ["answered"],
    }
    assert [request.json["response_format"]["type"] for request in server.requests] == [
        *("json_schema", "json_object", "json_object")
    ]


async def test_a_spent_day_holds_no_decision(new_pipeline: NewPipeline) -> None:
    spent = error(429, "Quota exceeded: requests per day", code=429)
    services = [f"s{n}" for n in range(12)]
    async with scripted({"spent": [spent], **{service: [FINE] for service in services}}) as server:
        pipeline = await asyncio.to_thread(new_pipeline, 1, **settings_for(server))
        decisions = await asyncio.to_thread(play, pipeline, ["spent"], services)
    assert outcomes(decisions.pop("spent")) == ["spend_limit"]
    assert len(server.requests) == 1
    for decision in decisions.values():
        assert decision["provenance"]["degraded_reasons"] == ["openai: circuit open after repeated failures"]
