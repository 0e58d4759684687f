"""Files for a demo that runs as a process."""

from pathlib import Path

import orjson
import pytest


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """The folder for temporary files of the demo."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.fixture
def alerts(tmp_path: Path) -> Path:
    """Three alerts of one incident, the last of them resolved, and a line that cannot be decoded."""
    alert = {"alert_type": "PostgresDown", "severity": "critical", "namespace": "shop", "service": "orders-postgres"}
    lines = [alert, alert | {"alert_type": "PostgresReplicationLag"}, alert | {"status": "resolved"}]
    path = tmp_path / "alerts.jsonl"
    path.write_bytes(b"\n".join([*map(orjson.dumps, lines), b"this is no JSON"]))
    return path
