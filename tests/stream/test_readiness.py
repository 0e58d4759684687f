"""When a worker is ready, on a clock of the test."""

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


def serving() -> PartitionReadiness:
    partition = PartitionReadiness()
    partition.record_restored(0.0)
    return partition


def reasons(partition: PartitionReadiness, now: float) -> list[str]:
    return list(partition.reasons(now, LIMIT))


def test_a_partition_is_not_ready_until_it_is_restored() -> None:
    partition = PartitionReadiness()
    assert reasons(partition, 0) == ["it is being restored"]
    partition.record_restored(1.0)
    assert reasons(partition, 1) == []


def test_a_failure_counts_until_a_transaction_commits() -> None:
    partition = serving()
    partition.record_failure("not allowed: Write on topic decisions")
    assert reasons(partition, 1) == ["not allowed: Write on topic decisions"]
    partition.record_restored(2.0)
    assert reasons(partition, 2) == ["not allowed: Write on topic decisions"], "restored, and nothing committed yet"
    partition.record_commit()
    assert reasons(partition, 3) == []


def test_an_overdue_transaction_is_named_with_its_current_step() -> None:
    partition = serving()
    partition.record_transaction("waits for the transaction coordinator to add decisions-3", 10.0)
    partition.record_fetch(10.0 + TRANSACTION_SECONDS)
    assert reasons(partition, 10.0 + TRANSACTION_SECONDS) == []
    [reason] = reasons(partition, 14.0)
    assert reason == "a transaction has not ended for 4 s; it waits for the transaction coordinator to add decisions-3"
    partition.record_transaction("", None)
    assert reasons(partition, 14.0) == []


def test_a_leader_that_answers_no_fetch_makes_its_partition_unready() -> None:
    partition = serving()
    partition.record_fetch(5.0)
    assert reasons(partition, 5.0 + FETCH_SECONDS) == []
    assert reasons(partition, 10.0) == ["its leader has not answered a fetch for 5 s"]


def test_an_open_transaction_counts_from_when_it_first_hides_alerts() -> None:
    partition = serving()
    for now in range(100):
        partition.record_fetch(now)
        partition.record_log_ends(stable=10 + now, end=12 + now, now=now)
        assert reasons(partition, now) == [], "transactions come and go"
    partition.record_log_ends(stable=200, end=201, now=100)
    for now in (110, 119, 121):
        partition.record_fetch(now)
        partition.record_log_ends(stable=200, end=300, now=now)
    assert [bool(reasons(partition, now)) for now in (119, 120.5)] == [False, True]
    assert "at offset 200" in reasons(partition, 121)[0]
    partition.record_log_ends(stable=300, end=300, now=122)
    assert reasons(partition, 122) == []


def of_group(membership: MembershipReadiness, now: float) -> list[str]:
    return list(membership.reasons(now, "alerts", "group"))


def test_a_worker_is_not_ready_before_the_group_has_assigned_partitions() -> None:
    membership = MembershipReadiness()
    assert of_group(membership, 0) == ["starting"]
    membership.record_problem("")
    assert of_group(membership, 1) == ["the coordinator of group group has not assigned partitions of alerts yet"]
    membership.record_assignment(4, 2)
    assert of_group(membership, 3) == []
    membership.record_revocation()
    assert of_group(membership, 4) != []


def test_a_worker_without_partitions_is_ready_only_as_a_standby() -> None:
    membership = MembershipReadiness()
    membership.record_assignment(0, 0)
    assert of_group(membership, UNASSIGNED_SECONDS) == []
    assert of_group(membership, 28) == ["no partition of alerts has been assigned for 28 s"]
    membership.record_standby(standby=True)
    assert of_group(membership, 28) == []
    membership.record_assignment(0, 30)
    assert of_group(membership, 58) == ["no partition of alerts has been assigned for 28 s"], "the others may have left"


def test_a_lost_coordinator_is_named() -> None:
    membership = MembershipReadiness()
    membership.record_assignment(1, 0)
    for now in (1, 2, 3):
        membership.record_coordinator(known=False, now=now)
    assert of_group(membership, 1 + COORDINATOR_SECONDS) == []
    assert of_group(membership, 7) == ["group group has had no coordinator for 6 s"]
    membership.record_coordinator(known=True, now=8)
    assert of_group(membership, 8) == []


def test_a_poll_loop_that_does_not_iterate_makes_the_worker_unready() -> None:
    membership = MembershipReadiness()
    membership.record_assignment(1, 0)
    membership.record_iteration(5)
    assert of_group(membership, 5 + STALLED_SECONDS) == []
    assert of_group(membership, 20) == ["no progress for 15 s"]
