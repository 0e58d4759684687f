"""A build is measured with the package of its checkout, and with nothing else in its place."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from openclaw_stream.alerts.decoding.decode import decode
from openclaw_stream.alerts.reader import AlertReader
from tests.benchmarks.end_to_end import Measurement, import_from
from tests.benchmarks.reader import validator
from tests.benchmarks.workload import PARTITIONS, WORKLOADS
from tests.conftest import PROJECT

pytestmark = pytest.mark.io

PROGRAM = "import openclaw_stream; print(openclaw_stream.__version__)"


def test_the_package_of_the_checkout_is_imported(tmp_path: Path) -> None:
    package = tmp_path / "openclaw_stream"
    package.mkdir()
    (package / "__init__.py").write_text('__version__ = "another"\n')
    environment = {**os.environ, **import_from(tmp_path)}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, env=environment, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout == "another\n"


def test_a_checkout_without_the_package_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no package openclaw_stream"):
        import_from(tmp_path)


def test_the_ratio_is_that_of_the_rates() -> None:
    figures = dict.fromkeys(("by_hand", "cpu_us", "resident_mb", "transactions", "decisions"), 0.0)
    assert Measurement(bare=40_000, worker=22_000, **figures).ratio == 0.55


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_workload_holds_the_alerts_it_claims(name: str) -> None:
    workload = WORKLOADS[name]
    reader = AlertReader()
    records = [*workload.records(400)]
    alerts = [alert for _, value in records for alert in decode(value, 0, reader).alerts]
    assert len(alerts) == 400
    assert {partition for partition, _ in records} == set(range(PARTITIONS))
    assert all(validator(value)(value) for _, value in records)
    assert 700 < sum(len(value) for _, value in records) / 400 < 1000
