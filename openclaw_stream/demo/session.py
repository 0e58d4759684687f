"""One demo from beginning to end."""

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path

from aiokafka.errors import KafkaError
from rich.console import Console
from rich.text import Text

from openclaw_stream import __version__
from openclaw_stream.demo.dashboard import LEAST_HEIGHT, LEAST_WIDTH, Dashboard
from openclaw_stream.demo.feed import Feed
from openclaw_stream.demo.hints import print_hints
from openclaw_stream.demo.lines import Lines
from openclaw_stream.demo.player import play
from openclaw_stream.demo.records import Record, read_files
from openclaw_stream.demo.stage import Stage, stage
from openclaw_stream.demo.storm import storm
from openclaw_stream.demo.summary import print_summary
from openclaw_stream.demo.tally import Tally
from openclaw_stream.demo.worker_process import WorkerProcess
from openclaw_stream.errors import FatalError
from openclaw_stream.stream.kafka.connection import unreachable_error

_QUIET_SECONDS = 20.0
"""Nothing seen for so long after the last record: what is open now stays open. Above the demo's longest timer; a model
may take the time that it has for a decision on top."""

_LINE_WIDTH = 120
_INTERRUPTED = 130
_NO_RECORDS: Sequence[Record] = ()


def run_demo(files: Sequence[Path], *, keep: bool = False) -> int:
    """Play the bundled storm, or alerts from files, against a worker, and show what it decides; returns the exit code.

    With `keep` everything stays up until Ctrl-C. Owns the process: it sets environment variables and signal handlers
    while it runs.

    Raises:
        OpenClawError: something did not work as it must; the message says what.
    """
    logging.getLogger().addHandler(logging.NullHandler())  # else the clients' warnings tear the view
    console = _console()
    demo = Demo(console, keep=keep)
    try:
        with _ended_alike():
            demo.run(read_files(files) if files else _NO_RECORDS)
    except KeyboardInterrupt:
        console.print(Text("stopped"))
        return 0 if demo.told else _INTERRUPTED
    return 0


class Demo:
    """What is played, seen and told; `told` once the summary is out."""

    def __init__(self, console: Console, *, keep: bool) -> None:
        self._console = console
        self._keep = keep
        self._tally = Tally()
        self._start = time.monotonic()
        self._quiet = _QUIET_SECONDS
        self.told = False

    def run(self, records: Sequence[Record]) -> None:
        """Start everything, play the records (the storm if there are none) to their end, and stop everything.

        Raises:
            OpenClawError: something did not work as it must.
        """
        self._say(f"openclaw-stream {__version__} demo")
        with stage(self._say) as place, WorkerProcess(place.settings.worker.shutdown_timeout) as worker:
            for line in place.means.lines:
                self._say(line)
            try:
                asyncio.run(self._perform(place, worker, records or storm(datetime.now(UTC))))
            except (KafkaError, OSError) as error:
                raise unreachable_error(place.settings.kafka, error) from error
            self._say("stopping …")

    async def _perform(self, place: Stage, worker: WorkerProcess, records: Sequence[Record]) -> None:
        if place.means.asks_models:
            self._quiet += place.settings.chain.decision_deadline
        async with Feed(place.settings) as feed:
            player = asyncio.create_task(play(place.settings, records))
            self._start = time.monotonic()
            try:
                with self._view(place, worker) as view:
                    await self._watch(feed, player, view, worker)
            finally:
                player.cancel()
                await asyncio.gather(player, return_exceptions=True)
            await self._tell(feed, worker)
            if self._keep:
                print_hints(self._console, place.settings)
                with Lines(self._console) as view:
                    while True:
                        await self._look(feed, view, worker)

    async def _watch(
        self, feed: Feed, player: "asyncio.Task[None]", view: Lines | Dashboard, worker: WorkerProcess
    ) -> None:
        """Show what is seen until all is played, settled and over, or nothing happens any more."""
        heard = time.monotonic()
        while True:
            seen = await self._look(feed, view, worker)
            if seen or not player.done():
                heard = time.monotonic()
                continue
            player.result()
            if not self._tally.open_incidents and not await feed.unsettled():
                return
            if time.monotonic() - heard > self._quiet:
                return

    async def _look(self, feed: Feed, view: Lines | Dashboard, worker: WorkerProcess) -> bool:
        worker.require_running()
        notes = await feed.read()
        at = time.monotonic() - self._start
        for note in notes:
            self._tally.add(note, at)
            view.show(note, at)
        view.refresh(self._tally, at)
        return bool(notes)

    async def _tell(self, feed: Feed, worker: WorkerProcess) -> None:
        print_summary(self._console, self._tally, time.monotonic() - self._start)
        self._say(worker.tell_log())
        self.told = True
        if unsettled := await feed.unsettled():
            raise FatalError(
                f"{unsettled} records are not settled after {self._quiet:.0f} s of silence (a long timer of yours, "
                f"such as OPENCLAW_GROUP_WAIT, may be why); {worker.log_ending()}"
            )
        for fault in self._tally.faults():
            raise FatalError(f"not exactly once: {fault}; {worker.log_ending()}")

    def _view(self, place: Stage, worker: WorkerProcess) -> Lines | Dashboard:
        headline = place.servers, f"the worker logs to {worker.log_file}"
        console = self._console
        roomy = console.width >= LEAST_WIDTH and console.height >= LEAST_HEIGHT
        if console.is_terminal and not console.is_dumb_terminal and roomy:
            return Dashboard(console, Text("\n".join(headline)))
        for line in headline:
            self._say(line)
        return Lines(console)

    def _say(self, line: str) -> None:
        self._console.print(Text(line), soft_wrap=True)


def _console() -> Console:
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that is not UTF-8 loses signs, not the demo
    return Console(highlight=False, width=None if sys.stdout.isatty() else _LINE_WIDTH)


@contextmanager
def _ended_alike() -> Iterator[None]:
    """Let a termination or a closed terminal end the demo as Ctrl-C does."""
    ends = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT)) for number in ends]
    try:
        yield
    finally:
        for number, handler in zip(ends, before, strict=True):
            signal.signal(number, handler or signal.SIG_DFL)
