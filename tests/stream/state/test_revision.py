"""A group and its revisions, from trigger to publication."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.events.arbitration_result import PublishedDecision
from openclaw_stream.incidents.state import State
from openclaw_stream.stream.state.revision import Group, ResumePoint, Revision
from openclaw_stream.vocabulary import EventType, IncidentStatus
from tests.stream.bench import FIRES

DECISION = EventType.DECISION
LAST = PublishedDecision("first", 1, "DB", (), "low", 0.9, "rules")


def opened_group() -> Group:
    state = State("g")
    state.begin("first", 0, 0, "")
    state.add_member(FIRES)
    return Group(state)


def triggered(group: Group, due: int = 10) -> Revision:
    return group.add_revision(group.state.copy(), due, DECISION)


def test_a_snapshot_does_not_change_with_the_group() -> None:
    group = opened_group()
    revision = triggered(group)
    assert (group.gathering, revision.snapshot) == (revision, None)
    assert (revision.event_type, revision.rules_only) == (DECISION, False)
    snapshot = revision.cut(8, rules_only=True)
    group.state.resolve_member(FIRES.member)
    assert (revision.due, revision.rules_only, revision.snapshot, group.gathering) == (8, True, snapshot, None)
    assert (snapshot.firing, group.state.firing) == ({1: 1}, {})


@pytest.mark.parametrize(("due", "expected"), [(9, 9), (10, 10), (11, 10)])
def test_a_revision_is_only_brought_forward(due: int, expected: int) -> None:
    revision = triggered(opened_group())
    revision.bring_forward(due)
    assert revision.due == expected


def test_the_weight_includes_the_snapshot_once_it_is_cut() -> None:
    group = opened_group()
    revision = triggered(group)
    before = revision.weight
    revision.cut(10)
    assert not revision.rules_only
    assert before == revision.state_before.weight
    assert revision.weight == before + group.state.weight


def test_only_the_first_revision_of_a_further_incident_opens_the_next_one() -> None:
    """The last state of the incident before it must be written before it is replaced."""
    group = Group(State("g"))
    first = triggered(group)
    group.state.begin("first", 0, 0, "")
    second = triggered(group)
    group.state.close(IncidentStatus.RESOLVED, 5)
    next_one = triggered(group)
    assert not next_one.opens_next_incident, "it is not cut"
    first.cut(10)
    second.cut(10)
    group.state.begin("second", 5, 5, "first")
    next_one.cut(10)
    assert [each.opens_next_incident for each in group.revisions] == [False, False, True]


def test_only_the_first_record_since_the_trigger_sets_the_resume_point() -> None:
    group = opened_group()
    points = [ResumePoint(offset, 10 * offset) for offset in range(3)]
    first = triggered(group)
    group.resume_at(points[0])
    second, third = triggered(group), triggered(group)
    group.resume_at(points[1])
    group.resume_at(points[2])
    assert [each.resume_point for each in (first, second, third)] == [points[0], points[1], points[1]]
    assert not third.resume_at(points[2])


def test_one_revision_is_in_flight_at_a_time_and_only_after_it_is_cut() -> None:
    group = opened_group()
    assert group.take_ready() is None
    first = triggered(group)
    assert (group.take_ready(), group.in_flight) == (None, False)
    first.cut(10)
    second = triggered(group)
    second.cut(20)
    assert (group.take_ready(), group.in_flight) == (first, True)
    assert group.take_ready() is None
    assert group.complete(first, "decided", None)
    assert (group.take_ready(), group.in_flight) == (second, True)


def test_a_completed_revision_may_be_published_once_those_before_it_are() -> None:
    group = opened_group()
    first, second = triggered(group), triggered(group)
    for revision in (first, second):
        revision.cut(10)
    assert not group.complete(second, "decided", None)
    assert group.take_decided() is None
    assert group.complete(first, "decided", None)
    assert [group.take_decided(), group.take_decided(), group.take_decided()] == [first, second, None]


def test_a_revision_without_a_decision_keeps_the_last_one() -> None:
    group = opened_group()
    for last_decision in (LAST, None):
        revision = triggered(group)
        revision.cut(10)
        group.complete(revision, "decided", last_decision)
        assert group.last_decision == (None if last_decision else LAST), "it counts once it is published"
        assert group.take_decided() is revision
        assert group.last_decision == LAST


def test_a_state_is_written_until_its_next_change() -> None:
    group = opened_group()
    assert group.is_written, "a restored state is one that was written"
    group.state.settle_through(3)
    version = group.state.version
    group.state.settle_through(4)
    group.mark_written(version)
    assert not group.is_written, "it changed while it was written"
    group.mark_written(group.state.version)
    assert group.is_written


@pytest.mark.parametrize(
    ("status", "written", "dropped"),
    [
        (IncidentStatus.RESOLVED, True, True),
        (IncidentStatus.RESOLVED, False, False),
        (IncidentStatus.ASSUMED_RESOLVED, True, False),
        (None, True, False),
    ],
)
def test_evidence_is_dropped_only_of_a_final_incident_that_is_written(
    status: IncidentStatus | None, *, written: bool, dropped: bool
) -> None:
    group = opened_group()
    if status:
        group.state.close(status, 5)
    if written:
        group.mark_written(group.state.version)
    group.drop_evidence()
    assert (not group.state.firing) is dropped


@given(st.lists(st.sampled_from(["trigger", "cut", "take", "complete", "publish"]), max_size=60))
def test_revisions_are_published_in_the_order_of_their_triggers(steps: list[str]) -> None:
    group = opened_group()
    expected, in_flight, published = deque[Revision](), deque[Revision](), []
    for step in steps:
        gathering = group.gathering
        if step == "trigger" and gathering is None:
            expected.append(triggered(group))
        elif step == "cut" and gathering:
            gathering.cut(10)
        elif step == "take" and (ready := group.take_ready()):
            in_flight.append(ready)
        elif step == "complete" and in_flight:
            assert group.complete(in_flight.popleft(), "decided", None)
        elif step == "publish" and (decided := group.take_decided()):
            published.append(decided)
        assert group.in_flight is bool(in_flight)
        assert len(in_flight) <= 1
    assert [*published, *group.revisions] == list(expected)
