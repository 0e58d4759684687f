"""Incidents with revisions, for the tests of the ledger."""

from dataclasses import replace

from tests.stream.bench import FIRES, TIMERS, Partition, Published

NEW_NAME = replace(FIRES, name="B")
"""An alert whose new name triggers another revision."""

SILENCE = TIMERS.max_silence


def kinds(published: list[Published]) -> list[tuple[int, str]]:
    """Return revision and kind of what was published."""
    return [(revision, kind) for _, revision, kind in published]


def decided(*times: int) -> Partition:
    """Return a partition with an incident that fired at 0, was decided at 4, and repeated at `times`."""
    partition = Partition()
    partition.read(0, FIRES)
    for now in (4, *times):
        partition.read(now, FIRES)
    assert kinds(partition.commit()) == [(1, "decision")]
    return partition
