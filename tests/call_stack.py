"""Print the call stacks of the two main paths: `python -m tests.call_stack`. Exits with 1 where one has too many calls.

1. From `stream.worker.run` to the function that folds one alert: a worker in this process reads one alert from an
   embedded Kafka.
2. From `Arbiter.decide` to the HTTP request: the arbiter asks an OpenAI-compatible server on loopback.

Only frames of the package are shown and counted, the first and the last included. A stack ends where its task begins;
it is continued with the stack that created the task.
"""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import weakref
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import httpx

import openclaw_stream
from openclaw_stream.arbitration.arbiter import Arbiter
from openclaw_stream.embedded import EmbeddedKafka
from openclaw_stream.incidents.fold import Fold
from openclaw_stream.settings import HttpSettings, LogSettings
from openclaw_stream.stream import worker
from tests.arbitration.arbiters import arbiter
from tests.arbitration.llm.model_server import CASE
from tests.stream.pipeline import Pipeline, alert

CALLS_MAX = 8

_PACKAGE = str(Path(openclaw_stream.__file__).parent)


class StackRecorder:
    """Records the stack of the first call of a function, across the tasks of an event loop.

    Args:
        target: The function's code.
        on_call: Called once, when the function is called.
        folder: The path that the files of the recorded frames begin with.
    """

    def __init__(self, target: CodeType, on_call: Callable[[], None], folder: str = _PACKAGE) -> None:
        self.stack: list[str] = []
        self._target = target
        self._on_call = on_call
        self._folder = folder
        self._creation = weakref.WeakKeyDictionary[asyncio.Task[Any], list[str]]()

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record calls in the running event loop."""
        loop = asyncio.get_running_loop()
        loop.set_task_factory(self._create_task)
        sys.setprofile(self._profile)
        try:
            yield
        finally:
            sys.setprofile(None)
            loop.set_task_factory(None)

    def _create_task(
        self,
        loop: asyncio.AbstractEventLoop,
        coroutine: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
        **options: Any,
    ) -> asyncio.Task[Any]:
        task = asyncio.Task(coroutine, loop=loop, **options)
        self._creation[task] = self._frames(sys._getframe(1))  # noqa: SLF001 - the documented way to get a frame
        return task

    def _profile(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code is self._target and not self.stack:
            self.stack = self._frames(frame)
            self._on_call()

    def _frames(self, frame: FrameType | None) -> list[str]:
        """Return the package's frames from the outermost to this one, with those that created the current task."""
        frames: list[str] = []
        while frame:
            if frame.f_code.co_filename.startswith(self._folder):
                frames.append(f"{frame.f_globals['__name__']}.{frame.f_code.co_qualname}")
            frame = frame.f_back
        frames.reverse()
        with contextlib.suppress(RuntimeError):  # no task runs in a callback of the loop
            task = asyncio.current_task()
            return [*self._creation.get(task, []), *frames] if task else frames
        return frames


async def fold_stack(pipeline: Pipeline) -> list[str]:
    """Return the stack from the worker's `run` to the fold of one alert; the worker drains and ends."""
    settings = pipeline.settings.model_copy(update={"http": HttpSettings(addr=""), "log": LogSettings(level="error")})
    recorder = StackRecorder(Fold.join.__code__, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with recorder.recording():
        await worker.run(settings)
    return recorder.stack


async def request_stack() -> list[str]:
    """Return the stack from the arbiter to the request to a model."""
    recorder = StackRecorder(httpx.AsyncClient.send.__code__, lambda: None)
    async with arbiter() as opened:
        with recorder.recording():
            await opened.arbiter.decide(CASE)
    return recorder.stack


def report(title: str, start: Callable[..., object], stack: list[str]) -> bool:
    """Print a stack; returns whether it starts where it should, and is short enough."""
    lines = [f"{number:4}  {name}" for number, name in enumerate(stack, 1)]
    print(f"{title}: {len(stack)} calls (limit {CALLS_MAX})", *lines, "", sep="\n")  # noqa: T201 - its purpose
    return stack[:1] == [f"{start.__module__}.{start.__qualname__}"] and len(stack) <= CALLS_MAX


def main() -> int:
    """Run both paths and print their stacks."""
    with EmbeddedKafka() as kafka, tempfile.TemporaryDirectory() as folder:
        pipeline = Pipeline(kafka.bootstrap_servers, Path(folder), 1).create()
        try:
            pipeline.produce([(0, alert("checkout"))])
            fold = asyncio.run(fold_stack(pipeline))
        finally:
            pipeline.close()
    request = asyncio.run(request_stack())
    reports = [
        report("From the worker to the fold of one alert", worker.run, fold),
        report("From the arbiter to the HTTP request", Arbiter.decide, request),
    ]
    return 0 if all(reports) else 1


if __name__ == "__main__":
    sys.exit(main())
