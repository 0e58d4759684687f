"""Pipelines for the tests of the worker."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.stream.pipeline import Pipeline

NewPipeline = Callable[..., Pipeline]


@pytest.fixture
def new_pipeline(bootstrap: str, tmp_path: Path) -> Iterator[NewPipeline]:
    """Make pipelines on the shared Kafka; their workers end with the test."""
    with ExitStack() as cleanup:

        def make(partitions: int = 2, **environment: Any) -> Pipeline:
            pipeline = Pipeline(bootstrap, tmp_path, partitions, **environment)
            cleanup.callback(pipeline.close)
            return pipeline.create()

        yield make
