"""Pipelines for the tests of the worker."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from openclaw_stream.embedded import EmbeddedKafkaCluster
from tests.kafka_proxy import KafkaProxy
from tests.stream.pipeline import Pipeline

NewPipeline = Callable[..., Pipeline]


@pytest.fixture
def new_pipeline(bootstrap: str, tmp_path: Path) -> Iterator[NewPipeline]:
    """Create pipelines on the shared Kafka; their workers end with the test."""
    with ExitStack() as cleanup:

        def create(partitions: int = 2, **environment: Any) -> Pipeline:
            pipeline = Pipeline(bootstrap, tmp_path, partitions, **environment)
            cleanup.callback(pipeline.close)
            return pipeline.create()

        yield create


@pytest.fixture(scope="module")
def proxied() -> Iterator[tuple[str, KafkaProxy]]:
    """A Kafka whose clients all connect through a proxy."""
    with ExitStack() as stack:
        proxies: dict[str, KafkaProxy] = {}

        def advertise(listener: str, _: int, port: int) -> int:
            if listener != "PLAINTEXT":
                return port
            proxies[listener] = stack.enter_context(KafkaProxy(port))
            return proxies[listener].port

        cluster = stack.enter_context(EmbeddedKafkaCluster(1, advertise=advertise))
        yield cluster.bootstrap_servers, proxies["PLAINTEXT"]
