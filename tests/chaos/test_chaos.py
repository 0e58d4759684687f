"""A short campaign, as a change must pass it; long ones are run by hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos import fuzz, stage
from tests.chaos.campaign import Act, play
from tests.chaos.faults import CREATE, LOG_APPEND
from tests.chaos.stage import Servers

pytestmark = [pytest.mark.kafka, pytest.mark.valkey]


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with stage.servers() as started:
        yield started


@pytest.mark.parametrize(("act", "faults"), [(LOG_APPEND, 5), (CREATE, 2)])
def test_nothing_is_lost_or_repeated_under_fire(servers: Servers, tmp_path: Path, act: str, faults: int) -> None:
    outcome = play(servers, Act(act), tmp_path / "run", seed=4, alerts=1200, faults=faults, seconds=20)
    assert outcome.clean, "\n".join(outcome.lines())
    assert outcome.faults.total() > 1


def test_whatever_a_record_holds_it_is_accounted_for(servers: Servers, tmp_path: Path) -> None:
    fuzzed = fuzz.play(servers, tmp_path / "fuzz", seed=4, records=1000)
    assert fuzzed.complaints == []
    assert fuzzed.records == 1000
    assert fuzzed.natures["alert"] > 50
    assert fuzzed.dead > 300
