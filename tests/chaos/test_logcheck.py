"""What the workers' logs may contain."""

import json
from pathlib import Path

import pytest

from tests.chaos.logcheck import LINES_PER_SECOND, Logs, read_logs
from tests.chaos.silences import Injection

OWN, OTHER = "openclaw_stream.stream.worker", "aiokafka.consumer"


def line(event: str, level: str = "info", logger: str = OWN, second: int = 1, **more: object) -> str:
    stamp = f"2026-11-28T22:00:{second:02}.{250000:06}Z"
    return json.dumps({"event": event, "level": level, "logger": logger, "timestamp": stamp, **more}) + "\n"


def logged(folder: Path, *lines: str, worker: int = 1) -> Logs:
    (folder / f"worker-{worker:03}.log").write_text("".join(lines))
    return read_logs(folder)


def test_correct_logs_have_no_problems(tmp_path: Path) -> None:
    other = line("Heartbeat failed", "warning", OTHER)
    logs = logged(tmp_path, line("started"), line("waiting", "warning", reason="why"), other, '{"event": "cut')
    assert list(logs.problems()) == []
    assert (logs.workers, logs.lines, logs.busiest) == (1, 3, 3)


def test_the_busiest_second_is_of_one_worker(tmp_path: Path) -> None:
    lines = [line("x", second=1)] * LINES_PER_SECOND
    assert list(logged(tmp_path, *lines, line("y", second=2)).problems()) == []
    assert logged(tmp_path, *lines, worker=2).busiest == LINES_PER_SECOND
    assert list(logged(tmp_path, *lines, lines[0]).problems()) == ["a worker logged 21 lines in a second, more than 20"]


def test_lines_of_single_incidents_do_not_count_as_busy(tmp_path: Path) -> None:
    lines = [line("decision published", logger="openclaw_stream.stream.publication_log")] * 200
    logs = logged(tmp_path, line("started"), *lines)
    assert (logs.lines, logs.busiest, list(logs.problems())) == (201, 1, [])


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (line("failed", "error", exception="Traceback ... KeyError: 'x'"), "a traceback: failed: Traceback"),
        (line("failed", "error", OTHER, exception="Traceback"), "a traceback"),
        (line("something", "warning"), "without context: something"),
        (line("something", "warning", suppressed=3), "without context"),
        ("Traceback (most recent call last):\n", "not an event: Traceback"),
        ("[1]\n", "not an event: [1]"),
    ],
)
def test_a_log_line_that_is_not_allowed_is_a_problem(tmp_path: Path, bad: str, problem: str) -> None:
    [found] = logged(tmp_path, line("started"), bad).problems()
    assert problem in found


def test_assignments_without_a_fault_that_moves_partitions_are_false(tmp_path: Path) -> None:
    logs = logged(tmp_path, *(line("partitions assigned", second=second) for second in (1, 11, 20, 50)))
    began = logs.assignments[0]
    injections = [Injection("worker killed", began + 15, began + 16), Injection("node killed", began + 40, began + 60)]
    assert "assignments 4, of them 2 without a fault" in next(iter(logs.report(injections, [])))
    assert "assignments 4, of them 1 without a fault" in next(iter(logs.report(injections, ["worker killed"])))
    assert "assignments 4, of them 0 without a fault" in next(
        iter(logs.report(injections, [s.name for s in injections]))
    )


def test_the_most_frequent_warnings_are_reported(tmp_path: Path) -> None:
    often = [line("waiting: for a broker", "warning", reason="r")] * 3
    *_, report = logged(tmp_path, *often, line("rare", "error", reason="r")).report([], [])
    assert report == "most frequent warnings: waiting x3, rare x1"
