"""The markers that tests/conftest.py adds and checks."""

import socket
import subprocess
import sys

import pytest

from tests.conftest import IO_FILES, PROJECT, started_programs


def test_the_files_of_the_table_exist() -> None:
    assert not {path for path in IO_FILES if not (PROJECT / path).is_file()}


@pytest.mark.io
@pytest.mark.kafka
def test_a_server_that_is_started_is_recorded() -> None:
    started_programs.clear()
    subprocess.run([sys.executable, "-c", "", "kafka.Kafka"], check=True)
    assert started_programs == {"io", "kafka"}


@pytest.mark.io
def test_a_socket_that_is_opened_is_recorded() -> None:
    started_programs.clear()
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
    assert started_programs == {"io"}


def test_the_markers_follow_from_the_fixtures(request: pytest.FixtureRequest) -> None:
    markers = {item.nodeid: {mark.name for mark in item.iter_markers()} for item in request.session.items}
    assert "pure" in markers[request.node.nodeid]
    assert not [name for name, each in markers.items() if {"pure", "kafka"} <= each]
