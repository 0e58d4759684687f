"""The schedule against a plain table of when each group is to come up."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.incidents.state import NEVER, State
from openclaw_stream.stream.state.revision import Group
from openclaw_stream.stream.state.schedule import Schedule

TIMES = st.integers(0, 30)
NUMBERS = st.integers(0, 3)


class Table:
    """When each of a few groups is to come up, and which do."""

    def __init__(self) -> None:
        self.groups = [Group(State(f"g{n}")) for n in range(4)]
        self.at: dict[int, int] = {}

    def note(self, number: int, at: int) -> None:
        """The earliest of all times holds until the group has come up."""
        if at < self.at.get(number, NEVER):
            self.at.pop(number, None)
            self.at[number] = at

    def take(self, now: int) -> list[Group]:
        """Return what comes up, first due first, and what was noted first where that is the same."""
        up = sorted((number for number, at in self.at.items() if at <= now), key=lambda number: self.at[number])
        return [self.groups[number] for number in up if self.at.pop(number) <= now]

    def anything(self, now: int) -> bool:
        return any(at <= now for at in self.at.values())


def names(groups: Iterable[Group]) -> list[str]:
    return [group.state.group_key for group in groups]


@given(st.lists(st.tuples(st.sampled_from(["live", "end published", "due", "tick"]), NUMBERS, TIMES), max_size=40))
def test_every_group_comes_up_once_at_its_earliest_time(steps: list[tuple[str, int, int]]) -> None:
    schedule, live = Schedule(), Table()
    early = Table()
    early.groups = live.groups
    for what, number, at in steps:
        if what in {"live", "end published"}:
            (live if what == "live" else early).note(number, at)
            schedule.at_time(live.groups[number], at, end_published=what == "end published")
            continue
        assert schedule.next_time <= at or not (live.anything(at) or early.anything(at))
        assert schedule.next_time >= 0
        expected = names(live.take(at)) + ([] if what == "tick" else names(early.take(at)))
        assert names(schedule.due(at, tick=what == "tick")) == expected


@given(st.lists(st.tuples(st.booleans(), NUMBERS, TIMES), max_size=40))
def test_closed_groups_come_up_when_they_have_aged(steps: list[tuple[bool, int, int]]) -> None:
    schedule, table = Schedule(), Table()
    for taken, number, at in steps:
        if not taken:
            table.note(number, at)
            schedule.expire_at(table.groups[number], at)
            continue
        assert schedule.anything_expired(at) or not table.anything(at)
        assert not schedule.anything_expired(-1)
        assert names(schedule.expired(at)) == names(table.take(at))


@given(st.lists(st.tuples(NUMBERS, TIMES), max_size=10), st.lists(TIMES, max_size=10))
def test_groups_that_await_an_offset_are_woken_there(awaited: list[tuple[int, int]], offsets: list[int]) -> None:
    schedule, groups = Schedule(), Table().groups
    for number, offset in awaited:
        schedule.at_offset(groups[number], offset)
    for offset in sorted(offsets):
        expected = [groups[number] for number, at in awaited if at <= offset]
        awaited = [(number, at) for number, at in awaited if at > offset]
        assert (schedule.next_offset <= offset) == bool(expected)
        assert sorted(names(schedule.reached(offset))) == sorted(names(expected))
