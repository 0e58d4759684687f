"""Calls through a circuit breaker that end in a given way."""

import contextlib

from openclaw_stream.resilience.circuit_breaker import CircuitBreaker


class CallError(Exception):
    """A call's own error."""


def record_failures(breaker: CircuitBreaker, number: int) -> None:
    """Make so many calls that fail."""
    for _ in range(number):
        with contextlib.suppress(CallError), breaker.attempt(lambda _: True):
            raise CallError
