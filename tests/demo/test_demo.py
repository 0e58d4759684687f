"""The demo as a user starts it: what it plays, prints, and leaves."""

import asyncio
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.arbitration.llm.model_server import ANSWER, completes
from tests.arbitration.llm.providers.loopback import loopback
from tests.demo.processes import COMMAND, WITHIN, counts, demo, environment, own_kafka, topics


@pytest.mark.kafka
def test_the_storm_is_played_and_decided_exactly_once(temporary: Path) -> None:
    done = demo(env=environment(temporary))
    assert (done.returncode, done.stderr) == (0, "")
    rows = counts(done.stdout)
    assert rows["alerts"] >= 90
    assert rows["incidents"] == rows["resolutions"] >= 10
    assert rows["decisions"] > rows["incidents"], "some are decided again"
    assert rows["revisions"] == rows["decisions"] + rows["resolutions"]
    assert rows["tuning events"] >= 1
    assert rows["dead letters"] == 1
    assert "each exactly once" in done.stdout
    assert "0 still open, 1 flapped" in done.stdout
    assert "1 assumed resolved after silence" in done.stdout
    assert "0 executed" in done.stdout
    assert "kubectl" in done.stdout
    assert rows["model decisions"] == 0
    assert "decided by rules\n" in done.stdout
    missing = "ollama (OLLAMA_URL), gemini (GEMINI_API_KEY), claude (CLAUDE_API_KEY), SigNoz (SIGNOZ_URL), Langfuse"
    assert f"not configured: {missing} (LANGFUSE_PUBLIC_KEY)\n" in done.stdout
    for team in ("FE", "BE", "INFRA", "DB", "COLLAB"):
        assert re.search(rf"DECISION +{team} ", done.stdout)
    (log,) = temporary.iterdir()
    assert f"worker log: {log}" in done.stdout
    assert "partition restored" in log.read_text()


def test_files_are_played_on_the_users_kafka(bootstrap: str, temporary: Path, alerts: Path, shared_data: Path) -> None:
    before = topics(bootstrap)
    payloads = sorted((shared_data / "alertmanager").glob("*.json"))
    done = demo(alerts, *payloads, env=environment(temporary, **own_kafka(bootstrap)))
    assert (done.returncode, done.stderr) == (0, "")
    rows = counts(done.stdout)
    sent = sum(len(orjson.loads(path.read_bytes())["alerts"]) for path in payloads)
    assert rows["alerts"] == 3 + sent
    assert rows["dead letters"] == 1
    assert rows["incidents"] == rows["resolutions"] == 2
    assert "each exactly once" in done.stdout
    assert topics(bootstrap) <= before


async def test_a_configured_model_decides(bootstrap: str, temporary: Path, alerts: Path) -> None:
    async with loopback(completes(ANSWER)) as model:
        variables = {"AI_FALLBACK_ORDER": "openai", "OPENAI_BASE_URL": f"{model.url}/v1", "OPENAI_MODEL": "gpt-x"}
        env = environment(temporary, **own_kafka(bootstrap), **variables)
        done = await asyncio.to_thread(demo, alerts, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert "decided by openai gpt-x, then rules\n" in done.stdout
    rows = counts(done.stdout)
    assert rows["model decisions"] == rows["decisions"] >= 1
    assert len(model.requests) >= 1


class Kept:
    """A demo that keeps running; its lines, and the commands that it prints."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        assert process.stdout is not None
        self._lines = iter(process.stdout)
        printed = self.until("Ctrl-C")
        self.commands = [line.strip() for line in printed if line.startswith("  KAFKA_")]

    def until(self, text: str) -> list[str]:
        lines = []
        for line in self._lines:
            lines.append(line)
            if text in line:
                return lines
        raise AssertionError(f"{text!r} was never printed, only:\n{''.join(lines)}")

    def end(self) -> tuple[int, str]:
        self._process.send_signal(signal.SIGINT)
        rest = "".join(self._lines)
        return self._process.wait(WITHIN), rest


def shell(command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True, **options)


def test_the_commands_that_keep_prints_work(bootstrap: str, temporary: Path, alerts: Path) -> None:
    before = topics(bootstrap)
    env = environment(temporary, **own_kafka(bootstrap))
    with subprocess.Popen(
        [*COMMAND, "--keep", str(alerts)], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        kept = Kept(process)
        send, send_file, read = kept.commands
        assert shell(send).stdout.startswith("sent 1 to openclaw-demo-")
        kept.until("DECISION     DB     critical  shop/orders-postgres")
        assert shell(send_file, cwd=alerts.parent).stdout.startswith("sent 4 to openclaw-demo-")
        kept.until("dead letter")
        first = orjson.loads(shell(f"{read} | head -1").stdout)
        code, rest = kept.end()
    assert first["event_type"] == "decision"
    assert (code, rest.splitlines()[-1]) == (0, "stopped")
    assert "Traceback" not in rest
    assert topics(bootstrap) <= before


@pytest.mark.parametrize("arguments", ["", "write", "read everything"])
def test_wrong_usage_of_the_helpers_prints_their_usage(arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "openclaw_stream.demo", *shlex.split(arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: python -m openclaw_stream.demo")
