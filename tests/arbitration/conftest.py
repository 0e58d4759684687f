"""Real servers of language models for the arbiter's tests."""

from collections.abc import Iterator

import pytest

from tests.arbitration.llama import llama_cpp


@pytest.fixture(scope="session")
def llama_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One llama.cpp server for all tests: its base URL with /v1; its model is `tests.arbitration.llama.MODEL`."""
    with llama_cpp(tmp_path_factory.mktemp("llama")) as url:
        yield url
