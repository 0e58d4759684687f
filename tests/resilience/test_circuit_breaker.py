from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from openclaw_stream.resilience.circuit_breaker import CircuitBreaker

COOLDOWN = 30.0


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def opened(threshold: int = 3) -> tuple[CircuitBreaker, Clock]:
    clock = Clock()
    breaker = CircuitBreaker(threshold, COOLDOWN, clock)
    for _ in range(threshold):
        assert breaker.allows()
        breaker.failed()
    return breaker, clock


@given(st.integers(1, 20))
def test_it_opens_at_the_threshold_and_not_before(threshold: int) -> None:
    breaker = CircuitBreaker(threshold, COOLDOWN, Clock())
    for _ in range(threshold):
        assert breaker.allows()
        breaker.failed()
    assert not breaker.allows()


def test_a_success_starts_the_count_anew() -> None:
    breaker = CircuitBreaker(2, COOLDOWN, Clock())
    for _ in range(10):
        breaker.failed()
        breaker.succeeded()
    assert breaker.allows()


def test_it_stays_open_for_the_cooldown_and_then_lets_one_through() -> None:
    breaker, clock = opened()
    clock.now += COOLDOWN - 0.001
    assert not breaker.allows()
    clock.now += 0.001
    assert [breaker.allows() for _ in range(5)] == [True, False, False, False, False]


def test_the_one_call_closes_it_by_success() -> None:
    breaker, clock = opened()
    clock.now += COOLDOWN
    assert breaker.allows()
    breaker.succeeded()
    assert [breaker.allows() for _ in range(3)] == [True, True, True]
    breaker.failed()
    assert breaker.allows()


def test_the_one_call_opens_it_by_failure_for_a_whole_cooldown() -> None:
    breaker, clock = opened()
    clock.now += COOLDOWN
    assert breaker.allows()
    clock.now += COOLDOWN / 2
    breaker.failed()
    clock.now += COOLDOWN - 0.001
    assert not breaker.allows()
    clock.now += 0.001
    assert breaker.allows()


def test_a_call_that_says_nothing_holds_its_place_for_one_cooldown() -> None:
    breaker, clock = opened()
    clock.now += COOLDOWN
    assert breaker.allows()
    clock.now += COOLDOWN - 0.001
    assert not breaker.allows()
    clock.now += 0.001
    assert breaker.allows()


def test_a_late_success_closes_it() -> None:
    breaker, _ = opened()
    breaker.succeeded()
    assert breaker.allows()


class Calls(RuleBasedStateMachine):
    """Calls overlap, end in any order or never; what was let through and told is all that is looked at."""

    @initialize(threshold=st.integers(1, 4))
    def start(self, threshold: int) -> None:
        self.threshold = threshold
        self.clock = Clock()
        self.breaker = CircuitBreaker(threshold, COOLDOWN, self.clock)
        self.failures: list[float] = []
        self.let_through: list[float] = []
        self.running = 0

    @rule()
    def ask(self) -> None:
        allowed = self.breaker.allows()
        if len(self.failures) < self.threshold:
            assert allowed
        else:
            last = max([*self.let_through, self.failures[-1]])
            assert allowed == (self.clock.now >= last + COOLDOWN)
        if allowed:
            self.running += 1
            if len(self.failures) >= self.threshold:
                self.let_through.append(self.clock.now)

    @precondition(lambda self: self.running)
    @rule()
    def succeed(self) -> None:
        self.running -= 1
        self.breaker.succeeded()
        self.failures.clear()
        self.let_through.clear()

    @precondition(lambda self: self.running)
    @rule()
    def fail(self) -> None:
        self.running -= 1
        self.breaker.failed()
        self.failures.append(self.clock.now)

    @precondition(lambda self: self.running)
    @rule()
    def vanish(self) -> None:
        self.running -= 1

    @rule(seconds=st.sampled_from([0.25, 1.0, COOLDOWN / 2, COOLDOWN, 10 * COOLDOWN]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @invariant()
    def a_dead_server_is_asked_once_in_a_cooldown_at_most(self) -> None:
        tries = self.let_through
        assert all(later - earlier >= COOLDOWN for earlier, later in pairwise(tries))


TestCalls = Calls.TestCase
TestCalls.settings = settings(max_examples=50)
