"""Silences by kind of fault: how long a due decision was not visible, and how long none became visible. Pure.

A silence belongs to the faults that were active when it began, or ended shortly before. Faults overlap, so a silence
with a single kind of fault around it is counted separately: only it is certainly of that kind.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from tests.chaos.canaries import Delay

_LEAST_SECONDS = 3.0
"""Shorter silences are not reported; two canaries of a partition are a second apart."""
_BEFORE_SECONDS, _AFTER_SECONDS = 1.5, 5.0
"""A fault explains a silence that begins up to so long before it begins, or after it has ended."""
NO_FAULT = "no fault"


class Injection(NamedTuple):
    """One injected fault, in epoch seconds."""

    name: str
    began: float
    ended: float


class Silence(NamedTuple):
    """A time without decisions of one partition, in epoch seconds."""

    partition: int
    began: float
    ended: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.ended - self.began


def late(delays: Iterable[Delay]) -> Iterator[Silence]:
    """Yield the times in which a due decision was not visible: delays of a partition that overlap are one."""
    current: Silence | None = None
    for delay in sorted(delay for delay in delays if delay.seen - delay.due >= _LEAST_SECONDS):
        if current and current.partition == delay.partition and delay.due <= current.ended:
            current = current._replace(ended=max(current.ended, delay.seen))
            continue
        if current:
            yield current
        current = Silence(*delay)
    if current:
        yield current


def gaps(delays: Iterable[Delay]) -> Iterator[Silence]:
    """Yield the times between two visible decisions of a partition, whether or not one was due."""
    seen: dict[int, list[float]] = defaultdict(list)
    for delay in delays:
        seen[delay.partition].append(delay.seen)
    for partition, times in seen.items():
        yield from (Silence(partition, *pair) for pair in pairwise(sorted(times)))


def longest(silences: Iterable[Silence], injections: Sequence[Injection]) -> dict[str, tuple[float, float]]:
    """Return the longest silence of each kind of fault: where it was the only kind around, and in all."""
    found: dict[str, tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
    for silence in silences:
        if silence.seconds < _LEAST_SECONDS:
            continue
        alone = len(_around(silence.began, silence.ended, injections)) <= 1
        for name in _around(silence.began, silence.began, injections) or {NO_FAULT}:
            own, whole = found[name]
            found[name] = max(own, silence.seconds if alone else 0), max(whole, silence.seconds)
    return dict(found)


def _around(began: float, ended: float, injections: Iterable[Injection]) -> set[str]:
    """Return the kinds of faults that were active, or had just ended, at some time between."""
    return {
        injection.name
        for injection in injections
        if injection.began - _BEFORE_SECONDS <= ended and began <= injection.ended + _AFTER_SECONDS
    }


def lines(delays: Sequence[Delay], injections: Sequence[Injection]) -> Iterator[str]:
    """Yield a table: per kind of fault, the longest silence alone and in all, of both kinds of silence."""
    due, none = longest(late(delays), injections), longest(gaps(delays), injections)
    yield f"longest silence in seconds, of {len(delays):,} canaries: alone / with other faults at the same time"
    yield f"  {'fault':38} {'a due decision':>16} {'no decision':>16}"
    for name in sorted({each.name for each in injections} | due.keys() | none.keys()):
        yield f"  {name:38} {_cell(due.get(name)):>16} {_cell(none.get(name)):>16}"


def _cell(times: tuple[float, float] | None) -> str:
    if times is None:
        return f"< {_LEAST_SECONDS:.0f}"
    alone, whole = (f"{each:.1f}" if each else "-" for each in times)
    return f"{alone} / {whole}"
