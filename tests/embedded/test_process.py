import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from openclaw_stream.embedded.process import ServerProcess

IGNORES_SIGTERM = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("started", flush=True)
time.sleep(600)
"""
ENDS_ON_SIGTERM = """
import signal, sys, time
def end(number, frame):
    print("goodbye", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("hello", flush=True)
while True:  # Python misses a signal that comes just before a sleep until the sleep ends
    time.sleep(0.1)
"""
COUNTING = """
import itertools, time
for number in itertools.count():
    print(number, flush=True)
    time.sleep(0.005)
"""
HOLDER = """
import sys, time
from openclaw_stream.embedded import EmbeddedKafka, EmbeddedValkey
with EmbeddedKafka() as kafka, EmbeddedValkey() as valkey:
    print(kafka.bootstrap_servers.split(":")[1], valkey.url.split(":")[2].removesuffix("/0"), flush=True)
    time.sleep(600)
"""


def start(program: str, folder: Path) -> ServerProcess:
    return ServerProcess([sys.executable, "-c", program], folder, folder / "server.log")


def output(folder: Path) -> str:
    log = folder / "server.log"
    return log.read_text() if log.exists() else ""


def wait_for(text: str, folder: Path) -> None:
    while text not in output(folder):
        time.sleep(0.01)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "server"
    path.mkdir()
    yield path
    assert path.is_dir(), "the folder is removed only when the program ends first"


def test_stop_lets_the_server_end_by_itself(folder: Path) -> None:
    process = start(ENDS_ON_SIGTERM, folder)
    wait_for("hello", folder)
    process.stop(60)
    assert not process.running
    assert "goodbye" in output(folder)


def test_a_server_that_does_not_end_is_killed(folder: Path) -> None:
    process = start(IGNORES_SIGTERM, folder)
    wait_for("started", folder)
    process.stop(0.1)
    assert not process.running


def test_stop_ends_a_frozen_server(folder: Path) -> None:
    process = start(ENDS_ON_SIGTERM, folder)
    wait_for("hello", folder)
    process.send(signal.SIGSTOP)
    process.stop(60)
    assert "goodbye" in output(folder)


def test_a_signal_is_delivered_when_send_returns(folder: Path) -> None:
    process = start(COUNTING, folder)
    wait_for("3", folder)
    process.send(signal.SIGSTOP)
    time.sleep(0.05)
    frozen = output(folder)
    time.sleep(0.05)
    assert output(folder) == frozen
    process.send(signal.SIGCONT)
    while output(folder) == frozen:
        time.sleep(0.01)
    process.kill()
    assert not process.running


def test_send_and_stop_accept_a_server_that_has_ended(folder: Path) -> None:
    process = start("print('done')", folder)
    while process.running:
        time.sleep(0.01)
    process.send(signal.SIGSTOP)
    process.stop(60)
    assert output(folder) == "done\n"


def test_a_server_inherits_no_settings_of_another_java(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-Dx=y")
    monkeypatch.setenv("CLASSPATH", "/elsewhere")
    process = start("import os; print(*os.environ)", folder)
    while process.running:
        time.sleep(0.01)
    process.kill()
    names = output(folder).split()
    assert "PATH" in names
    assert not {"JAVA_TOOL_OPTIONS", "CLASSPATH"} & set(names)


@pytest.mark.valkey
@pytest.mark.kafka
def test_servers_end_when_their_program_is_killed(tmp_path: Path) -> None:
    environment = {"TMPDIR": str(tmp_path), "HOME": str(Path.home()), "PATH": ""}
    command = [sys.executable, "-c", HOLDER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as holder:
        assert holder.stdout is not None
        ports = [int(port) for port in holder.stdout.readline().split()]
        assert len(list(tmp_path.iterdir())) == len(ports) == 2
        holder.kill()
    while any(tmp_path.iterdir()):
        time.sleep(0.05)
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=30)
