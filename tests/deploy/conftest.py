"""The image, built once, and pipelines whose workers run from it."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.worker_container import ContainerPipeline, build_image

NewContainerPipeline = Callable[..., ContainerPipeline]


@pytest.fixture(scope="session")
def engine() -> None:
    """Skip where no container engine answers."""
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "info"], check=False, capture_output=True, timeout=60).returncode:
        pytest.skip("no container engine answers; start one, or run .ci/engine .venv/bin/python -m pytest -m deploy")


@pytest.fixture(scope="session")
def image(engine: None) -> str:
    """The name of the image, built from the working tree."""
    del engine
    return build_image()


@pytest.fixture
def new_container_pipeline(image: str, bootstrap: str, tmp_path: Path) -> Iterator[NewContainerPipeline]:
    """Create pipelines on the shared Kafka; their containers are removed with the test."""
    del image
    with ExitStack() as cleanup:

        def create(partitions: int = 2, **environment: Any) -> ContainerPipeline:
            pipeline = ContainerPipeline(bootstrap, tmp_path, partitions, **environment)
            cleanup.callback(pipeline.close)
            return pipeline

        yield create
