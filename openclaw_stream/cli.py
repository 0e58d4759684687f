"""The command `openclaw-stream`; no logic, and each command imports what it needs only when it is called.

Exit codes: 0 success, 1 failure or difference, 2 invalid setting or usage, 143 ended by SIGTERM before it could drain.
"""

import asyncio
import signal
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from openclaw_stream import __version__
from openclaw_stream.errors import OpenClawError, SettingsError

if TYPE_CHECKING:
    from openclaw_stream.settings import Settings
    from openclaw_stream.stream.kafka.topics import TopicReport

_FAILED, _WRONG_SETTING, _SIGNALLED = 1, 2, 128
_ERROR_MAX = 10_000

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
topics = typer.Typer(
    no_args_is_help=True, help="Create the topics, or compare them with the recommended configuration."
)
schemas = typer.Typer(no_args_is_help=True, help="Write or verify the JSON Schemas of the events.")
app.add_typer(topics, name="topics")
app.add_typer(schemas, name="schemas")

ReplicationFactor = Annotated[
    int | None, typer.Option(min=1, help="Instead of the recommended one: 3, or the number of brokers if lower.")
]
Folder = Annotated[Path, typer.Argument(metavar="DIR", file_okay=False, help="The folder of the schemas.")]


def main() -> None:
    """Run the command line; errors of this package are printed in one line, without a traceback."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        app()
    except SettingsError as error:
        _print_error(str(error), style="red")
        raise SystemExit(_WRONG_SETTING) from None
    except OpenClawError as error:
        _print_error(str(error), style="red")
        raise SystemExit(_FAILED) from None


def _terminate(number: int, _frame: FrameType | None) -> None:
    """End as by default; but the first process of a container ignores a signal for which it has no handler."""
    raise SystemExit(_SIGNALLED + number)


def _show_version(requested: bool) -> None:  # noqa: FBT001 - called by typer
    if requested:
        typer.echo(f"openclaw-stream {__version__}")
        raise typer.Exit


@app.callback()
def openclaw_stream(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Fold alerts on Kafka into incidents and decide, exactly once, who is responsible and what to do."""


@app.command()
def run() -> None:
    """Run the worker until SIGTERM, which drains it."""
    settings = _settings(warn=False)
    from openclaw_stream.stream.worker import run as run_worker

    raise typer.Exit(asyncio.run(run_worker(settings)))


@app.command()
def demo(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE…", exists=True, dir_okay=False, help="Alerts to play instead of the storm."),
    ] = None,
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Keep running, and print how to send your own alerts.")] = False,
) -> None:
    """Play an alert storm on an embedded Kafka and show the decisions."""
    from openclaw_stream.demo import run_demo

    raise typer.Exit(run_demo(files or [], keep=keep))


@app.command()
def check(
    *,
    strict: Annotated[
        bool, typer.Option("--strict", help="Also exit with 1 if a configured optional dependency does not work.")
    ] = False,
) -> None:
    """Report the state of each dependency and what to do; exit with 1 if the worker could not run."""
    settings = _settings()
    _silence_libraries()
    from openclaw_stream.check import run_check

    raise typer.Exit(run_check(settings, strict=strict))


@topics.command("create")
def create_topics(
    partitions: Annotated[int | None, typer.Option(min=1, help="Partitions of each new topic; 8 by default.")] = None,
    replication_factor: ReplicationFactor = None,
) -> None:
    """Create the missing topics; existing ones are not changed."""
    settings = _settings()
    _silence_libraries()
    from openclaw_stream.stream.kafka.topics import create_topics as create

    report = asyncio.run(create(settings, partitions, replication_factor))
    for name in report.created:
        typer.echo(f"created {name}")
    _print_report(report)
    raise typer.Exit(_FAILED if report.fatal else 0)


@topics.command("check")
def check_topics(replication_factor: ReplicationFactor = None) -> None:
    """Report every difference from the recommended configuration; exit with 1 unless an option requested it."""
    settings = _settings()
    _silence_libraries()
    from openclaw_stream.stream.kafka.topics import check_topics as check

    report = asyncio.run(check(settings, replication_factor))
    _print_report(report)
    raise typer.Exit(_FAILED if report.unrequested else 0)


@schemas.command("write")
def write_schemas(folder: Folder = Path("schemas")) -> None:
    """Write the schemas, their examples and the AsyncAPI document."""
    from openclaw_stream.events.schemas import write

    for path in write(folder):
        typer.echo(path)


@schemas.command("verify")
def verify_schemas(folder: Folder = Path("schemas")) -> None:
    """Compare the files with the models; exit with 1 on a difference."""
    from openclaw_stream.events.schemas import verify

    differences = verify(folder)
    for difference in differences:
        _print_error(difference, style="red")
    raise typer.Exit(_FAILED if differences else 0)


def _settings(*, warn: bool = True) -> "Settings":
    from openclaw_stream.settings import load_settings, unknown_settings

    if warn:
        for warning in unknown_settings():
            _print_error(warning, style="yellow")
    return load_settings()


def _silence_libraries() -> None:
    """Keep the logs of libraries off the terminal: the printed error has the reason of a failure."""
    import logging

    import structlog

    logging.getLogger().addHandler(logging.NullHandler())
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _print_report(report: "TopicReport") -> None:
    for difference in report.differences:
        _print_error(str(difference), style="red" if difference.fatal else "yellow")
    if not report.unrequested:
        typer.echo("the topics are configured as recommended")


def _print_error(message: str, *, style: str) -> None:
    from rich.console import Console
    from rich.text import Text

    from openclaw_stream.text import Hidden, safe_text

    word = "error" if style == "red" else "warning"
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    for line in safe_text(message, _ERROR_MAX, hidden=Hidden.ESCAPE_KEEP_LINES).splitlines():
        console.print(Text(f"{word}: {line}", style=style))
