"""The schedule against a plain table of when each group is due."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.incidents.state import NEVER, State
from openclaw_stream.stream.state.revision import Group
from openclaw_stream.stream.state.schedule import Schedule

TIMES = st.integers(0, 30)
NUMBERS = st.integers(0, 3)


class Table:
    """When each of a few groups is due."""

    def __init__(self) -> None:
        self.groups = [Group(State(f"g{n}")) for n in range(4)]
        self.at: dict[int, int] = {}

    def add(self, number: int, at: int) -> None:
        """Schedule a group: the earliest of its times counts until it is taken."""
        if at < self.at.get(number, NEVER):
            self.at.pop(number, None)
            self.at[number] = at

    def take(self, now: int) -> list[Group]:
        """Remove and return the groups that are due: by time, then in the order of scheduling."""
        due = sorted((number for number, at in self.at.items() if at <= now), key=lambda number: self.at[number])
        return [self.groups[number] for number in due if self.at.pop(number) <= now]

    def anything_due(self, now: int) -> bool:
        return any(at <= now for at in self.at.values())


def names(groups: Iterable[Group]) -> list[str]:
    return [group.state.group_key for group in groups]


@given(st.lists(st.tuples(st.sampled_from(["open", "end published", "due", "tick"]), NUMBERS, TIMES), max_size=40))
def test_every_group_is_due_once_at_its_earliest_time(steps: list[tuple[str, int, int]]) -> None:
    schedule, opened = Schedule(), Table()
    end_published = Table()
    end_published.groups = opened.groups
    for what, number, at in steps:
        if what in {"open", "end published"}:
            (opened if what == "open" else end_published).add(number, at)
            schedule.at_time(opened.groups[number], at, end_published=what == "end published")
            continue
        assert schedule.next_time <= at or not (opened.anything_due(at) or end_published.anything_due(at))
        assert schedule.next_time >= 0
        expected = names(opened.take(at)) + ([] if what == "tick" else names(end_published.take(at)))
        assert names(schedule.due(at, tick=what == "tick")) == expected


@given(st.lists(st.tuples(st.booleans(), NUMBERS, TIMES), max_size=40))
def test_closed_groups_expire_once_at_their_earliest_time(steps: list[tuple[bool, int, int]]) -> None:
    schedule, table = Schedule(), Table()
    for take, number, at in steps:
        if not take:
            table.add(number, at)
            schedule.expire_at(table.groups[number], at)
            continue
        assert schedule.anything_expired(at) or not table.anything_due(at)
        assert not schedule.anything_expired(-1)
        assert names(schedule.expired(at)) == names(table.take(at))


@given(st.lists(st.tuples(NUMBERS, TIMES), max_size=10), st.lists(TIMES, max_size=10))
def test_groups_are_processed_at_their_offset(waiting: list[tuple[int, int]], offsets: list[int]) -> None:
    schedule, groups = Schedule(), Table().groups
    for number, offset in waiting:
        schedule.at_offset(groups[number], offset)
    for offset in sorted(offsets):
        expected = [groups[number] for number, at in waiting if at <= offset]
        waiting = [(number, at) for number, at in waiting if at > offset]
        assert (schedule.next_offset <= offset) == bool(expected)
        assert sorted(names(schedule.reached(offset))) == sorted(names(expected))
