"""The workers' logs of a scenario: how many lines, whether each has an event and its context, and defects."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.chaos.silences import Injection

LINES_PER_SECOND = 20

_PACKAGE = "openclaw_stream"
_BARE = {"event", "level", "logger", "timestamp", "suppressed"}
_ASSIGNED = "partitions assigned"
_PER_INCIDENT = "openclaw_stream.stream.publication_log"
"""Logs one line for each incident, decision and dead letter, as many as there are."""
_SETTLED_SECONDS = 25.0
"""Seconds after a fault in which it may still move partitions: a session, a rebalance and the start of a worker."""
_START_SECONDS = 10.0
"""How long the first workers take to share the partitions."""
_SHOWN = 5


@dataclass(slots=True)
class Logs:
    """The logs of a scenario."""

    workers: int = 0
    lines: int = 0
    busiest: int = 0
    """Most lines of one worker in one second, except those of single incidents."""
    assignments: list[float] = field(default_factory=list)
    """When a worker was assigned partitions, in epoch seconds."""
    defects: list[str] = field(default_factory=list)
    warnings: Counter[str] = field(default_factory=Counter)

    def problems(self) -> Iterator[str]:
        """Yield what is not allowed."""
        if self.busiest > LINES_PER_SECOND:
            yield f"a worker logged {self.busiest} lines in a second, more than {LINES_PER_SECOND}"
        yield from self.defects[:_SHOWN]
        if len(self.defects) > _SHOWN:
            yield f"and {len(self.defects) - _SHOWN} more lines of logs"

    def report(self, injections: Sequence[Injection], moving: Iterable[str]) -> Iterator[str]:
        """Yield the counts as text; `moving` are the kinds of faults that make the group rebalance."""
        names = set(moving)
        moved = [each for each in injections if each.name in names]
        started = min(self.assignments, default=0.0) + _START_SECONDS
        false = [
            at
            for at in self.assignments
            if at > started and not any(s.began <= at <= s.ended + _SETTLED_SECONDS for s in moved)
        ]
        yield (
            f"logs: {self.lines:,} lines of {self.workers} workers, at most {self.busiest} per second; assignments "
            f"{len(self.assignments)}, of them {len(false)} without a fault that moves partitions"
        )
        most = ", ".join(f"{event} x{times}" for event, times in self.warnings.most_common(_SHOWN))
        yield f"most frequent warnings: {most or 'none'}"


def read_logs(folder: Path) -> Logs:
    """Read every worker's log of a run's folder."""
    logs = Logs()
    for path in sorted(folder.glob("worker-*.log")):
        logs.workers += 1
        seconds: Counter[str] = Counter()
        for line in path.read_text(errors="replace").splitlines(keepends=True):
            if line.endswith("\n"):  # a killed worker may leave half a line
                logs.lines += 1
                _take(logs, path.stem, line.rstrip(), seconds)
        logs.busiest = max([logs.busiest, *seconds.values()])
    return logs


def _take(logs: Logs, worker: str, line: str, seconds: Counter[str]) -> None:
    try:
        entry: dict[str, Any] = json.loads(line)
        at = datetime.fromisoformat(entry["timestamp"])
        event = str(entry["event"])
    except (ValueError, KeyError, TypeError):
        logs.defects.append(f"{worker} logged a line that is not an event: {line[:300]}")
        return
    if entry.get("logger") != _PER_INCIDENT:
        seconds[at.isoformat(timespec="seconds")] += 1
    if event == _ASSIGNED:
        logs.assignments.append(at.timestamp())
    if "exception" in entry or "stack" in entry:
        logs.defects.append(f"{worker} logged a traceback: {event}: {str(entry.get('exception'))[-300:]}")
    if entry.get("level") in {"warning", "error", "critical"}:
        logs.warnings[event.split(":", maxsplit=1)[0][:60]] += 1
        own = str(entry.get("logger", "")).startswith(_PACKAGE)
        if own and not entry.keys() - _BARE:
            logs.defects.append(f"{worker} logged without context: {event[:300]}")
