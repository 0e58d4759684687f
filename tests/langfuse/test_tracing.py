import asyncio
import logging
import os
import subprocess
import sys
from dataclasses import replace
from uuid import uuid4

import pytest
import structlog

from openclaw_stream.arbitration.llm.providers.base import Failure, Prompt, ProviderError, Reply
from openclaw_stream.arbitration.llm.tracing import NoTracing, Tracing
from openclaw_stream.events.decision import RejectedCommand, Validation
from openclaw_stream.incidents.case import Exemplar
from openclaw_stream.langfuse import make_tracing
from openclaw_stream.langfuse.fields import TEXT_MAX
from openclaw_stream.settings.langfuse import LangfuseSettings
from openclaw_stream.vocabulary import Severity
from tests.arbitration.llm.providers.loopback import hangs, loopback
from tests.langfuse.decisions import DEADLINE, ORDER, PROMPT, REPLY, arbitration_result, decide, traced_case, tracing_to
from tests.langfuse.langfuse_server import SCORES, SPANS, langfuse_server

BODY = "a1B2c3D4e5F6g7H8j9K0"
SECRETS = (
    "AKIA" + "IOSFODNN7EXAMPLE",
    "ghp_" + BODY * 2,
    "hunter2-hunter2",
    "alice.planted@example.org",
    "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0." + BODY,
)
PLANTED = (
    f"key {SECRETS[0]}, token {SECRETS[1]}, postgres://app:{SECRETS[2]}@db/orders password={SECRETS[2]}, "
    f"mail {SECRETS[3]}, Authorization: Bearer {SECRETS[4]}"
)


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("LANGFUSE_", "OTEL_")):
            monkeypatch.delenv(name)


async def test_a_decision_is_a_trace_with_a_generation_for_each_call() -> None:
    async with langfuse_server() as server:
        tracing = tracing_to(server.url, tracing_environment="staging")
        decided = await decide(tracing)
        await tracing.close(DEADLINE)
    (trace,) = server.traces
    first, second = sorted(server.generations, key=lambda each: each.name, reverse=True)

    assert trace.attributes["session.id"] == "inc-1"
    assert trace["trace.name"] == "decision"
    assert trace["environment"] == "staging"
    assert trace.json("trace.metadata.fingerprint") == "c0ffee"
    assert trace.json("trace.metadata.group_key") == "shop/checkout"
    assert trace.json("trace.metadata.fallback_order") == "ollama,gemini"
    assert trace.json("observation.input")["alert_names"] == {"HighLatency": 4}
    assert trace.json("observation.output") == decided.judgement.model_dump(mode="json")
    assert trace.json("observation.metadata.provenance")["provider"] == "gemini"

    for generation in (first, second):
        assert (generation.trace_id, generation.parent_id) == (trace.trace_id, trace.span_id)
        assert generation.attributes["session.id"] == "inc-1"
        assert generation.json("observation.input")[1] == {"role": "user", "content": "checkout is slow"}
        assert generation.json("observation.metadata.prompt_version") == "4f2a"
        assert 0 < generation.seconds <= trace.seconds
    assert (first.name, first["observation.level"]) == ("ollama", "ERROR")
    assert first["observation.status_message"] == "overloaded: ollama answered 503: busy"
    assert (second.name, second["observation.model.name"]) == ("gemini", "m-1")
    assert second["observation.output"] == REPLY.text
    assert second.json("observation.usage_details") == {"input": 20, "input_cached_tokens": 100, "output": 30}
    assert second.json("observation.cost_details") == {"total": 0.25}
    assert "langfuse.observation.level" not in second.attributes

    successes = {score["observationId"]: score["value"] for score in server.scores_named("provider_success")}
    assert successes == {first.span_id: 0, second.span_id: 1}
    (valid,) = server.scores_named("valid_json")
    assert (valid["observationId"], valid["value"], valid["dataType"]) == (second.span_id, 1, "BOOLEAN")
    (gate,) = server.scores_named("gate")
    assert (gate["traceId"], gate["value"]) == (trace.trace_id, "passed")
    assert "observationId" not in gate
    assert set(server.paths) == {SPANS, SCORES}


async def test_an_answer_without_json_is_scored_with_the_reason() -> None:
    async with langfuse_server() as server:
        tracing = tracing_to(server.url)
        with tracing.decision(traced_case(), ORDER) as recorder, recorder.attempt("gemini", "m-1", PROMPT) as call:
            call.replied(replace(REPLY, input_tokens=None, output_tokens=None, cached_tokens=None))
            call.validated("confidence is missing")
        await tracing.close(DEADLINE)
    (generation,) = server.generations
    assert (generation["observation.level"], generation["observation.status_message"]) == (
        "WARNING",
        "confidence is missing",
    )
    assert "langfuse.observation.usage_details" not in generation.attributes
    assert "langfuse.observation.cost_details" not in generation.attributes
    (valid,) = server.scores_named("valid_json")
    assert (valid["value"], valid["comment"]) == (0, "confidence is missing")
    assert server.scores_named("provider_success")[0]["value"] == 1


async def test_the_answer_of_a_failed_call_is_recorded() -> None:
    async with langfuse_server() as server:
        tracing = tracing_to(server.url)
        cut = ProviderError(Failure.TRUNCATED, "cut", reply=REPLY)
        with (
            pytest.raises(ProviderError) as caught,
            tracing.decision(traced_case(), ORDER) as recorder,
            recorder.attempt("ollama", "qwen", PROMPT),
        ):
            raise cut
        await tracing.close(DEADLINE)
    assert caught.value is cut
    (generation,) = server.generations
    assert generation["observation.output"] == REPLY.text
    assert generation.json("observation.usage_details")["output"] == 30
    assert server.traces[0]["observation.status_message"] == "truncated: cut"


async def test_a_cancelled_call_does_not_score_its_provider() -> None:
    async with langfuse_server() as server:
        tracing = tracing_to(server.url)
        entered = asyncio.Event()

        async def call() -> None:
            with tracing.decision(traced_case(), ORDER) as recorder, recorder.attempt("ollama", "qwen", PROMPT):
                entered.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(call())
        await entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await tracing.close(DEADLINE)
    assert {each["observation.level"] for each in server.observations} == {"WARNING"}
    assert server.scores == []


async def test_concurrent_decisions_have_separate_traces() -> None:
    async with langfuse_server() as server:
        tracing = tracing_to(server.url)
        await asyncio.gather(*(decide(tracing, f"inc-{number}") for number in range(20)))
        await tracing.close(DEADLINE)
    sessions = {trace.trace_id: trace.attributes["session.id"] for trace in server.traces}
    assert sorted(sessions.values()) == sorted(f"inc-{number}" for number in range(20))
    assert len(server.generations) == 40
    assert all(each.attributes["session.id"] == sessions[each.trace_id] for each in server.generations)


async def test_no_secret_is_sent_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    about = traced_case(
        f"inc {PLANTED}"[:180],
        group_key=f"shop/{SECRETS[0]}",
        namespace=PLANTED,
        service=PLANTED,
        alert_names={PLANTED: 3},
        services=(PLANTED,),
        exemplars=(Exemplar(PLANTED, Severity.CRITICAL, fingerprint=SECRETS[1], message=PLANTED),),
    )
    plain = arbitration_result()
    suspicious = replace(
        plain,
        judgement=plain.judgement.model_copy(update={"action_title": SECRETS[0], "reasoning": PLANTED}),
        validation=Validation(
            warnings=[PLANTED], rejected_commands=[RejectedCommand(command=f"echo {PLANTED}", reason=PLANTED)]
        ),
        provenance=plain.provenance.model_copy(update={"degraded_reasons": [PLANTED]}),
    )

    def leak(tracing: Tracing) -> None:
        with tracing.decision(about, [*ORDER, SECRETS[0]]) as recorder:
            with recorder.attempt(SECRETS[0], SECRETS[1], Prompt(PLANTED, PLANTED, PLANTED)) as call:
                call.replied(Reply(PLANTED, SECRETS[0]))
                call.validated(PLANTED)
            for error in (ProviderError(Failure.GARBAGE, PLANTED, reply=Reply(PLANTED, "m")), ValueError(PLANTED)):
                with pytest.raises(type(error)), recorder.attempt("ollama", "qwen", PROMPT):
                    raise error
            recorder.decided(suspicious)
            raise RuntimeError(PLANTED)

    async with langfuse_server() as server:
        tracing = tracing_to(server.url)
        with pytest.raises(RuntimeError):
            leak(tracing)
        await tracing.close(DEADLINE)
    assert (len(server.generations), len(server.scores)) == (3, 5)
    assert all(each.events == 0 for each in server.observations)
    sent = b"\n".join(server.bodies).decode(errors="replace")
    assert "[redacted:aws-key]" in sent
    for secret in SECRETS:
        assert secret not in sent
        assert secret not in caplog.text


@pytest.mark.parametrize("before", [0, 1, 7, 15, 19])
async def test_a_long_text_is_cut_and_its_cut_shows_no_half_secret(before: int) -> None:
    half = "x " * (TEXT_MAX // 2 - 10)
    wild = half[before:] + SECRETS[1] + " tail" * 100_000
    async with langfuse_server() as server:
        tracing = tracing_to(server.url)
        with tracing.decision(traced_case(), ORDER) as recorder, recorder.attempt("ollama", "m", PROMPT) as call:
            call.replied(Reply(wild, "m"))
        await tracing.close(DEADLINE)
    output = server.generations[0]["observation.output"]
    assert len(output) <= TEXT_MAX
    assert output.endswith(f"({len(wild)} characters)")
    assert "ghp_" not in output


async def test_a_data_uri_stays_text() -> None:
    image = "data:image/png;base64," + "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    async with langfuse_server() as server:
        tracing = tracing_to(server.url)
        with tracing.decision(traced_case(), ORDER) as recorder:
            with recorder.attempt("ollama", "m", replace(PROMPT, user=image)) as call:
                call.replied(Reply(image, "m"))
            recorder.decided(arbitration_result())
        await tracing.close(DEADLINE)
    assert set(server.paths) == {SPANS, SCORES}
    assert "langfuseMedia" not in str(server.observations)


async def test_the_sample_rate_applies_to_traces_and_their_scores() -> None:
    async with langfuse_server() as server:
        half, none = tracing_to(server.url, sample_rate=0.5), tracing_to(server.url, sample_rate=0)
        for number in range(60):
            await decide(half, f"inc-{number}")
        await decide(none, "inc-none")
        await none.close(DEADLINE)
        await half.close(DEADLINE)
    traced = {trace.trace_id for trace in server.traces}
    assert 10 < len(traced) < 50
    assert {score["traceId"] for score in server.scores} == traced
    assert "inc-none" not in {trace.attributes["session.id"] for trace in server.traces}


async def test_a_server_that_is_down_causes_one_log_line(caplog: pytest.LogCaptureFixture) -> None:
    tracing = tracing_to("http://127.0.0.1:9", timeout=1, flush_interval=0.05)
    with structlog.testing.capture_logs() as lines:
        decisions = [await decide(tracing) for _ in range(5)]
        await tracing.close(DEADLINE)
    assert [each.judgement for each in decisions] == [arbitration_result().judgement] * 5
    assert [line["event"] for line in lines] == ["cannot send traces to Langfuse; decisions continue"]
    assert not [record for record in caplog.records if record.name.startswith(("langfuse", "opentelemetry"))]
    assert not logging.getLogger("httpx").handlers


HANGING = """
import asyncio
from tests.langfuse.decisions import decide
from openclaw_stream.settings import load_settings
from openclaw_stream.telemetry.logs import configure_logs
from openclaw_stream.langfuse import make_tracing

async def main():
    configure_logs(load_settings().log)
    tracing = make_tracing(load_settings().langfuse)
    for _ in range(100):
        await decide(tracing)
    await tracing.close(0.2)

asyncio.run(main())
print("ended")
"""


async def test_a_server_that_hangs_delays_no_decision_and_no_exit() -> None:
    async with loopback(hangs) as server:
        environment = {
            "LANGFUSE_PUBLIC_KEY": "pk-lf-hanging",
            "LANGFUSE_SECRET_KEY": "sk-lf-hanging",
            "LANGFUSE_BASE_URL": server.url,
            "LANGFUSE_TIMEOUT": "60",  # longer than the process may take: it must not wait for a request
        }
        ended = await asyncio.to_thread(_python, HANGING, 55, environment)
        requests = len(server.requests)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "ended\n"
    assert "did not accept the last traces in time" in ended.stderr
    assert requests > 0


def test_without_configuration_the_sdk_is_not_imported() -> None:
    code = """
import asyncio, sys
from openclaw_stream.settings import load_settings
from openclaw_stream.langfuse import make_tracing
tracing = make_tracing(load_settings().langfuse)
with tracing.decision(None, []) as recorder, recorder.attempt("ollama", "m", None) as call:
    call.replied(None)
    call.validated("bad")
    recorder.decided(None)
asyncio.run(tracing.close(1))
print({"langfuse", "opentelemetry"} & set(sys.modules))
"""
    done = _python(code, 60, {})
    assert (done.returncode, done.stdout, done.stderr) == (0, "set()\n", "")


def test_an_sdk_that_does_not_start_is_logged_and_only_traces_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "many")
    with structlog.testing.capture_logs() as lines:
        tracing = tracing_to("http://127.0.0.1:9")
    assert isinstance(tracing, NoTracing)
    assert [line["log_level"] for line in lines] == ["warning"]
    assert "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT" in lines[0]["reason"]


async def test_the_deprecated_variable_of_the_server_is_read_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    async with langfuse_server() as server:
        run = uuid4().hex
        monkeypatch.setenv("LANGFUSE_HOST", server.url)
        monkeypatch.setenv("LANGFUSE_PUBLIC_KEY", run)
        monkeypatch.setenv("LANGFUSE_SECRET_KEY", "sk")
        with structlog.testing.capture_logs() as lines:
            tracing = make_tracing(LangfuseSettings())
        await decide(tracing)
        await tracing.close(DEADLINE)
    assert [line["event"] for line in lines] == ["LANGFUSE_HOST is deprecated: set LANGFUSE_BASE_URL"]
    assert len(server.traces) == 1


def _python(code: str, seconds: float, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LANGFUSE_", "OTEL_"))}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
