"""The model of incidents that the verifier compares the outputs with."""

from tests.chaos.truth import MEMBERS_MAX, Logged, compute_truth
from tests.chaos.wire import SentAlert

HOLD = 100


def sent_alert(
    service: str = "web", *, firing: bool = True, member: str = "m", starts: int = 1, name: str = "A"
) -> SentAlert:
    return SentAlert(service, name, 1, firing, starts, member, explicit=True)


def log(*records: tuple[int, list[SentAlert]], dead: bool = False) -> list[Logged]:
    return [
        Logged(0, offset, timestamp, None, b"", (), tuple(alerts), dead)
        for offset, (timestamp, alerts) in enumerate(records)
    ]


def test_an_alert_after_the_hold_opens_another_incident() -> None:
    truth = compute_truth(
        log(
            (0, [sent_alert()]),
            (10, [sent_alert(firing=False)]),
            (110, [sent_alert(starts=2)]),
            (115, [sent_alert(starts=2)]),
        ),
        HOLD,
    )
    assert [(i.opened_offset, len(i.alerts), i.ended) for i in truth.incidents] == [(0, 2, True), (2, 2, False)]


def test_an_alert_within_the_hold_keeps_the_incident() -> None:
    truth = compute_truth(
        log((0, [sent_alert()]), (10, [sent_alert(firing=False)]), (109, [sent_alert(starts=2)])), HOLD
    )
    assert [(len(i.alerts), i.ended) for i in truth.incidents] == [(3, False)]


def test_a_late_repeat_of_a_resolved_member_counts_and_changes_nothing() -> None:
    truth = compute_truth(log((0, [sent_alert()]), (10, [sent_alert(firing=False)]), (20, [sent_alert()])), HOLD)
    assert [(len(i.alerts), i.ended) for i in truth.incidents] == [(3, True)]


def test_time_is_the_highest_timestamp_so_far_of_the_partition() -> None:
    truth = compute_truth(
        log(
            (0, [sent_alert()]),
            (10, [sent_alert(firing=False)]),
            (500, [sent_alert("other")]),
            (20, [sent_alert(starts=2)]),
        ),
        HOLD,
    )
    assert [i.group for i in truth.incidents] == ["chaos/web", "chaos/other", "chaos/web"]


def test_ends_of_what_does_not_fire_are_no_ops() -> None:
    truth = compute_truth(
        log((0, [sent_alert(firing=False)]), (1, [sent_alert("web"), sent_alert("db", firing=False)])), HOLD
    )
    assert (truth.alerts, truth.no_ops, len(truth.incidents)) == (3, 2, 1)


def test_a_crowd_does_not_end_by_the_ends_of_its_members() -> None:
    members = [f"m{n}" for n in range(MEMBERS_MAX + 1)]
    fire, resolve = [sent_alert(member=m) for m in members], [sent_alert(member=m, firing=False) for m in members]
    assert [i.ended for i in compute_truth(log((0, fire), (1, resolve)), HOLD).incidents] == [False]
    assert [i.ended for i in compute_truth(log((0, fire[1:]), (1, resolve[1:])), HOLD).incidents] == [True]


def test_poison_is_dead_and_no_alert() -> None:
    truth = compute_truth(log((0, []), dead=True), HOLD)
    assert ([record.offset for record in truth.dead], truth.alerts) == ([0], 0)
