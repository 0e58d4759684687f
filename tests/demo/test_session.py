import fcntl
import os
import pty
import re
import shlex
import signal
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from openclaw_stream.demo import session
from openclaw_stream.demo.input_records import InputRecord, record_key
from openclaw_stream.demo.session import Demo, run_demo
from openclaw_stream.errors import FatalError, OpenClawError
from tests.demo.processes import COMMAND, OWN_PREFIXES, WITHIN, demo, environment, own_kafka, topics
from tests.demo.views import console, shown


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


def started(command: Sequence[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A named pipe: a demo that plays it waits, with its signal handlers set, until the writer closes it."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_end_the_demo_while_it_reads_its_files(pipe: Path, number: signal.Signals) -> None:
    with started([*COMMAND, str(pipe)]) as process, pipe.open("wb"):
        process.send_signal(number)
        output, _ = process.communicate(timeout=WITHIN)
    assert (process.returncode, output) == (130, "stopped\n")


def test_sigterm_ends_a_demo_that_was_started_with_sigint_ignored(pipe: Path) -> None:
    """A shell without job control starts its background jobs so."""
    script = f"trap '' INT; exec {shlex.join([*COMMAND, str(pipe)])}"
    with started(["/bin/sh", "-c", script]) as process, pipe.open("wb"):
        process.terminate()
        output, _ = process.communicate(timeout=WITHIN)
    assert (process.returncode, output) == (130, "stopped\n")


def test_the_signal_handlers_are_restored_after_an_error(tmp_path: Path) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    with pytest.raises(OpenClawError, match=r"cannot read .*missing"):
        run_demo([tmp_path / "missing"])
    assert [signal.getsignal(number) for number in numbers] == before


@pytest.fixture
def own_servers(bootstrap: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a demo in this process, on the shared Kafka and without Valkey."""
    for name in list(os.environ):
        if name.upper().startswith(OWN_PREFIXES):
            monkeypatch.delenv(name)
    for name, value in {**own_kafka(bootstrap), "REDIS_URL": "redis://127.0.0.1:1/0"}.items():
        monkeypatch.setenv(name, value)


def record() -> InputRecord:
    value = b'{"alert_type": "PostgresDown", "namespace": "shop", "service": "orders"}'
    return InputRecord(0.0, record_key(value), value)


@pytest.mark.usefixtures("own_servers")
def test_uncommitted_records_are_an_error_with_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """An alert that waits longer for its group than the demo waits for events."""
    monkeypatch.setattr(session, "_IDLE_SECONDS", 3.0)
    monkeypatch.setenv("OPENCLAW_GROUP_WAIT", "600")
    monkeypatch.setenv("OPENCLAW_MAX_SILENCE", "600")
    to = console()
    demo = Demo(to, keep=False)
    with pytest.raises(FatalError, match=r"\d+ records are not committed after 3 s without events") as caught:
        demo.run([record()])
    assert demo.summarized
    assert "Results after" in shown(to)
    log = Path(re.findall(r"worker log: (.*)", shown(to))[-1])
    assert f"worker log {log} ends with:" in str(caught.value)
    log.unlink()


@pytest.mark.usefixtures("own_servers")
def test_a_record_that_is_too_large_ends_the_demo() -> None:
    to = console()
    demo = Demo(to, keep=False)
    with pytest.raises(OpenClawError, match=r"a record of 9,000,000 bytes is too large for topic openclaw-demo-"):
        demo.run([InputRecord(0.0, None, b"x" * 9_000_000)])
    assert not demo.summarized
