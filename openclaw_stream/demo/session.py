"""Runs one demo."""

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
from types import FrameType

from aiokafka.errors import KafkaError
from rich.console import Console
from rich.text import Text

from openclaw_stream import __version__
from openclaw_stream.demo.commands import print_commands
from openclaw_stream.demo.dashboard import MIN_HEIGHT, MIN_WIDTH, Dashboard
from openclaw_stream.demo.event_reader import EventReader
from openclaw_stream.demo.input_records import InputRecord, read_files
from openclaw_stream.demo.line_view import LineView
from openclaw_stream.demo.producer import produce
from openclaw_stream.demo.servers import DemoServers, start_servers
from openclaw_stream.demo.storm import storm
from openclaw_stream.demo.summary import print_summary
from openclaw_stream.demo.totals import DemoTotals
from openclaw_stream.demo.worker_process import WorkerProcess
from openclaw_stream.errors import FatalError
from openclaw_stream.stream.kafka.connection import unreachable_error

_IDLE_SECONDS = 20.0
"""Time without events after which the demo ends although incidents are open. Longer than the demo's longest timer; the
decision deadline is added where models are used."""

_LINE_WIDTH = 120
_INTERRUPTED = 130
_NO_RECORDS: Sequence[InputRecord] = ()


def run_demo(files: Sequence[Path], *, keep: bool = False) -> int:
    """Play the bundled storm, or alerts from files, for a worker, and show its decisions; return the exit code.

    With `keep` everything runs until Ctrl-C. Must be the only user of the process: it sets environment variables and
    signal handlers while it runs.

    Raises:
        OpenClawError: the demo failed, or an event was lost or duplicated.
    """
    logging.getLogger().addHandler(logging.NullHandler())  # otherwise warnings of the clients disturb the view
    console = _console()
    demo = Demo(console, keep=keep)
    try:
        with _termination_as_interrupt():
            demo.run(read_files(files) if files else _NO_RECORDS)
    except KeyboardInterrupt:
        console.print(Text("stopped"))
        return 0 if demo.summarized else _INTERRUPTED
    return 0


class Demo:
    """One run: records, events read and the view; `summarized` once the summary is printed."""

    def __init__(self, console: Console, *, keep: bool) -> None:
        self._console = console
        self._keep = keep
        self._totals = DemoTotals()
        self._start = time.monotonic()
        self._idle_limit = _IDLE_SECONDS
        self.summarized = False

    def run(self, records: Sequence[InputRecord]) -> None:
        """Start the servers and the worker, play the records (by default the storm), and stop everything.

        Raises:
            OpenClawError: the demo failed, or an event was lost or duplicated.
        """
        self._print_line(f"openclaw-stream {__version__} demo")
        with (
            start_servers(self._print_line) as servers,
            WorkerProcess(servers.settings.worker.shutdown_timeout) as worker,
        ):
            for line in servers.sources.lines:
                self._print_line(line)
            try:
                asyncio.run(self._play(servers, worker, records or storm(datetime.now(UTC))))
            except (KafkaError, OSError) as error:
                raise unreachable_error(servers.settings.kafka, error) from error
            self._print_line("stopping …")

    async def _play(self, servers: DemoServers, worker: WorkerProcess, records: Sequence[InputRecord]) -> None:
        if servers.sources.uses_models:
            self._idle_limit += servers.settings.chain.decision_deadline
        async with EventReader(servers.settings) as reader:
            producing = asyncio.create_task(produce(servers.settings, records))
            self._start = time.monotonic()
            try:
                with self._view(servers, worker) as view:
                    await self._show_until_done(reader, producing, view, worker)
            finally:
                producing.cancel()
                await asyncio.gather(producing, return_exceptions=True)
            await self._summarize(reader, worker)
            if self._keep:
                print_commands(self._console, servers.settings)
                with LineView(self._console) as view:
                    while True:
                        await self._show_new(reader, view, worker)

    async def _show_until_done(
        self, reader: EventReader, producing: "asyncio.Task[None]", view: LineView | Dashboard, worker: WorkerProcess
    ) -> None:
        """Show events until all is produced, committed and closed, or no event has come for a while."""
        last_event = time.monotonic()
        while True:
            new = await self._show_new(reader, view, worker)
            if new or not producing.done():
                last_event = time.monotonic()
                continue
            producing.result()
            if not self._totals.open_incidents and not await reader.uncommitted():
                return
            if time.monotonic() - last_event > self._idle_limit:
                return

    async def _show_new(self, reader: EventReader, view: LineView | Dashboard, worker: WorkerProcess) -> bool:
        worker.require_running()
        events = await reader.read()
        at = time.monotonic() - self._start
        for event in events:
            self._totals.add(event, at)
            view.show(event, at)
        view.refresh(self._totals, at)
        return bool(events)

    async def _summarize(self, reader: EventReader, worker: WorkerProcess) -> None:
        print_summary(self._console, self._totals, time.monotonic() - self._start)
        self._print_line(worker.keep_log())
        self.summarized = True
        if uncommitted := await reader.uncommitted():
            raise FatalError(
                f"{uncommitted} records are not committed after {self._idle_limit:.0f} s without events "
                f"(a longer timer, such as OPENCLAW_GROUP_WAIT?); {worker.keep_log_tail()}"
            )
        for fault in self._totals.faults():
            raise FatalError(f"exactly-once check failed: {fault}; {worker.keep_log_tail()}")

    def _view(self, servers: DemoServers, worker: WorkerProcess) -> LineView | Dashboard:
        headline = servers.description, f"worker log: {worker.log_file}"
        console = self._console
        large_enough = console.width >= MIN_WIDTH and console.height >= MIN_HEIGHT
        if console.is_terminal and not console.is_dumb_terminal and large_enough:
            return Dashboard(console, Text("\n".join(headline)))
        for line in headline:
            self._print_line(line)
        return LineView(console)

    def _print_line(self, line: str) -> None:
        self._console.print(Text(line), soft_wrap=True)


def _console() -> Console:
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without UTF-8 loses characters only
    return Console(highlight=False, width=None if sys.stdout.isatty() else _LINE_WIDTH)


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    signal.raise_signal(signal.SIGINT)


@contextmanager
def _termination_as_interrupt() -> Iterator[None]:
    """Handle SIGTERM and SIGHUP (a closed terminal) as Ctrl-C."""
    handlers = {
        signal.SIGINT: signal.default_int_handler,  # a shell ignores it for its background jobs
        signal.SIGTERM: _interrupt,
        signal.SIGHUP: _interrupt,
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
