"""A real Prometheus on loopback, as Debian ships it, and what the metrics are called that it scrapes."""

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from openclaw_stream.embedded.server import free_port
from openclaw_stream.telemetry.metrics import Metrics
from tests.stream.pipeline import until

PROMETHEUS_FOLDER = Path(__file__).parents[2] / "deploy" / "prometheus"


def program(name: str) -> str:
    """Return the path of a program; skips the test where it is not installed."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed; on Debian run: .ci/install-deploy-tools")
    return path


def exported_names() -> set[str]:
    """Return the names of all series that a worker exports about itself."""
    names = set()
    for definition in Metrics().definitions:
        histogram = definition.kind == "histogram"
        names |= {definition.name + end for end in (("_bucket", "_sum", "_count") if histogram else ("",))}
    return names


class Prometheus:
    """A server with one job, `openclaw-stream`, that scrapes every second, and the rules of a file.

    Its data are in `folder`.
    """

    def __init__(self, folder: Path, rules: Path, target: str) -> None:
        self._folder = folder
        self._address = f"127.0.0.1:{free_port()}"
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(rules)],
            "scrape_configs": [{"job_name": "openclaw-stream", "static_configs": [{"targets": [target]}]}],
        }
        (folder / "prometheus.json").write_text(json.dumps(config))

    def __enter__(self) -> Self:
        command = [
            program("prometheus"),
            f"--config.file={self._folder / 'prometheus.json'}",
            f"--storage.tsdb.path={self._folder / 'tsdb'}",
            f"--web.listen-address={self._address}",
        ]
        with (self._folder / "prometheus.log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        until(self._is_ready, lambda: f"Prometheus\n{(self._folder / 'prometheus.log').read_text()[-2000:]}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(20)

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the result of an instant query: series with their labels and a value."""
        return self._get("query", query=expression)

    def query_range(self, expression: str, seconds: float, step: float = 1) -> list[dict[str, Any]]:
        """Return the series of the last seconds."""
        now = time.time()
        return self._get("query_range", query=expression, start=now - seconds, end=now, step=step)

    def _get(self, path: str, **arguments: object) -> list[dict[str, Any]]:
        url = f"http://{self._address}/api/v1/{path}?{urllib.parse.urlencode(arguments)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as response:
                document: dict[str, Any] = json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                raise ValueError(f"{arguments}: {error.read().decode()}") from error
        result: list[dict[str, Any]] = document["data"]["result"]
        return result

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self._address}/-/ready", timeout=2):
                return True
        except OSError:
            return False
