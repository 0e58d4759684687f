"""deploy/compose.yaml: valid for the compose client; its Kafka settings, topics job and worker run."""

import importlib.util
import json
import os
import subprocess
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from openclaw_stream.embedded import EmbeddedKafka
from openclaw_stream.embedded.runtime import KafkaRuntime
from openclaw_stream.embedded.server import free_port
from openclaw_stream.settings import TopicSettings, WorkerSettings
from tests.conftest import PROJECT
from tests.embedded.containers import KAFKA_IMAGE, VALKEY_IMAGE, ValkeyServer
from tests.stream.pipeline import Pipeline, Probes, alert, check_exactly_once

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(300)]  # the first test that needs the image builds it

FILES = ("--file=deploy/compose.yaml",)
_CLUSTER = "b3BlbmNsYXctc3RyZWFtcw"
_ADDRESSES = ("listener", "advertised", "controller", "log.dirs", "node.id", "process.roles", "inter.broker")


class ComposeProject:
    """The services of the file, or of the file with overrides, under a project name of their own."""

    def __init__(self, client: list[str], *files: str, **variables: str) -> None:
        self._command = [*client, f"--project-name=t{uuid.uuid4().hex[:8]}", *files]
        self.variables = variables

    def run(self, *arguments: str) -> str:
        """Return what the client prints."""
        command = [*self._command, *arguments]
        done = subprocess.run(
            command,
            cwd=PROJECT,
            env={**os.environ, **self.variables},
            check=False,
            capture_output=True,
            text=True,
            timeout=90,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def client() -> list[str]:
    """The compose client: docker's plugin, or the program that .ci/install-deploy-tools installs."""
    plugin = ["docker", "compose"]
    try:
        if not subprocess.run([*plugin, "version"], check=False, capture_output=True, timeout=60).returncode:
            return plugin
    except FileNotFoundError:
        pass
    # Not its command `docker-compose`, which hides the exit code.
    package = importlib.util.find_spec("compose")
    if package is None or package.origin is None:
        pytest.skip("no compose client; run .ci/install-deploy-tools")
    return [str(Path(package.origin).with_name("docker-compose"))]


@pytest.fixture(scope="session")
def services(client: list[str]) -> dict[str, dict[str, Any]]:
    """All services, as the client understands the file."""
    configuration = json.loads(ComposeProject(client, *FILES).run("--profile=*", "config", "--format=json"))
    found: dict[str, dict[str, Any]] = configuration["services"]
    return found


def test_every_image_is_pinned(services: Mapping[str, Mapping[str, Any]]) -> None:
    for name, service in services.items():
        _, _, tag = service["image"].partition(":")
        assert any(map(str.isdigit, tag)), name
    assert services["kafka"]["image"] == KAFKA_IMAGE
    assert services["valkey"]["image"] == VALKEY_IMAGE


def test_ports_are_published_on_loopback_alone(services: Mapping[str, Mapping[str, Any]]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", ())]
    assert ports
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}


def test_only_jobs_have_no_health_check(services: Mapping[str, Mapping[str, Any]]) -> None:
    own_image = {"worker"}
    checked = {name for name, each in services.items() if each.get("healthcheck", {}).get("test")}
    assert set(services) - checked - own_image == {"topics", "models", "kafka-ui"}


def test_mounted_files_exist(services: Mapping[str, Mapping[str, Any]]) -> None:
    mounts = [mount for service in services.values() for mount in service.get("volumes", ())]
    files = [mount["source"] for mount in mounts if mount["type"] == "bind"]
    assert files
    assert not [path for path in files if not Path(path).exists()]


def test_a_stop_waits_for_the_drain(services: Mapping[str, Mapping[str, Any]]) -> None:
    assert float(services["worker"]["stop_grace_period"].removesuffix("s")) > WorkerSettings().shutdown_timeout


@pytest.fixture
def kafka_properties(services: Mapping[str, Mapping[str, Any]], tmp_path: Path) -> dict[str, str]:
    """What the program that starts Kafka in its image makes of the settings of the file; it checks them, too."""
    folders = {option: tmp_path / name for option, name in {"-D": "default", "-M": "mounted", "-F": "final"}.items()}
    for folder in folders.values():
        folder.mkdir()
    for name in ("server.properties", "log4j2.yaml", "tools-log4j2.yaml"):
        (folders["-D"] / name).touch()
    runtime = KafkaRuntime.install(print)
    class_path = os.pathsep.join(map(str, runtime.jars))
    options = [text for option, folder in folders.items() for text in (option, str(folder))]
    command = [str(runtime.java), "-cp", class_path, "kafka.docker.KafkaDockerWrapper", "setup", *options]
    environment = services["kafka"]["environment"] | {"KAFKA_LOG_DIRS": str(tmp_path / "data"), "CLUSTER_ID": _CLUSTER}
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    lines = (folders["-F"] / "server.properties").read_text().split()
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


@pytest.fixture
def broker(kafka_properties: Mapping[str, str], own_kafka: Callable[..., EmbeddedKafka]) -> EmbeddedKafka:
    """A broker with the settings of the file, except for addresses and folders."""
    return own_kafka({name: each for name, each in kafka_properties.items() if not name.startswith(_ADDRESSES)})


@pytest.fixture
def project(client: list[str], image: str, broker: EmbeddedKafka, valkey: ValkeyServer) -> Iterator[ComposeProject]:
    del image
    project = ComposeProject(
        client,
        *FILES,
        "--file=tests/deploy/compose.host.yaml",
        TEST_BOOTSTRAP=broker.bootstrap_servers,
        TEST_REDIS_URL=valkey.url,
        TEST_HTTP_ADDR=f"127.0.0.1:{free_port()}",
    )
    yield project
    project.run("down", "--timeout=1")


@pytest.mark.kafka
def test_the_worker_starts_after_the_topics_and_decides(
    project: ComposeProject, broker: EmbeddedKafka, tmp_path: Path
) -> None:
    project.run("up", "--detach", "worker")
    assert "created openclaw.alerts.v1" in project.run("logs", "topics")
    pipeline = Pipeline(broker.bootstrap_servers, tmp_path, partitions=8)
    pipeline.topics = TopicSettings().model_dump()
    Probes(project.variables["TEST_HTTP_ADDR"]).await_ready()
    pipeline.produce((number, alert(f"s{number}")) for number in range(8))
    pipeline.await_decided(*(f"s{number}" for number in range(8)))
    project.run("stop", "worker")
    [worker] = [json.loads(line) for line in project.run("ps", "--all", "--format=json", "worker").splitlines()]
    assert worker["ExitCode"] == 0, project.run("logs", "worker")
    assert '"drained": true' in project.run("logs", "worker")
    check_exactly_once(pipeline.decisions())
    pipeline.close()
