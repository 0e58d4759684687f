import os
import pty
import signal
import socket
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from openclaw_stream import __version__
from openclaw_stream.embedded import EmbeddedKafkaCluster

COMMAND = [sys.executable, "-m", "openclaw_stream"]
PREFIXES = ("OPENCLAW_", "KAFKA_", "SHADOW_MODE_", "FORCE_COLOR", "NO_COLOR")


def environment(**variables: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIXES)}
    return inherited | {"OPENCLAW_HTTP_ADDR": "", "COLUMNS": "80"} | variables


def call(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], env=environment(**variables), capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def topics(bootstrap: str) -> dict[str, str]:
    run = uuid4().hex[:8]
    fields = ("ALERTS", "DECISIONS", "TUNING", "INCIDENTS", "DEAD_LETTER")
    names = {f"OPENCLAW_TOPIC_{field}": f"{field.lower()}.{run}" for field in fields}
    return names | {"KAFKA_BOOTSTRAP_SERVERS": bootstrap, "KAFKA_GROUP_ID": run}


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def test_version_and_help() -> None:
    assert call("--version").stdout == f"openclaw-stream {__version__}\n"
    text = call("--help").stdout
    assert all(command in text for command in ("run", "demo", "topics", "schemas"))
    assert call().returncode == 2


def test_start_imports_no_heavy_modules() -> None:
    heavy = "{'aiokafka', 'aiohttp', 'pydantic', 'structlog', 'prometheus_client'}"
    code = f"import sys, openclaw_stream.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"


def test_a_command_that_is_terminated_while_it_starts_ends_at_once() -> None:
    """Also as the first process of a container, which ignores signals without a handler."""
    code = """if True:
        import signal, sys
        class Finder:
            def find_spec(self, name, path=None, target=None):
                if name == "openclaw_stream.stream.worker":
                    signal.raise_signal(signal.SIGTERM)
        sys.meta_path.insert(0, Finder())
        sys.argv = ["openclaw-stream", "run"]
        from openclaw_stream.cli import main
        main()
    """
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (128 + signal.SIGTERM, "", "")


@pytest.mark.parametrize("command", [["run"], ["topics", "check"], ["topics", "create"]])
def test_an_invalid_setting_is_one_line_and_exit_code_2(command: list[str]) -> None:
    done = call(*command, KAFKA_GROUP_ID=" ", OPENCLAW_GROUP_WAIT="soon")
    assert done.returncode == 2
    first, second = done.stderr.splitlines()
    assert first.startswith("error: KAFKA_GROUP_ID=' ' is not allowed: ")
    assert second.startswith("error: OPENCLAW_GROUP_WAIT='soon' is not allowed: ")


@pytest.mark.parametrize("arguments", [["fly"], ["topics", "create", "--partitions", "0"], ["demo", "/no/such/file"]])
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    done = call(*arguments)
    assert done.returncode == 2
    assert "Error" in done.stderr
    assert "Traceback" not in done.stderr


def test_topics_are_created_and_checked(topics: dict[str, str]) -> None:
    missing = call("topics", "check", **topics)
    assert missing.returncode == 1
    assert len(missing.stderr.splitlines()) == 5
    assert all(line.startswith("error: topic ") for line in missing.stderr.splitlines())
    created = call("topics", "create", "--partitions", "2", "--replication-factor", "1", **topics)
    assert created.returncode == 0
    assert created.stdout.count("created ") == 5
    checked = call("topics", "check", **topics)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "configured as recommended" in checked.stdout


def test_a_misspelt_variable_is_a_warning(topics: dict[str, str]) -> None:
    done = call("topics", "create", "--partitions", "1", OPENCLAW_TOPIC_ALERT="x", **topics)
    assert done.returncode == 0
    assert done.stderr == (
        "warning: OPENCLAW_TOPIC_ALERT is set, but there is no such setting; did you mean OPENCLAW_TOPIC_ALERTS?\n"
    )


def test_an_unreachable_broker_is_a_one_line_error(closed_port: int) -> None:
    done = call("topics", "check", KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{closed_port}")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: no answer from Kafka at 127.0.0.1:{closed_port}")


def test_run_refuses_a_port_in_use(topics: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = call("run", **topics | {"OPENCLAW_HTTP_ADDR": address})
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"error: OPENCLAW_HTTP_ADDR={address}: the port is already in use")


def test_run_waits_for_a_broker_and_ends_at_sigterm(closed_port: int) -> None:
    variables = environment(KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{closed_port}")
    with subprocess.Popen([*COMMAND, "run"], env=variables, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = next(line for line in process.stderr if "no answer from Kafka" in line)
        assert '"level": "warning"' in line
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode == 0


def test_an_error_is_red_on_a_terminal_only() -> None:
    outer, inner = pty.openpty()
    variables = environment(KAFKA_GROUP_ID=" ", TERM="xterm-256color")
    done = subprocess.run([*COMMAND, "run"], env=variables, stderr=inner, check=False, timeout=60)
    os.close(inner)
    shown = os.read(outer, 10_000).decode()
    os.close(outer)
    assert done.returncode == 2
    assert shown.startswith("\x1b[31merror: KAFKA_GROUP_ID")
    assert "\x1b" not in call("run", KAFKA_GROUP_ID=" ", TERM="xterm-256color").stderr


def test_schemas_are_written_and_verified(tmp_path: Path) -> None:
    folder = tmp_path / "schemas"
    written = call("schemas", "write", str(folder))
    assert written.returncode == 0
    assert (folder / "decision.v1.json").is_file()
    assert call("schemas", "verify", str(folder)).returncode == 0
    (folder / "decision.v1.json").write_text("{}")
    changed = call("schemas", "verify", str(folder))
    assert changed.returncode == 1
    assert "decision.v1.json" in changed.stderr


@pytest.mark.cluster
def test_a_requested_replication_factor_is_a_warning_and_exit_code_0(topics: dict[str, str]) -> None:
    with EmbeddedKafkaCluster(nodes=3) as cluster:
        variables = topics | {"KAFKA_BOOTSTRAP_SERVERS": cluster.bootstrap_servers}
        created = call("topics", "create", "--partitions", "1", "--replication-factor", "1", **variables)
        requested = call("topics", "check", "--replication-factor", "1", **variables)
        unrequested = call("topics", "check", **variables)
        checked = call("check", **variables)
    assert (created.returncode, requested.returncode, unrequested.returncode, checked.returncode) == (0, 0, 1, 0)
    for done in (created, requested, unrequested):
        lines = done.stderr.splitlines()
        assert len(lines) == 5
        assert all(line.startswith("warning: topic ") and "replication factor is 1" in line for line in lines)
    assert all("--replication-factor requests it" in done.stderr for done in (created, requested))
    assert "the topics are configured as recommended" in requested.stdout
    assert checked.stdout.count("degraded  topic ") == 5
