"""Whether `/readyz` is right: compares each worker's answers with the decisions that are published. Pure.

Three durations are measured, the longest of each in a run:

- ready while silent: a worker owns a partition, reports ready, and a due canary of the partition is not settled. The
  limit is the time a worker may take to notice a failed or overdue transaction.
- ready without partitions: a worker that owns none reports ready while a due canary of a partition that no worker
  owns is not settled. The limit is the time a worker may take to notice an empty assignment or a replaced topic.
- unready while flowing: a worker owns partitions, reports unready, and the canaries of all of them are seen in time.

A worker that does not answer, such as a frozen one, is not counted. Owners are taken from the workers' metrics.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

TRANSACTION_LIMIT, ASSIGNMENT_LIMIT = 5.0, 30.0
"""Seconds within which a worker is to be unready."""
READY_SLACK, UNREADY_LIMIT = 5.0, 10.0
"""Seconds that `/readyz` may be true beyond the limits, and false although decisions flow."""

_FLOWS_SECONDS, _SEEN_SECONDS = 2.0, 3.0


class Probe(NamedTuple):
    """One sample of one worker; `ready` is None where it did not answer."""

    worker: str
    ready: bool | None
    partitions: frozenset[int]
    reasons: tuple[str, ...] = ()


class Flow(NamedTuple):
    """Of a partition: for how long its oldest due canary has not been settled, and how long ago one was seen."""

    unsettled: float
    seen: float


@dataclass(slots=True)
class Longest:
    """The longest run of its kind, in seconds, and when (epoch seconds) and where it was."""

    seconds: float = 0.0
    at: float = 0.0
    where: str = ""

    def note(self, seconds: float, at: float, where: str) -> None:
        """Keep a run where it is longer than those before."""
        if seconds > self.seconds:
            self.seconds, self.at, self.where = seconds, at, where


@dataclass(slots=True)
class Readiness:
    """The measurements of one scenario; `add` takes the samples in order of time."""

    ready_while_silent: Longest = field(default_factory=Longest)
    ready_without_partitions: Longest = field(default_factory=Longest)
    unready_while_flowing: Longest = field(default_factory=Longest)
    samples: int = 0
    _since: dict[Hashable, float] = field(default_factory=dict)

    def add(self, now: float, probes: Sequence[Probe], flows: Mapping[int, Flow]) -> None:
        """Add one sample of all workers and partitions; `now` is epoch seconds."""
        self.samples += len(probes)
        owned = [partition for probe in probes for partition in probe.partitions]
        for probe in probes:
            ready = self._lasting(("ready", probe.worker), now, holds=probe.ready is True)
            self._check_owned(now, probe, flows, ready)
            self._check_unowned(now, probe, flows.keys() - set(owned), flows, ready)
            sole = all(owned.count(partition) == 1 for partition in probe.partitions)
            self._check_unready(now, probe, flows if sole else {})

    def problems(self) -> Iterator[str]:
        """Yield the exceeded limits."""
        silent, without, unready = self.ready_while_silent, self.ready_without_partitions, self.unready_while_flowing
        if silent.seconds > TRANSACTION_LIMIT + READY_SLACK:
            yield f"ready for {silent.seconds:.1f} s while a due decision did not flow: {silent.where}"
        if without.seconds > ASSIGNMENT_LIMIT + READY_SLACK:
            yield f"ready for {without.seconds:.1f} s without partitions while decisions were due: {without.where}"
        if unready.seconds > UNREADY_LIMIT:
            yield f"unready for {unready.seconds:.1f} s while decisions flowed: {unready.where}"

    def lines(self) -> Iterator[str]:
        """Yield the measurements as text."""
        yield (
            f"readiness, {self.samples:,} samples, longest in seconds (limit): ready while a due decision did not flow "
            f"{self.ready_while_silent.seconds:.1f} ({TRANSACTION_LIMIT + READY_SLACK:.0f}), ready without partitions "
            f"{self.ready_without_partitions.seconds:.1f} ({ASSIGNMENT_LIMIT + READY_SLACK:.0f}), unready while "
            f"decisions flowed {self.unready_while_flowing.seconds:.1f} ({UNREADY_LIMIT:.0f})"
        )

    def _check_owned(self, now: float, probe: Probe, flows: Mapping[int, Flow], ready: float) -> None:
        for partition, flow in flows.items():
            held = self._lasting(("owns", probe.worker, partition), now, holds=partition in probe.partitions)
            where = f"{probe.worker}, partition {partition}"
            self.ready_while_silent.note(min(flow.unsettled, ready, held), now, where)

    def _check_unowned(
        self, now: float, probe: Probe, unowned: set[int], flows: Mapping[int, Flow], ready: float
    ) -> None:
        empty = self._lasting(("empty", probe.worker), now, holds=not probe.partitions)
        for partition in unowned:
            where = f"{probe.worker}, partition {partition} has no owner"
            self.ready_without_partitions.note(min(flows[partition].unsettled, ready, empty), now, where)

    def _check_unready(self, now: float, probe: Probe, flows: Mapping[int, Flow]) -> None:
        """Without flows, it is unknown whether its decisions are published."""
        flowing = bool(probe.partitions) and all(
            partition in flows and flows[partition].unsettled < _FLOWS_SECONDS and flows[partition].seen < _SEEN_SECONDS
            for partition in probe.partitions
        )
        key = "unready", probe.worker
        seconds = self._lasting(key, now, holds=flowing and probe.ready is False)
        self.unready_while_flowing.note(seconds, now, f"{probe.worker}: {'; '.join(probe.reasons)}")

    def _lasting(self, key: Hashable, now: float, *, holds: bool) -> float:
        """Return for how many seconds a condition has held at every sample."""
        if not holds:
            self._since.pop(key, None)
            return 0.0
        return now - self._since.setdefault(key, now)
