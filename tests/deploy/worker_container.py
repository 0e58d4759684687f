"""The image of deploy/Dockerfile, and workers that run from it on the host's network, beside Kafka and Valkey."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from testcontainers.core.container import DockerContainer

from openclaw_stream.embedded.server import free_port
from tests.conftest import PROJECT
from tests.stream.pipeline import Pipeline, Probes

IMAGE = "openclaw-stream:test"
PORT = 8080
RESTRICTED = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges"]}
"""No writable file system and no capabilities, as in deploy/compose.yaml and on Kubernetes."""
_ENGINE_SECONDS = 60


def docker(*arguments: str) -> str:
    """Run the engine's client in the project's folder and return what it prints."""
    command = ["docker", *arguments]
    done = subprocess.run(command, cwd=PROJECT, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def build_image() -> str:
    """Build the image and return its name; where a proxy signs connections, with the authorities of this machine."""
    authorities = os.environ.get("SSL_CERT_FILE")
    secret = ["--secret", f"id=cabundle,src={authorities}"] if authorities else []
    docker("build", "--quiet", "--network=host", *secret, "--file=deploy/Dockerfile", f"--tag={IMAGE}", ".")
    return IMAGE


class WorkerContainer(Probes):
    """A container of the image, which a pipeline handles like a process.

    Args:
        environment: The settings.
        command: Instead of `run`.
        files: Files of this machine, by their path in the container, which may only read them.
        host_network: Whether it shares this machine's network; else it has one of its own, with its port published.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        command: Sequence[str] = (),
        files: Mapping[str, Path] | None = None,
        *,
        host_network: bool = True,
    ) -> None:
        network = {"network_mode": "host"} if host_network else {}
        self._container = DockerContainer(IMAGE).with_envs(**environment).with_kwargs(**RESTRICTED, **network)
        if command:
            self._container.with_command([*command])
        for inside, path in (files or {}).items():
            self._container.with_volume_mapping(path, inside)
        if not host_network:
            self._container.with_exposed_ports(PORT)
        self._container.start()
        published = "" if host_network else f"127.0.0.1:{self._container.get_exposed_port(PORT)}"
        super().__init__(published or environment["OPENCLAW_HTTP_ADDR"])

    @property
    def attributes(self) -> dict[str, Any]:
        """What the engine reports of it now."""
        wrapped = self._container.get_wrapped_container()
        wrapped.reload()
        attributes: dict[str, Any] = wrapped.attrs
        return attributes

    @property
    def health(self) -> str:
        """The result of the image's health check: `starting`, `healthy` or `unhealthy`."""
        return str(self.attributes["State"]["Health"]["Status"])

    def changed_files(self) -> list[str]:
        """Return the paths that differ from the image."""
        return [change["Path"] for change in self._container.get_wrapped_container().diff() or ()]

    def logs(self) -> str:
        return bytes(self._container.get_wrapped_container().logs()).decode()

    def poll(self) -> int | None:
        state = self.attributes["State"]
        return None if state["Running"] else int(state["ExitCode"])

    def wait(self, timeout: float | None = None) -> int:
        done = self._container.get_wrapped_container().wait(timeout=timeout or _ENGINE_SECONDS)
        return int(done["StatusCode"])

    def send_signal(self, sig: int) -> None:
        self._container.get_wrapped_container().kill(sig)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def remove(self) -> None:
        self._container.stop()


class ContainerPipeline(Pipeline):
    """A pipeline whose workers run in containers."""

    def __init__(self, bootstrap: str, folder: Path, partitions: int = 2, **environment: str) -> None:
        super().__init__(bootstrap, folder, partitions, **environment)
        self._containers: list[WorkerContainer] = []

    def start_container(
        self, *command: str, files: Mapping[str, Path] | None = None, **environment: str
    ) -> WorkerContainer:
        """Start a worker, or another command instead; without a setting of its own it listens on a free port."""
        address = {"OPENCLAW_HTTP_ADDR": f"127.0.0.1:{free_port()}"}
        container = WorkerContainer(self.variables(**address | environment), command, files)
        self._containers.append(container)
        self._workers.append(container)
        return container

    def logs(self) -> str:
        return "\n".join(container.logs() for container in self._containers)

    def close(self) -> None:
        super().close()
        for container in self._containers:
            container.remove()
