import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from openclaw_stream.embedded import EmbeddedValkey, server
from openclaw_stream.embedded.server import HOST, free_port, free_ports
from openclaw_stream.errors import EmbeddedError
from tests.embedded.python_server import ENDS, LISTENS, NEVER_LISTENS, PythonServer, answer


class Unpreparable(PythonServer):
    def _prepare(self, folder: Path) -> None:
        (folder / "half").touch()
        raise EmbeddedError("cannot be prepared")


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for the servers' folders."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def running() -> Iterator[PythonServer]:
    with PythonServer() as started:
        yield started


def test_a_server_answers_when_start_returns_and_leaves_nothing(temporary: Path) -> None:
    with PythonServer() as started:
        assert started.running
        assert answer(started.port) == b"ready"
        assert started.log_file.parent.parent == temporary
        assert started.log_file.read_text() == "started\n"
    assert not started.running
    assert list(temporary.iterdir()) == []


def test_a_killed_server_keeps_its_port_and_its_files(running: PythonServer) -> None:
    port, log = running.port, running.log_file
    running.kill()
    assert not running.running
    with pytest.raises(ConnectionRefusedError):
        answer(port)
    running.start()
    assert answer(port) == b"ready"
    assert log.read_text() == "started\nstarted\n"


def test_a_restart_stops_the_server_cleanly(running: PythonServer) -> None:
    port = running.port
    running.restart()
    assert answer(port) == b"ready"
    assert running.log_file.read_text() == "started\nstopped cleanly\nstarted\n"


def test_a_paused_server_does_not_answer_until_it_is_resumed(running: PythonServer) -> None:
    running.pause()
    assert running.running
    with pytest.raises(TimeoutError):
        answer(running.port)
    running.resume()
    assert answer(running.port) == b"ready"


def test_a_server_is_launched_once(temporary: Path) -> None:
    launched = PythonServer()
    launched.launch()
    launched.launch()
    launched.wait_until_ready()
    assert launched.log_file.read_text() == "started\n"
    launched.stop()
    assert list(temporary.iterdir()) == []


def test_a_server_that_ends_is_reported_with_the_end_of_its_log(temporary: Path) -> None:
    ending = PythonServer(ENDS)
    with pytest.raises(EmbeddedError) as failed:
        ending.start()
    (log,) = temporary.glob("*/server.log")
    tail = "\n".join(f"line {number}." for number in range(30, 50))
    assert str(failed.value) == (
        f"Python server ended before it answered; its log is kept in {log} and ends with:\n{tail}"
    )
    assert not ending.running


def test_a_failed_server_can_be_started_in_another_folder(temporary: Path) -> None:
    failing = PythonServer(ENDS)
    with pytest.raises(EmbeddedError):
        failing.start()
    failing.program = LISTENS
    with failing:
        assert answer(failing.port) == b"ready"
        assert len(list(temporary.iterdir())) == 2
    assert [log.read_text().splitlines()[0] for log in temporary.glob("*/server.log")] == ["line 0."]


def test_a_server_that_does_not_answer_in_time_is_killed(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_READY_WITHIN", 1.0)
    silent = PythonServer(NEVER_LISTENS)
    with pytest.raises(EmbeddedError, match="Python server did not answer within 1 s; its log is kept in"):
        silent.start()
    assert not silent.running
    assert len(list(temporary.glob("*/server.log"))) == 1


def test_a_server_that_cannot_be_prepared_leaves_nothing(temporary: Path) -> None:
    with pytest.raises(EmbeddedError, match="cannot be prepared"):
        Unpreparable().start()
    assert list(temporary.iterdir()) == []


def test_the_folder_is_created_in_the_parent(temporary: Path) -> None:
    parent = temporary / "parent"
    parent.mkdir()
    with PythonServer(parent=parent) as started:
        assert started.log_file.parent.parent == parent
    assert list(parent.iterdir()) == []


def test_a_server_that_is_not_started_has_no_log_and_no_process() -> None:
    idle = PythonServer()
    for call in (idle.restart, lambda: idle.log_file):
        with pytest.raises(EmbeddedError, match="Python server is not started"):
            call()
    for call in (idle.pause, idle.resume, idle.wait_until_ready):
        with pytest.raises(EmbeddedError, match="Python server is not running"):
            call()
    idle.kill()
    idle.stop()
    assert not idle.running


@pytest.mark.valkey
def test_a_server_that_ended_can_be_started_again() -> None:
    with EmbeddedValkey() as valkey, Redis.from_url(valkey.url, retry=None) as client:
        client.shutdown(nosave=True)
        while valkey.running:
            pass
        valkey.start()
        assert client.ping()


@pytest.mark.valkey
def test_a_second_start_changes_nothing() -> None:
    with EmbeddedValkey() as valkey, Redis.from_url(valkey.url) as client:
        client.set("kept", "yes")
        assert valkey.start() is valkey
        assert client.get("kept") == b"yes"


@pytest.mark.kafka
def test_an_interrupted_start_removes_its_files_and_processes(tmp_path: Path) -> None:
    program = "from openclaw_stream.embedded import EmbeddedKafka\nEmbeddedKafka().start()"
    environment = {"TMPDIR": str(tmp_path), "HOME": str(Path.home()), "PATH": ""}
    with subprocess.Popen(
        [sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, env=environment
    ) as caller:
        while not any(tmp_path.glob("*/server.log")):
            time.sleep(0.01)
        caller.send_signal(signal.SIGINT)
        assert caller.stderr is not None
        assert "KeyboardInterrupt" in caller.stderr.read()
    assert list(tmp_path.iterdir()) == []


def test_free_ports_are_different_and_can_be_bound() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert all(15_000 <= port < 30_000 for port in ports)
    for port in ports:
        with socket.socket() as bound:
            bound.bind((HOST, port))


def test_a_port_in_use_is_not_free() -> None:
    state = random.getstate()
    try:
        random.seed(7)
        first = free_port()
        with socket.socket() as bound:
            bound.bind((HOST, first))
            random.seed(7)
            assert free_port() != first
    finally:
        random.setstate(state)
