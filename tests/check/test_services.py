"""The findings of `check` about each dependency, and how they are printed."""

import asyncio
import os
import pty
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiokafka.admin import NewTopic
from redis.asyncio import Redis

from openclaw_stream.check import FindingStatus, check
from openclaw_stream.embedded import EmbeddedValkey
from openclaw_stream.stream.kafka.connection import admin_client
from openclaw_stream.stream.kafka.topics import create_topics
from tests.arbitration.llm.providers.loopback import Answer, hangs, loopback, raw, responds
from tests.arbitration.ownership.owners import SHOP
from tests.check.runner import Environment, call, findings, settings_of

NAMES = (
    *("Kafka", "topics", "group", "outputs", "reads"),
    *("Redis", "SigNoz"),
    *("ollama", "gemini", "claude", "openai", "ollama (summaries)"),
    "Langfuse",
    "owners",
)


@asynccontextmanager
async def everything(version: str = "4.59.0") -> AsyncIterator[str]:
    """Ollama, Gemini, Claude, an OpenAI-compatible server and Langfuse at one address, each working."""
    answers: dict[str, Any] = {
        "/api/tags": {"models": [{"name": "qwen2.5:7b-instruct"}, {"name": "llama3.2:3b"}]},
        "/v1beta/models/gemini-3.8-flash": {"name": "models/gemini-3.8-flash"},
        "/v1/models/claude-haiku-5-5": {"id": "claude-haiku-5-5"},
        "/v1/models": {"data": [{"id": "local"}]},
        "/api/v5/query_range": {"status": "success", "data": {"type": "scalar", "data": {"results": []}}},
        "/api/public/health": {"status": "OK", "version": version},
        "/api/public/projects": {"data": [{"id": "p"}]},
    }

    async def answer(request: web.Request) -> web.Response:
        return web.json_response(answers[request.path])

    async with served(answer) as url:
        yield url


@asynccontextmanager
async def served(handler: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def all_at(url: str) -> Environment:
    return {
        "SIGNOZ_URL": url,
        "SIGNOZ_API_KEY": "signoz-key",
        "AI_FALLBACK_ORDER": "ollama,gemini,claude,openai",
        "OLLAMA_URL": url,
        "GEMINI_URL": url,
        "GEMINI_API_KEY": "gemini-key",
        "CLAUDE_URL": url,
        "CLAUDE_API_KEY": "claude-key",
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_API_KEY": "openai-key",
        "OPENAI_MODEL": "local",
        **langfuse_at(url),
    }


def langfuse_at(url: str) -> Environment:
    return {"LANGFUSE_BASE_URL": url, "LANGFUSE_PUBLIC_KEY": "pk-lf-1", "LANGFUSE_SECRET_KEY": "sk-lf-1"}


async def test_everything_works(valkey: Any, ready: Environment, tmp_path: Path) -> None:
    (tmp_path / "owners.toml").write_text(SHOP)
    others = {"REDIS_URL": valkey.url, "OPENCLAW_OWNERS": str(tmp_path / "owners.toml")}
    async with everything() as url:
        done = await call(ready | all_at(url) | others, "--strict")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == [f"works     {name}" for name in NAMES]
    assert "\x1b" not in done.stdout


async def test_unconfigured_dependencies_are_missing_and_no_failure(ready: Environment) -> None:
    done = await call(ready, "--strict")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["works"] * 5 + ["missing"] * 8
    assert "missing   SigNoz: SIGNOZ_URL is not set: decisions are made without golden signals" in lines
    assert "missing   gemini: GEMINI_API_KEY is not set: it is not asked" in lines
    assert "missing   models: none is configured: the rules decide" in lines


async def test_an_unreachable_broker_is_a_failure_and_other_findings_remain(
    valkey: Any, monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    variables = {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{closed_port}", "REDIS_URL": valkey.url}
    found = await findings(monkeypatch, variables)
    assert found["Kafka"].state is FindingStatus.MISSING
    assert found["Kafka"].fatal
    assert found["Kafka"].text.startswith(f"no answer from Kafka at 127.0.0.1:{closed_port}")
    assert found["topics"].fatal
    assert not {"group", "outputs", "reads"} & set(found)
    assert found["Redis"].state is FindingStatus.WORKS
    done = await call(variables)
    assert done.returncode == 1
    assert done.stdout.startswith("missing   Kafka (needed): no answer from Kafka at ")


async def test_a_missing_topic_is_a_failure(topics: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    found = await findings(monkeypatch, topics)
    assert found["Kafka"].state is FindingStatus.WORKS
    missing = [each for name, each in found.items() if name.startswith("topic ")]
    assert len(missing) == 5
    assert all(each.fatal and each.state is FindingStatus.MISSING for each in missing)
    assert all("`openclaw-stream topics create` creates it" in each.text for each in missing)
    assert (found["group"].state, found["group"].fatal) == (FindingStatus.WORKS, False)
    outputs = sorted(topics[f"OPENCLAW_TOPIC_{field}"] for field in ("DEAD_LETTER", "DECISIONS", "INCIDENTS", "TUNING"))
    assert (found["outputs"].text, found["outputs"].fatal) == (f"missing: topic {', '.join(outputs)}", True)
    assert found["reads"].fatal
    assert (await call(topics)).returncode == 1


async def test_a_topic_difference_is_a_failure_only_with_strict(
    topics: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(monkeypatch, topics)
    async with admin_client(settings.kafka) as admin:
        await admin.create_topics([NewTopic(settings.topics.alerts, 1, 1)])
    await create_topics(settings, replication_factor=1)
    found = await findings(monkeypatch, topics)
    topic = found[f"topic {settings.topics.alerts}"]
    assert (topic.state, topic.fatal) == (FindingStatus.DEGRADED, False)
    assert "message.timestamp.type is CreateTime" in topic.text
    assert (await call(topics)).returncode == 0
    assert (await call(topics, "--strict")).returncode == 1


async def test_an_unreachable_redis_is_degraded(
    ready: Environment, monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    variables = ready | {"REDIS_URL": f"redis://:planted-pass@127.0.0.1:{closed_port}/0"}
    redis = (await findings(monkeypatch, variables))["Redis"]
    assert redis.state is FindingStatus.DEGRADED
    assert redis.text.startswith(f"127.0.0.1:{closed_port} cannot be written: ")
    assert "planted-pass" not in redis.text
    assert ((await call(variables)).returncode, (await call(variables, "--strict")).returncode) == (0, 1)


@pytest.mark.valkey
async def test_a_full_or_locked_redis_is_degraded(ready: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    with EmbeddedValkey() as own:
        async with Redis.from_url(own.url) as client:
            await client.config_set("maxmemory", 1)
            full = (await findings(monkeypatch, ready | {"REDIS_URL": own.url}))["Redis"]
            await client.config_set("requirepass", "right")
            locked = (await findings(monkeypatch, ready | {"REDIS_URL": own.url}))["Redis"]
            wrong = own.url.replace("redis://", "redis://:wrong@")
            refused = (await findings(monkeypatch, ready | {"REDIS_URL": wrong}))["Redis"]
    assert {each.state for each in (full, locked, refused)} == {FindingStatus.DEGRADED}
    assert "used memory > 'maxmemory'" in full.text
    assert all("check the user and the password in REDIS_URL" in each.text for each in (locked, refused))


async def test_the_finding_of_a_missing_model_has_the_command_to_pull_it(
    ready: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with everything() as url:
        found = await findings(monkeypatch, ready | all_at(url) | {"OLLAMA_MODEL": "qwen3:8b"})
    assert found["ollama"].state is FindingStatus.DEGRADED
    assert "run: ollama pull qwen3:8b" in found["ollama"].text
    assert found["ollama (summaries)"].state is FindingStatus.WORKS


@pytest.mark.parametrize(
    "answer",
    [
        responds(401, {"error": {"message": "no"}}),
        responds(429, {}, retry_after="1"),
        responds(500, b"oops"),
        raw(b"SSH-2.0-OpenSSH_9.9\r\n"),
        responds(200, b'{"models": ['),
    ],
)
async def test_servers_with_unexpected_responses_are_degraded(
    ready: Environment, monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    async with loopback(answer) as server:
        found = await findings(monkeypatch, ready | all_at(server.url))
    checked = [found[name] for name in NAMES[NAMES.index("SigNoz") : -1]]
    assert [each.state for each in checked] == [FindingStatus.DEGRADED] * 7


async def test_no_model_is_checked_in_mock_mode(ready: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    async with loopback(hangs) as server:
        found = await findings(monkeypatch, ready | {"OLLAMA_URL": server.url, "MOCK_MODE": "true"})
        assert server.requests == []
    assert found["models"].text == "MOCK_MODE is on: no model is asked, the rules decide"
    assert "ollama" not in found


@pytest.mark.parametrize("version", ["4.59.0", "v4.60.1-rc.2", "5.0.0", "10.0.0"])
async def test_a_supported_langfuse_version_works(
    ready: Environment, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    async with everything(version) as url:
        langfuse = (await findings(monkeypatch, ready | langfuse_at(url)))["Langfuse"]
    assert langfuse.state is FindingStatus.WORKS
    assert langfuse.text == f"{url} runs {version.partition('-')[0]} and accepts the keys"


@pytest.mark.parametrize("version", ["4.58.9", "3.160.0", "2.95.11"])
async def test_the_finding_of_an_old_langfuse_has_the_required_version(
    ready: Environment, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    async with everything(version) as url:
        langfuse = (await findings(monkeypatch, ready | langfuse_at(url)))["Langfuse"]
    assert langfuse.state is FindingStatus.DEGRADED
    assert langfuse.text.endswith(f"runs {version}, which is too old for the SDK: update the server to 4.59.0 or newer")


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (responds(200, {"status": "OK"}), "does not answer like a Langfuse server (200); see LANGFUSE_BASE_URL"),
        (responds(200, b"<html>"), "does not answer like a Langfuse server (200); see LANGFUSE_BASE_URL"),
        (responds(503, {"status": "error", "version": "4.60.0"}), "runs 4.60.0 and reports that it is unhealthy (503)"),
        (hangs, "did not answer within 1 s; see LANGFUSE_BASE_URL and LANGFUSE_TIMEOUT"),
    ],
)
async def test_the_finding_of_an_unhealthy_langfuse_has_the_reason(
    ready: Environment, monkeypatch: pytest.MonkeyPatch, answer: Answer, complaint: str
) -> None:
    async with loopback(answer) as server:
        variables = ready | langfuse_at(server.url) | {"LANGFUSE_TIMEOUT": "1"}
        langfuse = (await findings(monkeypatch, variables))["Langfuse"]
    assert langfuse.state is FindingStatus.DEGRADED
    assert complaint in langfuse.text


async def test_the_finding_of_refused_langfuse_keys_names_the_variables(
    ready: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def answer(writer: asyncio.StreamWriter) -> None:
        asked.append("")
        good = responds(200, {"status": "OK", "version": "4.60.0"})
        await (good if len(asked) == 1 else responds(401, {"message": "Invalid credentials"}))(writer)

    async with loopback(answer) as server:
        langfuse = (await findings(monkeypatch, ready | langfuse_at(server.url)))["Langfuse"]
        health, projects = server.requests
    assert langfuse.state is FindingStatus.DEGRADED
    assert "rejects the keys (401); check LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY" in langfuse.text
    assert "authorization" not in health.headers
    assert projects.headers["authorization"].startswith("Basic ")


async def test_a_hanging_dependency_times_out_alone(valkey: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with loopback(hangs) as server, everything() as url:
        variables = {
            "KAFKA_BOOTSTRAP_SERVERS": server.url.removeprefix("http://"),
            "REDIS_URL": valkey.url,
            "OLLAMA_URL": server.url,
            **langfuse_at(url),
        }
        found = {each.dependency: each for each in await check(settings_of(monkeypatch, variables), seconds=1)}
    assert (found["Kafka"].state, found["Kafka"].fatal) == (FindingStatus.MISSING, True)
    assert found["ollama"].state is FindingStatus.DEGRADED
    assert all("no answer within 1 s" in found[name].text for name in ("Kafka", "ollama"))
    assert found["Redis"].state is found["Langfuse"].state is FindingStatus.WORKS


async def test_no_key_is_printed_when_a_server_echoes_it(ready: Environment, closed_port: int) -> None:
    keys = {f"{name}_API_KEY": f"planted-{name}-1234" for name in ("SIGNOZ", "GEMINI", "CLAUDE", "OPENAI")}
    secrets = keys | {
        "LANGFUSE_SECRET_KEY": "planted-LANGFUSE-1234",
        "REDIS_URL": f"redis://user:planted-REDIS-1234@127.0.0.1:{closed_port}/0",
    }
    responses: list[str] = []

    async def repeat(request: web.Request) -> web.Response:
        echoed = "\x1b[31m\n\u202e".join(f"{name}: {value}" for name, value in request.headers.items())
        responses.append(echoed)
        return web.json_response({"error": {"message": echoed}}, status=401)

    async with served(repeat) as url:
        done = await call(ready | all_at(url) | secrets)
    assert done.returncode == 0
    assert all(any(key in text for text in responses) for key in keys.values())
    assert "planted" not in done.stdout + done.stderr
    assert done.stdout.count("\n") == len(NAMES)
    assert not {"\x1b", "\u202e"} & set(done.stdout)


async def test_on_a_terminal_it_is_a_table_in_colour(ready: Environment) -> None:
    outer, inner = pty.openpty()
    variables = os.environ | ready | {"TERM": "xterm-256color", "COLUMNS": "100"}
    command = [sys.executable, "-m", "openclaw_stream", "check"]
    process = await asyncio.create_subprocess_exec(*command, env=variables, stdout=inner)
    code = await process.wait()
    os.close(inner)
    shown = os.read(outer, 20_000).decode()
    os.close(outer)
    assert code == 0
    assert "finding" in shown
    assert "\x1b[32mworks" in shown


@pytest.mark.io
async def test_a_wrong_setting_is_exit_code_2() -> None:
    done = await call({"LANGFUSE_PUBLIC_KEY": "pk", "REDIS_URL": "http://x"})
    assert done.returncode == 2
    assert "error: LANGFUSE_PUBLIC_KEY needs LANGFUSE_SECRET_KEY" in done.stderr.splitlines()
