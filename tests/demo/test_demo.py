"""The demo as a user starts it: a process with its output, its exit code, and the files and topics it leaves."""

import asyncio
import fcntl
import os
import pty
import re
import shlex
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from openclaw_stream.embedded.server import free_port
from tests.arbitration.llm.model_server import ANSWER, completes
from tests.arbitration.llm.providers.loopback import loopback

COMMAND = (sys.executable, "-m", "openclaw_stream", "demo")
QUICK = {"OPENCLAW_GROUP_WAIT": "1", "OPENCLAW_RESOLVE_HOLD": "1", "OPENCLAW_MAX_SILENCE": "3"}
WITHIN = 100


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """The folder for temporary files of the demo."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.fixture
def alerts(tmp_path: Path) -> Path:
    """Three alerts of one incident, the last of them resolved, and a line that cannot be decoded."""
    alert = {"alert_type": "PostgresDown", "severity": "critical", "namespace": "shop", "service": "orders-postgres"}
    lines = [alert, alert | {"alert_type": "PostgresReplicationLag"}, alert | {"status": "resolved"}]
    path = tmp_path / "alerts.jsonl"
    path.write_bytes(b"\n".join([*map(orjson.dumps, lines), b"this is no JSON"]))
    return path


def environment(temporary: Path, **variables: str) -> dict[str, str]:
    ours = ("KAFKA_", "OPENCLAW_", "COL", "OLLAMA_", "GEMINI_", "CLAUDE_", "OPENAI_", "SIGNOZ_", "LANGFUSE_", "REDIS_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "TMPDIR": str(temporary), **variables}


def demo(*arguments: str | Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)], env=env, capture_output=True, text=True, check=False, timeout=WITHIN
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


def counts(output: str) -> dict[str, int]:
    """The rows of the summary table."""
    return {name.strip(): int(count) for name, count in re.findall(r"^│ ([a-z ]+?) +│ +(\d+) │", output, re.MULTILINE)}


def own_kafka(bootstrap: str) -> dict[str, str]:
    return {"KAFKA_BOOTSTRAP_SERVERS": bootstrap, **QUICK}


def topics(bootstrap: str) -> set[str]:
    known = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0}).list_topics(timeout=WITHIN).topics
    return {name for name in known if not name.startswith("__")}


@pytest.mark.kafka
def test_the_storm_is_played_and_decided_exactly_once(temporary: Path) -> None:
    done = demo(env=environment(temporary))
    assert (done.returncode, done.stderr) == (0, "")
    rows = counts(done.stdout)
    assert rows["alerts"] >= 90
    assert rows["incidents"] == rows["resolutions"] >= 10
    assert rows["decisions"] > rows["incidents"], "some are decided again"
    assert rows["revisions"] == rows["decisions"] + rows["resolutions"]
    assert rows["tuning events"] >= rows["incidents"]
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
    assert rows["incidents"] == rows["resolutions"] >= 3
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


def test_topics_of_the_user_are_not_changed(bootstrap: str, temporary: Path, alerts: Path) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    mine = ["mine.alerts", "mine.decisions"]
    for created in admin.create_topics([NewTopic(name, 1, 1) for name in mine]).values():
        created.result(WITHIN)
    producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
    producer.produce(mine[0], b'{"alert_type": "Mine", "namespace": "my", "service": "own"}')
    assert producer.flush(WITHIN) == 0
    names = {"OPENCLAW_TOPIC_ALERTS": mine[0], "OPENCLAW_TOPIC_DECISIONS": mine[1]}
    done = demo(alerts, env=environment(temporary, **own_kafka(bootstrap), **names))
    assert done.returncode == 0
    assert "Mine" not in done.stdout
    assert set(mine) <= topics(bootstrap)
    assert "created topics, deleted at the end: openclaw-demo-" in done.stdout


class Kept:
    """A demo that keeps running; its lines, and the commands that it prints."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        assert process.stdout is not None
        self._lines: Iterator[str] = process.stdout
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_removes_its_files_and_topics(
    bootstrap: str, temporary: Path, number: signal.Signals
) -> None:
    before = topics(bootstrap)
    env = environment(temporary, **own_kafka(bootstrap))
    with subprocess.Popen(COMMAND, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        while "alert " not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(number)
        rest = process.stdout.read()
    assert (process.returncode, rest.splitlines()[-1]) == (130, "stopped")
    assert "Traceback" not in rest
    assert list(temporary.iterdir()) == []
    assert topics(bootstrap) <= before


def on_terminal(arguments: Sequence[str | Path], env: Mapping[str, str], columns: int, rows: int) -> tuple[int, str]:
    """Run the demo on a terminal of its own; return its exit code and output."""
    terminal, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    with subprocess.Popen(
        [*COMMAND, *map(str, arguments)], env=env, stdin=inner, stdout=inner, stderr=inner
    ) as process:
        os.close(inner)
        written = b""
        while chunk := read_terminal(terminal):
            written += chunk
    os.close(terminal)
    return process.returncode, written.decode("utf-8", "replace")


def read_terminal(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # on Linux the end of a terminal
        return b""


def test_a_terminal_gets_the_dashboard(bootstrap: str, temporary: Path, alerts: Path) -> None:
    env = environment(temporary, TERM="xterm-256color", **own_kafka(bootstrap))
    code, written = on_terminal([alerts], env, 120, 40)
    assert code == 0
    alternate, end = "\x1b[?1049h", "\x1b[?1049l"
    live = written[written.index(alternate) : written.index(end)]
    assert "decisions" in live
    assert "PostgresDown" in live
    assert "Results after" in written[written.index(end) :]
    assert "\x1b[?25h" in written, "the cursor is shown again"


@pytest.mark.parametrize(("term", "columns"), [("dumb", 120), ("xterm-256color", 50)])
def test_a_dumb_or_narrow_terminal_gets_the_line_view(
    bootstrap: str, temporary: Path, alerts: Path, term: str, columns: int
) -> None:
    code, written = on_terminal([alerts], environment(temporary, TERM=term, **own_kafka(bootstrap)), columns, 40)
    assert code == 0
    assert "\x1b[?1049h" not in written
    assert "DECISION" in written


def test_an_output_without_utf8_loses_characters_only(bootstrap: str, temporary: Path, alerts: Path) -> None:
    done = demo(alerts, env=environment(temporary, PYTHONIOENCODING="ascii", **own_kafka(bootstrap)))
    assert (done.returncode, done.stderr) == (0, "")
    assert "each exactly once" in done.stdout


def test_a_worker_that_ends_is_reported_with_its_log(bootstrap: str, temporary: Path, alerts: Path) -> None:
    unusable = {"OPENCLAW_HTTP_ADDR": "203.0.113.1:80"}
    done = demo(alerts, env=environment(temporary, **own_kafka(bootstrap), **unusable))
    assert done.returncode == 1
    assert "the worker ended unexpectedly" in done.stderr
    assert "OPENCLAW_HTTP_ADDR" in done.stderr


def test_a_wrong_setting_is_reported_before_anything_starts(temporary: Path) -> None:
    done = demo(env=environment(temporary, OPENCLAW_GROUP_WAIT="soon"))
    assert done.returncode == 2
    assert "OPENCLAW_GROUP_WAIT='soon' is not allowed" in done.stderr
    assert "starting" not in done.stdout


def test_an_unreachable_kafka_is_reported(temporary: Path, alerts: Path) -> None:
    unused = f"127.0.0.1:{free_port()}"
    done = demo(alerts, env=environment(temporary, KAFKA_BOOTSTRAP_SERVERS=unused))
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: no answer from Kafka at {unused}")
    assert list(temporary.iterdir()) == []


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
