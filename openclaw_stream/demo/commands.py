"""Shell commands for another terminal while a demo started with `--keep` is running."""

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


def print_commands(console: Console, settings: Settings) -> None:
    """Print the commands; each is one line that includes the address of this demo's Kafka."""
    for heading, command in demo_commands(settings):
        console.print(Text(f"\n{heading}:", "bold"))
        console.print(Text(f"  {command}", "green"), soft_wrap=True)
    silence = f"{settings.incidents.max_silence:g} s"
    note = f"Alerts and decisions are shown here. An incident without further alerts ends after {silence}."
    console.print(Text(f"\n{note}"), Text("Ctrl-C ends the demo.\n", "bold"), soft_wrap=True)


def demo_commands(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield a heading and a command."""
    variables = {settings.kafka.variable("bootstrap_servers"): settings.kafka.bootstrap_servers}
    default = TopicSettings.model_fields
    variables |= {settings.topics.variable(f): name for f, name in settings.topics if name != default[f].default}
    prefix = " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
    program = f"{prefix} {shlex.quote(sys.executable)} -m openclaw_stream.demo"
    yield "Send your own alert", f"{program} send {shlex.quote(_EXAMPLE)}"
    yield "Send a file of alerts", f"{program} send < alerts.jsonl"
    yield "Read the decisions as a consumer", f"{program} read"
