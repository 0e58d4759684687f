import io
import shlex

import orjson
from rich.console import Console

from openclaw_stream.alerts.decoding.decode import decode
from openclaw_stream.alerts.reader import AlertReader
from openclaw_stream.demo.commands import demo_commands, print_commands
from openclaw_stream.settings import KafkaSettings, Settings, TopicSettings

SETTINGS = Settings(kafka=KafkaSettings(bootstrap_servers="127.0.0.1:19092"), topics=TopicSettings(alerts="own.alerts"))


def test_commands_contain_the_servers_and_the_topics_that_are_not_defaults() -> None:
    for _, command in demo_commands(SETTINGS):
        words = shlex.split(command)
        assert words[:2] == ["KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:19092", "OPENCLAW_TOPIC_ALERTS=own.alerts"]
        assert words[3:5] == ["-m", "openclaw_stream.demo"]


def test_the_example_alert_can_be_decoded() -> None:
    send = next(command for _, command in demo_commands(SETTINGS))
    [alert] = decode(shlex.split(send)[-1].encode(), 0, AlertReader()).alerts
    assert (alert.namespace, alert.service, alert.firing) == ("shop", "orders-postgres", True)
    assert orjson.loads(shlex.split(send)[-1])["severity"] == "critical"


def test_each_command_is_printed_on_one_line() -> None:
    console = Console(file=io.StringIO(), width=40, color_system=None)
    print_commands(console, SETTINGS)
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert [line.strip() for line in lines if line.startswith("  KAFKA_")] == [c for _, c in demo_commands(SETTINGS)]
    assert "An incident without further alerts ends after 18000 s." in " ".join(lines)
