"""When a worker says that it is ready, on a clock of the test's own."""

from openclaw_stream.stream.readiness import (
    COORDINATOR_SECONDS,
    FETCH_SECONDS,
    STALLED_SECONDS,
    TRANSACTION_SECONDS,
    UNASSIGNED_SECONDS,
    MembershipReadiness,
    PartitionReadiness,
)

LIMIT = 20.0


def served() -> PartitionReadiness:
    partition = PartitionReadiness()
    partition.serve(0.0)
    return partition


def reasons(partition: PartitionReadiness, now: float) -> list[str]:
    return list(partition.reasons(now, LIMIT))


def test_a_partition_is_not_ready_until_it_is_restored() -> None:
    partition = PartitionReadiness()
    assert reasons(partition, 0) == ["it is being restored"]
    partition.serve(1.0)
    assert reasons(partition, 1) == []


def test_a_failure_counts_until_a_transaction_commits() -> None:
    partition = served()
    partition.fail("not allowed: Write on topic decisions")
    assert reasons(partition, 1) == ["not allowed: Write on topic decisions"]
    partition.serve(2.0)
    assert reasons(partition, 2) == ["not allowed: Write on topic decisions"], "restored, and nothing committed yet"
    partition.commit()
    assert reasons(partition, 3) == []


def test_a_transaction_that_takes_long_is_overdue_and_says_what_it_waits_for() -> None:
    partition = served()
    partition.wait_for("waits for the transaction coordinator to add decisions-3", 10.0)
    partition.fetch(10.0 + TRANSACTION_SECONDS)
    assert reasons(partition, 10.0 + TRANSACTION_SECONDS) == []
    [reason] = reasons(partition, 14.0)
    assert reason == "a transaction has not ended for 4 s; it waits for the transaction coordinator to add decisions-3"
    partition.wait_for("", None)
    assert reasons(partition, 14.0) == []


def test_a_leader_that_answers_no_fetch_is_noticed() -> None:
    partition = served()
    partition.fetch(5.0)
    assert reasons(partition, 5.0 + FETCH_SECONDS) == []
    assert reasons(partition, 10.0) == ["its leader has not answered a fetch for 5 s"]


def test_an_open_transaction_counts_from_when_it_began_to_hide_alerts() -> None:
    partition = served()
    for now in range(100):
        partition.fetch(now)
        partition.see_ends(stable=10 + now, end=12 + now, now=now)
        assert reasons(partition, now) == [], "transactions come and go"
    partition.see_ends(stable=200, end=201, now=100)
    for now in (110, 119, 121):
        partition.fetch(now)
        partition.see_ends(stable=200, end=300, now=now)
    assert [bool(reasons(partition, now)) for now in (119, 120.5)] == [False, True]
    assert "at offset 200" in reasons(partition, 121)[0]
    partition.see_ends(stable=300, end=300, now=122)
    assert reasons(partition, 122) == []


def of_group(membership: MembershipReadiness, now: float) -> list[str]:
    return list(membership.reasons(now, "alerts", "group"))


def test_a_worker_is_not_ready_before_the_group_has_assigned_partitions() -> None:
    membership = MembershipReadiness()
    assert of_group(membership, 0) == ["starting"]
    membership.trouble = ""
    assert of_group(membership, 1) == ["the coordinator of group group has not assigned partitions of alerts yet"]
    membership.assign(4, 2)
    assert of_group(membership, 3) == []
    membership.revoke()
    assert of_group(membership, 4) != []


def test_having_no_partition_is_right_for_a_standby_only() -> None:
    membership = MembershipReadiness()
    membership.assign(0, 0)
    assert of_group(membership, UNASSIGNED_SECONDS) == []
    assert of_group(membership, 28) == ["no partition of alerts has been assigned for 28 s"]
    membership.standby = True
    assert of_group(membership, 28) == []
    membership.assign(0, 30)
    assert not membership.standby, "another assignment, and the others may have left"


def test_a_lost_coordinator_is_named() -> None:
    membership = MembershipReadiness()
    membership.assign(1, 0)
    for now in (1, 2, 3):
        membership.see_coordinator(known=False, now=now)
    assert of_group(membership, 1 + COORDINATOR_SECONDS) == []
    assert of_group(membership, 7) == ["group group has had no coordinator for 6 s"]
    membership.see_coordinator(known=True, now=8)
    assert of_group(membership, 8) == []


def test_a_loop_that_does_not_turn_is_noticed() -> None:
    membership = MembershipReadiness()
    membership.assign(1, 0)
    membership.turn(5)
    assert of_group(membership, 5 + STALLED_SECONDS) == []
    assert of_group(membership, 20) == ["no progress for 15 s"]
