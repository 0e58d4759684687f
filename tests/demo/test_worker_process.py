import pytest

from openclaw_stream.demo.worker_process import WorkerProcess
from openclaw_stream.errors import FatalError


@pytest.fixture(autouse=True)
def no_kafka(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setenv("OPENCLAW_HTTP_ADDR", "")


def await_log(worker: WorkerProcess, text: str) -> None:
    while text not in worker.log_file.read_text():
        worker.require_running()


def await_end(worker: WorkerProcess) -> None:
    while True:
        worker.require_running()


def test_the_error_of_a_worker_that_ended_has_the_end_of_its_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCLAW_GROUP_WAIT", "soon")
    with WorkerProcess(1) as worker, pytest.raises(FatalError, match="OPENCLAW_GROUP_WAIT='soon'") as caught:
        await_end(worker)
    assert str(worker.log_file) in str(caught.value)
    assert "OPENCLAW_GROUP_WAIT" in worker.log_file.read_text()
    worker.log_file.unlink()


def test_the_worker_runs_until_the_block_ends() -> None:
    with WorkerProcess(5) as worker:
        await_log(worker, "cannot join the group")
    with pytest.raises(FatalError, match="not running"):
        worker.require_running()


def test_the_log_is_deleted_unless_it_is_kept() -> None:
    with WorkerProcess(5) as worker:
        assert worker.log_file.exists()
    assert not worker.log_file.exists()
    with WorkerProcess(5) as worker:
        assert worker.keep_log() == f"worker log: {worker.log_file}"
    assert worker.log_file.exists()
    worker.log_file.unlink()
