"""The call stacks of the main paths, printed by `python -m tests.call_stack`, and the recorder itself."""

import asyncio
import re
import subprocess
import sys

import pytest

from tests import call_stack
from tests.call_stack import CALLS_MAX, StackRecorder


@pytest.mark.kafka
def test_the_main_paths_are_short() -> None:
    done = subprocess.run([sys.executable, "-m", "tests.call_stack"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for start, end in (("stream.worker.run", "incidents.fold.Fold.join"), ("arbiter.Arbiter.decide", "send")):
        assert re.search(rf"^   1  \S+{start}\n(?:   [2-8]  \S+\n)*   [2-8]  \S+{end}\n\n", done.stdout, re.MULTILINE)


async def target() -> None: ...


async def through_a_task() -> None:
    await asyncio.gather(target())


async def test_a_stack_goes_on_across_tasks() -> None:
    recorder = StackRecorder(target.__code__, lambda: None, __file__)
    with recorder.recording():
        await asyncio.create_task(through_a_task())
    names = [name.rpartition(".")[2] for name in recorder.stack]
    assert names == ["test_a_stack_goes_on_across_tasks", "through_a_task", "target"]


def test_a_long_stack_and_a_wrong_start_fail(capsys: pytest.CaptureFixture[str]) -> None:
    start = f"{through_a_task.__module__}.through_a_task"
    assert call_stack.report("short", through_a_task, [start] * CALLS_MAX)
    assert not call_stack.report("long", through_a_task, [start] * (CALLS_MAX + 1))
    assert not call_stack.report("elsewhere", through_a_task, ["other"])
    assert not call_stack.report("nothing", through_a_task, [])
    assert "long: 9 calls (limit 8)" in capsys.readouterr().out
