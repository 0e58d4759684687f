"""Silences are measured per partition and attributed to the faults around their beginning."""

from tests.chaos.canaries import Delay
from tests.chaos.silences import NO_FAULT, Injection, gaps, late, lines, longest

KILLED, FROZEN = Injection("killed", 100, 101), Injection("frozen", 120, 135)


def test_a_gap_is_between_two_decisions_of_one_partition() -> None:
    delays = [Delay(0, 1, 2), Delay(1, 1, 3), Delay(0, 8, 9), Delay(1, 3, 4)]
    assert [(gap.partition, gap.seconds) for gap in gaps(delays)] == [(0, 7), (1, 1)]


def test_a_silence_belongs_to_the_faults_active_or_just_over_when_it_began() -> None:
    delays = [Delay(0, 99, 102), Delay(0, 105, 113), Delay(0, 134, 154), Delay(0, 160, 164)]
    found = longest(late(delays), [KILLED, FROZEN])
    assert found == {"killed": (8, 8), "frozen": (20, 20), NO_FAULT: (4, 4)}


def test_delays_that_overlap_are_one_silence() -> None:
    delays = [Delay(0, 100, 118), Delay(0, 110, 118.5), Delay(0, 117, 117.5), Delay(1, 100, 104), Delay(0, 130, 134)]
    assert [(silence.partition, silence.began, silence.ended) for silence in late(delays)] == [
        (0, 100, 118.5),
        (0, 130, 134),
        (1, 100, 104),
    ]


def test_a_silence_with_several_kinds_of_faults_around_it_is_of_none_alone() -> None:
    other = Injection("other", 99, 110)
    found = longest(
        late([Delay(0, 100, 110), Delay(0, 122, 126)]), [KILLED, other, FROZEN, Injection("frozen", 121, 125)]
    )
    assert found == {"killed": (0, 10), "other": (0, 10), "frozen": (4, 4)}


def test_a_fault_that_begins_within_a_silence_shares_it() -> None:
    assert longest(late([Delay(0, 101, 125)]), [KILLED, FROZEN]) == {"killed": (0, 24)}


def test_every_fault_has_a_line() -> None:
    table = list(lines([Delay(0, 100, 100.5), Delay(0, 120, 131)], [KILLED, FROZEN]))
    assert [line.split()[0] for line in table[2:]] == ["frozen", "killed"]
    assert "11.0 / 11.0" in table[2]
    assert "30.5" in table[3]  # without a decision
    assert "< 3" in table[3]
