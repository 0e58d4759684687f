"""A short campaign; `python -m tests.chaos` runs long ones."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos import fuzz, testbed
from tests.chaos.campaign import Scenario, run_scenario
from tests.chaos.faults import CREATE, LOG_APPEND
from tests.chaos.testbed import Servers

pytestmark = [pytest.mark.kafka, pytest.mark.valkey, pytest.mark.slow]


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with testbed.servers() as started:
        yield started


@pytest.mark.parametrize(("scenario", "faults"), [(LOG_APPEND, 5), (CREATE, 2)])
def test_no_alert_is_lost_or_duplicated_under_faults(
    servers: Servers, tmp_path: Path, scenario: str, faults: int
) -> None:
    outcome = run_scenario(
        servers, Scenario(scenario), tmp_path / "run", seed=4, alerts=1200, faults=faults, seconds=20
    )
    assert outcome.clean, "\n".join(outcome.lines())
    assert outcome.faults.total() > 1


def test_every_malformed_record_is_accounted_for(servers: Servers, tmp_path: Path) -> None:
    fuzzed = fuzz.run_fuzz(servers, tmp_path / "fuzz", seed=4, records=1000)
    assert fuzzed.problems == []
    assert fuzzed.records == 1000
    assert fuzzed.natures["alert"] > 50
    assert fuzzed.dead > 300
