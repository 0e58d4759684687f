"""Unsettled offsets against a plain list of the records that are not written."""

from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.incidents.state import State
from openclaw_stream.stream.state.offset_tracker import OffsetTracker
from openclaw_stream.stream.state.revision import Group, ResumePoint
from openclaw_stream.stream.state.transaction_plan import DeadLetter

GROUPS = 3
RECORD, SETTLE, SETTLE_PART = "record", "settle", "settle all but the last"


@given(st.lists(st.tuples(st.sampled_from([RECORD, RECORD, SETTLE, SETTLE_PART]), st.integers(0, GROUPS - 1))))
def test_the_lowest_unsettled_offset_is_that_of_the_first_unsettled_record(
    steps: list[tuple[str, int]],
) -> None:
    tracker, groups = OffsetTracker(-1), [Group(State(f"g{n}")) for n in range(GROUPS)]
    unsettled: list[list[ResumePoint]] = [[] for _ in groups]
    for offset, (step, number) in enumerate(steps):
        own, key = unsettled[number], f"g{number}"
        if step == RECORD:
            own.append(ResumePoint(offset, 10 * offset))
            tracker.record(groups[number], own[-1])
        else:
            del own[: len(own) - (step == SETTLE_PART)]
            tracker.settle(key, own[0] if own else None)
        assert tracker.is_settled(key) is not bool(own)
        assert tracker.lowest_unsettled() == min((each[0] for each in unsettled if each), default=None)


@given(st.lists(st.integers(0, GROUPS - 1)), st.integers(1, GROUPS))
def test_every_group_with_a_new_record_is_written_once(records: list[int], most: int) -> None:
    tracker, groups = OffsetTracker(-1), [Group(State(f"g{n}")) for n in range(GROUPS)]
    for offset, number in enumerate(records):
        tracker.record(groups[number], ResumePoint(offset, 0))
    first = tracker.take_unwritten(most)
    assert len(first) == min(most, len(set(records)))
    assert first + tracker.take_unwritten(GROUPS) == [groups[number] for number in dict.fromkeys(records)]
    assert tracker.unwritten == 0


def test_a_dead_letter_that_an_earlier_transaction_has_written_is_skipped() -> None:
    tracker = OffsetTracker(5)
    for offset in (4, 5, 6, 9):
        tracker.add_dead_letter(DeadLetter(offset, 0, None, b"?", (), "bad"))
    assert tracker.has_dead_letters
    assert [letter.offset for letter in tracker.take_dead_letters()] == [6, 9]
    assert (tracker.dead_letters_through, tracker.pending_bytes, tracker.has_dead_letters) == (9, 0, False)
