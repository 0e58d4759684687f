"""One log line for each opened incident, decision, resolution and dead letter of a transaction."""

from collections.abc import Mapping, Sequence
from typing import Any

from structlog.testing import capture_logs

from openclaw_stream.events.arbitration_result import ArbitrationResult
from openclaw_stream.stream.publication_log import PublicationLog
from openclaw_stream.stream.state.transaction_plan import DeadLetter, TransactionPlan
from tests.stream.bench import FIRES, Partition, played
from tests.stream.results import result

Lines = Sequence[Mapping[str, Any]]

SECRET = "hunter2-hunter2"  # noqa: S105 - planted, to be searched for


def commit(partition: Partition, decided: ArbitrationResult | None = None, generation: int = 1) -> Lines:
    """Decide and commit all that is due, and return what is logged about it."""
    ledger = partition.ledger
    while ledger.ready:
        revision = ledger.ready.popleft()
        ledger.complete(revision, decided or result(), None)
    plan = ledger.plan(lazy=True)
    assert plan is not None
    return logged(plan, generation)


def logged(plan: TransactionPlan, generation: int = 1) -> Lines:
    with capture_logs() as lines:
        PublicationLog(3).record(plan, generation)
    assert all(line["log_level"] == "info" and line["partition"] == 3 for line in lines)
    return lines


def gathered(*reads: int) -> Partition:
    """Return a partition whose incident, opened at offset 0, has been read at these times."""
    partition = Partition()
    for now in reads:
        partition.read(now, FIRES)
    return partition


def test_the_first_revision_logs_that_the_incident_opened_and_its_decision() -> None:
    partition = gathered(0, 10)
    opened, decision = commit(partition)
    assert opened["event"] == "incident opened"
    assert (opened["incident_id"], opened["group_key"], opened["offset"]) == (partition.state.incident_id, "g", 0)
    assert (opened["severity"], opened["replayed"]) == ("warning", False)
    assert decision["event"] == "decision published"
    assert decision["incident_id"] == opened["incident_id"]
    assert (decision["team"], decision["confidence"], decision["provider"]) == ("DB", 0.8, "rules")
    assert (decision["gate"], decision["evidence"]) == ("passed", "PostgreSQLDown names postgresql: DB")
    assert decision["revision"] == 1


def test_an_incident_that_is_restored_before_its_first_revision_is_logged_once() -> None:
    partition = gathered(0)
    assert partition.write() == [], "the opening is not committed yet"
    partition.start()
    partition.read(0, FIRES)
    partition.read(10, FIRES)
    assert [line["event"] for line in commit(partition)] == ["incident opened", "decision published"]


def test_repeats_of_an_alert_are_not_logged() -> None:
    partition = gathered(0, 10)
    commit(partition)
    for now in range(11, 40):
        partition.read(now, FIRES)
    assert commit(partition) == []


def test_a_resolution_is_logged_with_its_status() -> None:
    partition = Partition()
    partition.fold(4)
    *before, resolution = commit(partition)
    assert [line["event"] for line in before] == ["incident opened", "decision published"]
    assert resolution["event"] == "resolution published"
    assert (resolution["status"], resolution["revision"], resolution["team"]) == ("resolved", 2, "DB")
    assert resolution["alerts"] == 3
    assert resolution["group_key"] == "g"


def test_a_replayed_incident_is_logged_as_replayed() -> None:
    partition = played()
    partition.reset(0)
    partition.fold()
    lines = commit(partition, generation=2)
    assert {(line["generation"], line["replayed"]) for line in lines} == {(2, True)}


def letter(offset: int, reason: str = "not JSON") -> DeadLetter:
    return DeadLetter(offset, 1, b"k", b"v", (), reason, (0, 2))


def plan_of(*letters: DeadLetter) -> TransactionPlan:
    return TransactionPlan([], [], list(letters), 10, "")


def test_a_dead_letter_is_logged_with_its_offset_and_reason() -> None:
    [line] = logged(plan_of(letter(7)))
    assert line["event"] == "dead letter published"
    assert (line["offset"], line["reason"], line["bad_alerts"]) == (7, "not JSON", [0, 2])


def test_a_flood_of_dead_letters_is_summed_up() -> None:
    lines = logged(plan_of(*(letter(offset) for offset in range(1000))))
    assert len(lines) == 51
    assert lines[-1]["event"] == "further dead letters published"
    assert (lines[-1]["count"], lines[-1]["first_offset"], lines[-1]["last_offset"]) == (950, 50, 999)


def test_dead_letters_of_many_transactions_share_the_limit_of_their_period() -> None:
    now = [0.0]
    publications = PublicationLog(3, lambda: now[0])
    with capture_logs() as lines:
        for offset in range(60):
            publications.record(plan_of(letter(offset)), 1)
    events = [line["event"] for line in lines]
    assert events.count("dead letter published") == 50
    assert events.count("further dead letters published") == 10
    now[0] = 10.0
    with capture_logs() as lines:
        publications.record(plan_of(letter(60)), 1)
    assert [line["event"] for line in lines] == ["dead letter published"]


def test_untrusted_text_is_logged_without_secrets_and_hidden_characters() -> None:
    untrusted = f"postgres://app:{SECRET}@db \u202e reversed {'x' * 3000}"
    _, decision = commit(gathered(0, 10), result(untrusted))
    [dead] = logged(plan_of(letter(1, untrusted)))
    for text in (decision["evidence"], dead["reason"]):
        assert SECRET not in text
        assert "\u202e" not in text
        assert len(text) <= 500
