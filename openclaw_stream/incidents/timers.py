"""The timers of the fold."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timers:
    """Every timer of the fold, in milliseconds of stream time.

    `group_wait` (`group_wait_critical`) is how long an incident gathers before its first revision, `group_interval`
    the least time between revisions, doubled with each one up to `max_interval`; `resolve_hold` is how long an
    incident stays open after its last member resolved, `max_silence` how long after its last alert of any kind.
    """

    group_wait: int = 30_000
    group_wait_critical: int = 5_000
    group_interval: int = 300_000
    max_interval: int = 3_600_000
    resolve_hold: int = 300_000
    max_silence: int = 18_000_000
