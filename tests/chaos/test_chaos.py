"""A short campaign, as a change must pass it; long ones are run by hand."""

from collections.abc import Callable
from pathlib import Path

import pytest

from openclaw_stream.embedded import EmbeddedKafka
from tests.chaos import fuzz
from tests.chaos.campaign import Act, play
from tests.chaos.stage import Servers

OwnKafka = Callable[..., EmbeddedKafka]


@pytest.mark.parametrize("act", ["log-append", "create"])
def test_nothing_is_lost_or_repeated_under_fire(own_kafka: OwnKafka, tmp_path: Path, act: str) -> None:
    outcome = play(Servers(own_kafka()), Act(act), tmp_path / "run", seed=4, alerts=1500, faults=4, seconds=20)
    assert outcome.clean, "\n".join(outcome.lines())
    assert outcome.faults.total() > 1


def test_whatever_a_record_holds_it_is_accounted_for(own_kafka: OwnKafka, tmp_path: Path) -> None:
    fuzzed = fuzz.play(Servers(own_kafka()), tmp_path / "fuzz", seed=4, records=1000)
    assert fuzzed.complaints == []
    assert fuzzed.records == 1000
    assert fuzzed.natures["alert"] > 50
    assert fuzzed.dead > 300
