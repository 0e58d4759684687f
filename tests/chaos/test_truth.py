"""The model of incidents that the verifier holds the outputs against."""

from tests.chaos.truth import MEMBERS_MAX, Logged, tell
from tests.chaos.wire import Said

HOLD = 100


def says(service: str = "web", *, firing: bool = True, member: str = "m", starts: int = 1, name: str = "A") -> Said:
    return Said(service, name, 1, firing, starts, member, explicit=True)


def log(*records: tuple[int, list[Said]], dead: bool = False) -> list[Logged]:
    return [
        Logged(0, offset, timestamp, None, b"", (), tuple(alerts), dead)
        for offset, (timestamp, alerts) in enumerate(records)
    ]


def test_an_alert_after_the_hold_opens_another_incident() -> None:
    truth = tell(log((0, [says()]), (10, [says(firing=False)]), (110, [says(starts=2)]), (115, [says(starts=2)])), HOLD)
    assert [(i.opened_offset, len(i.alerts), i.ended) for i in truth.incidents] == [(0, 2, True), (2, 2, False)]


def test_an_alert_within_the_hold_keeps_the_incident() -> None:
    truth = tell(log((0, [says()]), (10, [says(firing=False)]), (109, [says(starts=2)])), HOLD)
    assert [(len(i.alerts), i.ended) for i in truth.incidents] == [(3, False)]


def test_a_late_repeat_of_a_resolved_member_counts_and_changes_nothing() -> None:
    truth = tell(log((0, [says()]), (10, [says(firing=False)]), (20, [says()])), HOLD)
    assert [(len(i.alerts), i.ended) for i in truth.incidents] == [(3, True)]


def test_time_is_the_highest_timestamp_so_far_of_the_partition() -> None:
    truth = tell(log((0, [says()]), (10, [says(firing=False)]), (500, [says("other")]), (20, [says(starts=2)])), HOLD)
    assert [i.group for i in truth.incidents] == ["chaos/web", "chaos/other", "chaos/web"]


def test_ends_of_what_does_not_fire_are_no_ops() -> None:
    truth = tell(log((0, [says(firing=False)]), (1, [says("web"), says("db", firing=False)])), HOLD)
    assert (truth.alerts, truth.no_ops, len(truth.incidents)) == (3, 2, 1)


def test_a_crowd_does_not_end_by_the_ends_of_its_members() -> None:
    members = [f"m{n}" for n in range(MEMBERS_MAX + 1)]
    fire, resolve = [says(member=m) for m in members], [says(member=m, firing=False) for m in members]
    assert [i.ended for i in tell(log((0, fire), (1, resolve)), HOLD).incidents] == [False]
    assert [i.ended for i in tell(log((0, fire[1:]), (1, resolve[1:])), HOLD).incidents] == [True]


def test_poison_is_dead_and_no_alert() -> None:
    truth = tell(log((0, []), dead=True), HOLD)
    assert ([record.offset for record in truth.dead], truth.alerts) == ([0], 0)
