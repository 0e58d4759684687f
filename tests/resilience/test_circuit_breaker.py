import asyncio
import contextlib
from contextlib import ExitStack
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from openclaw_stream.resilience.circuit_breaker import CircuitBreaker, CircuitOpenError
from tests.resilience.breakers import CallError, record_failures

COOLDOWN = 30.0


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def opened(threshold: int = 3) -> tuple[CircuitBreaker, Clock]:
    clock = Clock()
    breaker = CircuitBreaker(threshold, COOLDOWN, clock)
    record_failures(breaker, threshold)
    return breaker, clock


class Call:
    """A permitted call that has not ended yet."""

    def __init__(self, breaker: CircuitBreaker) -> None:
        self._permit = ExitStack()
        self._permit.enter_context(breaker.attempt(lambda _: True))

    def succeed(self) -> None:
        self._permit.close()

    def fail(self) -> None:
        error = CallError()
        assert not self._permit.__exit__(CallError, error, None)

    def cancel(self) -> None:
        error = asyncio.CancelledError()
        assert not self._permit.__exit__(asyncio.CancelledError, error, None)


def start(breaker: CircuitBreaker) -> Call | None:
    """Start a call; None where it is refused."""
    with contextlib.suppress(CircuitOpenError):
        return Call(breaker)
    return None


def permitted(breaker: CircuitBreaker) -> Call:
    call = start(breaker)
    assert call is not None
    return call


@given(st.integers(1, 20))
def test_it_opens_at_the_threshold_and_not_before(threshold: int) -> None:
    breaker = CircuitBreaker(threshold, COOLDOWN, Clock())
    for _ in range(threshold):
        permitted(breaker).fail()
    assert start(breaker) is None
    with pytest.raises(CircuitOpenError, match="circuit open"), breaker.attempt(lambda _: True):
        pytest.fail("a refused call must not run")


def test_a_success_resets_the_failure_count() -> None:
    breaker = CircuitBreaker(2, COOLDOWN, Clock())
    for _ in range(10):
        permitted(breaker).fail()
        permitted(breaker).succeed()
    permitted(breaker)


def test_it_stays_open_for_the_cooldown_and_then_permits_one_call() -> None:
    breaker, clock = opened()
    clock.now += COOLDOWN - 0.001
    assert start(breaker) is None
    clock.now += 0.001
    assert [start(breaker) is not None for _ in range(5)] == [True, False, False, False, False]


def test_a_successful_probe_closes_it() -> None:
    breaker, clock = opened()
    clock.now += COOLDOWN
    permitted(breaker).succeed()
    for _ in range(3):
        permitted(breaker)
    permitted(breaker).fail()
    permitted(breaker)


def test_a_failed_probe_opens_it_for_a_whole_cooldown() -> None:
    breaker, clock = opened()
    clock.now += COOLDOWN
    probe = permitted(breaker)
    clock.now += COOLDOWN / 2
    probe.fail()
    clock.now += COOLDOWN - 0.001
    assert start(breaker) is None
    clock.now += 0.001
    permitted(breaker)


def test_a_cancelled_probe_delays_the_next_by_one_cooldown_and_no_longer() -> None:
    breaker, clock = opened()
    clock.now += COOLDOWN
    permitted(breaker).cancel()
    clock.now += COOLDOWN - 0.001
    assert start(breaker) is None
    clock.now += 0.001
    permitted(breaker)


def test_it_can_be_opened_for_longer_than_a_cooldown() -> None:
    clock = Clock()
    breaker = CircuitBreaker(3, COOLDOWN, clock)
    earlier = permitted(breaker)
    breaker.open_for(10 * COOLDOWN)
    earlier.fail()
    clock.now += 10 * COOLDOWN - 1
    assert start(breaker) is None
    clock.now += 1
    permitted(breaker).succeed()
    assert not breaker.is_open


def test_a_late_success_closes_it() -> None:
    breaker = CircuitBreaker(3, COOLDOWN, Clock())
    slow = permitted(breaker)
    record_failures(breaker, 3)
    assert breaker.is_open
    slow.succeed()
    permitted(breaker)


@pytest.mark.parametrize(("is_failure", "opens"), [(True, True), (False, False), (None, False)])
def test_the_caller_classifies_an_error(is_failure: bool | None, *, opens: bool) -> None:  # noqa: FBT001 - a parameter
    breaker = CircuitBreaker(1, COOLDOWN, Clock())
    with pytest.raises(CallError), breaker.attempt(lambda _: is_failure):
        raise CallError
    assert breaker.is_open is opens


def test_an_error_that_shows_neither_keeps_the_failure_count() -> None:
    breaker = CircuitBreaker(2, COOLDOWN, Clock())
    record_failures(breaker, 1)
    with pytest.raises(CallError), breaker.attempt(lambda _: None):
        raise CallError
    record_failures(breaker, 1)
    assert breaker.is_open


class Calls(RuleBasedStateMachine):
    """Calls overlap, end in any order or never; only permits and outcomes are observed."""

    @initialize(threshold=st.integers(1, 4))
    def start(self, threshold: int) -> None:
        self.threshold = threshold
        self.clock = Clock()
        self.breaker = CircuitBreaker(threshold, COOLDOWN, self.clock)
        self.failures: list[float] = []
        self.probes: list[float] = []
        self.running: list[Call] = []

    @rule()
    def attempt(self) -> None:
        call = start(self.breaker)
        if len(self.failures) < self.threshold:
            assert call is not None
        else:
            last = max([*self.probes, self.failures[-1]])
            assert (call is not None) == (self.clock.now >= last + COOLDOWN)
        if call is not None:
            self.running.append(call)
            if len(self.failures) >= self.threshold:
                self.probes.append(self.clock.now)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def succeed(self, data: st.DataObject) -> None:
        self._end(data).succeed()
        self.failures.clear()
        self.probes.clear()

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        self._end(data).fail()
        self.failures.append(self.clock.now)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        self._end(data).cancel()

    @rule(seconds=st.sampled_from([0.25, 1.0, COOLDOWN / 2, COOLDOWN, 10 * COOLDOWN]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @invariant()
    def a_failing_server_is_probed_once_per_cooldown_at_most(self) -> None:
        assert all(later - earlier >= COOLDOWN for earlier, later in pairwise(self.probes))

    def _end(self, data: st.DataObject) -> Call:
        return self.running.pop(data.draw(st.integers(0, len(self.running) - 1)))


TestCalls = Calls.TestCase
TestCalls.settings = settings(max_examples=50)
