"""What a format adapter is: a detector and a reader of one producer's JSON."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

SkipReason = Literal["empty", "lifecycle", "measurement", "muted", "pending", "silence", "suppressed", "tombstone"]
"""Why a part of a record is no alert; a label of a metric, so there are few values."""


@dataclass(slots=True)
class AlertDocument:
    """One alert in the fields of the native contract (`contract.AlertEvent`), in its spelling or Alertmanager's.

    The values are still as the producer wrote them: `native.read_alert` checks and normalises them.
    """

    fields: dict[str, Any]
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class Skipped:
    """A part of a record that is understood and is no alert."""

    reason: SkipReason


@dataclass(slots=True)
class Unreadable:
    """A part of a record that cannot be read; it becomes a fault with the part's index."""

    reason: str


Outcome = AlertDocument | Skipped | Unreadable


@dataclass(frozen=True, slots=True)
class Adapter:
    """A format: `detects` recognises a JSON object of it, `read` yields what the object holds.

    `detects` looks at keys and types only; where two formats look alike, the more specific one stands first in
    `ADAPTERS`. `read` is called only with what `detects` recognised, raises nothing, and yields at least one outcome.
    """

    name: str
    detects: Callable[[dict[str, Any]], bool]
    read: Callable[[dict[str, Any]], Iterator[Outcome]]
