"""The ledger under crashes, resets, retention and pressure, against an undisturbed run of the same log."""

import random
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openclaw_stream.incidents import state as state_module
from tests.stream.logs import make_log
from tests.stream.simulated_partition import SCENARIOS
from tests.stream.simulation import run

SEEDED = 60


@pytest.fixture(autouse=True)
def few_members() -> Iterator[None]:
    """Let the active set overflow in logs as short as these."""
    with patch.object(state_module, "MEMBERS_MAX", 3):
        yield


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(r=st.randoms(use_true_random=False))
def test_random_schedules_agree_with_an_undisturbed_run(name: str, r: random.Random) -> None:
    _check(name, r)


@pytest.mark.parametrize("name", SCENARIOS)
def test_seeded_schedules_agree_with_an_undisturbed_run(name: str) -> None:
    for seed in range(SEEDED):
        _check(name, random.Random(seed))  # noqa: S311 - a schedule, not a secret


def _check(name: str, r: random.Random) -> None:
    how = SCENARIOS[name]
    log = make_log(r, create_time=how.create_time)
    truth = run(log, how)
    assert not truth.wrong, dict(truth.wrong)
    disturbed = run(log, how, r, truth)
    assert not disturbed.wrong, dict(disturbed.wrong)


def test_a_replay_with_fewer_members_opens_incidents_at_the_same_offsets() -> None:
    _check("backward resets with ticks and pressure", random.Random(167))  # noqa: S311 - a schedule, not a secret
