"""When a partition takes no more records, and how its undecided work drains then."""

from collections.abc import AsyncIterator

import pytest

from openclaw_stream.arbitration.wiring import open_arbiter
from openclaw_stream.settings import Settings
from openclaw_stream.stream.backpressure import Backpressure
from openclaw_stream.stream.decision_queue import DecisionQueue
from openclaw_stream.telemetry.metrics import Metrics
from tests.stream.bench import FIRES, Partition
from tests.stream.conftest import NewPipeline
from tests.stream.pipeline import alert, check_exactly_once, counted
from tests.stream.test_decision_queue import revision

ROOM = 1 << 40


@pytest.fixture
async def queue() -> AsyncIterator[DecisionQueue]:
    """A decision queue without models, which decides nothing before the test awaits something."""
    async with open_arbiter(Settings(), Metrics()) as arbiter:
        decision_queue = DecisionQueue(arbiter)
        yield decision_queue
        await decision_queue.close()


def gathering() -> Partition:
    """Return a partition with one revision that gathers alerts and is not due."""
    partition = Partition()
    partition.read(0, FIRES)
    assert partition.ledger.pending_bytes > 0
    assert partition.ledger.undecided == 0
    return partition


async def test_a_partition_below_its_limits_is_not_full_and_may_resume(queue: DecisionQueue) -> None:
    backpressure = Backpressure(gathering().ledger, queue, lambda: ROOM, 10)
    assert not backpressure.is_full()
    assert backpressure.relieve()


async def test_a_partition_above_its_bytes_decides_what_gathers_now(queue: DecisionQueue) -> None:
    partition, limits = gathering(), [0]
    backpressure = Backpressure(partition.ledger, queue, lambda: limits[0], 10)
    assert backpressure.is_full()
    assert not backpressure.relieve()
    assert partition.ledger.undecided == 1
    partition.commit()
    limits[0] = partition.ledger.pending_bytes
    assert backpressure.relieve()


async def test_a_partition_waits_for_the_decision_queue_without_cutting_revisions(queue: DecisionQueue) -> None:
    partition = gathering()
    backpressure = Backpressure(partition.ledger, queue, lambda: ROOM, 2)
    for name in ("a", "b"):
        queue.submit(revision(name), lambda _, __: None, lambda: True)
    assert queue.length == 2
    assert backpressure.is_full()
    assert not backpressure.relieve()
    assert partition.ledger.undecided == 0


async def test_a_blocked_partition_does_not_resume_and_decides_what_gathers(queue: DecisionQueue) -> None:
    partition = gathering()
    backpressure = Backpressure(partition.ledger, queue, lambda: ROOM, 10)
    backpressure.block()
    assert not backpressure.is_full()
    assert not backpressure.relieve()
    assert partition.ledger.undecided == 1


def test_a_backlog_is_processed_under_a_tiny_memory_limit(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(
        2, OPENCLAW_MAX_PENDING_BYTES="20000", OPENCLAW_MAX_PENDING_DECISIONS="5", OPENCLAW_GROUP_WAIT="600"
    )
    pipeline.produce([(n % 2, alert(f"s{n % 300}")) for n in range(3000)])
    worker = pipeline.start()
    pipeline.await_settled(90)
    pipeline.stop(worker)
    decisions = pipeline.decisions()
    check_exactly_once(decisions)
    assert len({d["incident_id"] for d in decisions}) == 300
    assert counted(pipeline) == 3000
