"""What to paste into another terminal while a demo stays up."""

import shlex
import sys
from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from openclaw_stream.settings import Settings, TopicSettings

_EXAMPLE = (
    '{"alert_type": "PostgresReplicationLag", "severity": "critical", "namespace": "shop", '
    '"service": "orders-postgres", "message": "replica is 900 s behind"}'
)


def print_hints(console: Console, settings: Settings) -> None:
    """Print the commands; each is one line, complete with where this demo's Kafka is."""
    for heading, command in commands(settings):
        console.print(Text(f"\n{heading}:", "bold"))
        console.print(Text(f"  {command}", "green"), soft_wrap=True)
    silence = f"{settings.incidents.max_silence:g} s"
    told = f"It is shown here what comes in and what is decided; an alert that is not repeated is over after {silence}."
    console.print(Text(f"\n{told}"), Text("Ctrl-C ends the demo.\n", "bold"), soft_wrap=True)


def commands(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield what a command does, and the command."""
    where = {settings.kafka.variable("bootstrap_servers"): settings.kafka.bootstrap_servers}
    default = TopicSettings.model_fields
    where |= {settings.topics.variable(f): name for f, name in settings.topics if name != default[f].default}
    prefix = " ".join(f"{name}={shlex.quote(value)}" for name, value in where.items())
    program = f"{prefix} {shlex.quote(sys.executable)} -m openclaw_stream.demo"
    yield "Send an alert of your own", f"{program} send {shlex.quote(_EXAMPLE)}"
    yield "Send a file of alerts", f"{program} send < alerts.jsonl"
    yield "Read the decisions, as any consumer would", f"{program} read"
