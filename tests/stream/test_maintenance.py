"""Maintenance beside the poll loop, on a real Kafka: a topic created again, added partitions, members of the group."""

import asyncio
import time
from dataclasses import replace

import pytest
from confluent_kafka import Consumer
from structlog.testing import capture_logs

from openclaw_stream.stream.assignment import Assignment
from openclaw_stream.stream.kafka.connection import group_consumer, stop_client
from openclaw_stream.stream.maintenance import Maintenance
from openclaw_stream.stream.readiness import COORDINATOR_SECONDS, MembershipReadiness
from tests.stream.conftest import NewPipeline
from tests.stream.in_process import eventually, open_context, source_of
from tests.stream.pipeline import alert, check_exactly_once, until


def test_a_topic_created_again_is_read_without_a_restart(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(2)
    worker = pipeline.start_watched()
    pipeline.produce([(n % 2, alert(f"old{n % 4}", f"A{n}")) for n in range(60)])
    pipeline.await_settled()
    pipeline.delete("alerts")
    pipeline.create()
    pipeline.produce([(n % 2, alert(f"{age}{n}")) for n in range(4) for age in ("old", "new")])
    pipeline.await_decided(*(f"new{n}" for n in range(4)), seconds=90)
    pipeline.await_settled(90)
    worker.await_ready()
    assert worker.process.poll() is None
    later = [d for d in pipeline.decisions() if d["generation"] > 1]
    assert {d["incident"]["service"] for d in later} == {f"{age}{n}" for n in range(4) for age in ("old", "new")}
    assert not any(d["replayed"] for d in later), "they are alerts of another log"
    check_exactly_once(pipeline.decisions())
    assert "created again" in pipeline.logs()
    assert pipeline.logs().count("joining the group again") <= 1


def test_added_partitions_are_read_without_a_restart(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(1)
    worker = pipeline.start_watched()
    worker.await_ready()
    pipeline.add_partitions("alerts", 3)
    reason = worker.await_reason(pipeline.topics["incidents"], "has no partition")
    assert "--partitions" in reason
    pipeline.produce([(1, alert("db"))])
    pipeline.add_partitions("incidents", 3)
    pipeline.partitions = 3
    pipeline.produce([(2, alert("cart")), (0, alert("web"))])
    pipeline.await_decided("db", "cart", "web")
    worker.await_ready()
    assert worker.process.poll() is None
    until(lambda: "partitions were added to the alerts topic" in pipeline.logs(), "the log line")
    assert pipeline.logs().count("partitions were added to the alerts topic") == 1


@pytest.mark.cluster
def test_a_worker_without_partitions_is_a_standby_unless_a_foreign_member_owns_one(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(1)
    workers = [pipeline.start_watched() for _ in range(2)]
    for worker in workers:
        worker.await_ready()
    time.sleep(40)  # longer than a worker may have no partitions
    assert [worker.reasons() for worker in workers] == [[], []]
    foreign = Consumer(
        {
            "bootstrap.servers": pipeline.bootstrap,
            "group.id": pipeline.name,
            "client.id": "a-foreign-member",
            "partition.assignment.strategy": "roundrobin",
        }
    )
    foreign.subscribe([pipeline.topics["alerts"]])
    try:
        until(lambda: foreign.consume(1, 0.2) is not None and bool(foreign.assignment()), "the partition")
        deadline = time.monotonic() + 60
        while not all(any("no partition" in reason for reason in worker.reasons() or ()) for worker in workers):
            foreign.consume(1, 0.2)
            assert time.monotonic() < deadline, [worker.reasons() for worker in workers]
        assert "another program is a member of the consumer group" in pipeline.logs()
        assert "joining the group again" not in pipeline.logs(), "every partition has an owner"
    finally:
        foreign.close()
    for worker in workers:
        worker.await_ready()


# ---- in this process


async def test_a_deleted_topic_ends_the_membership_with_a_reason(new_pipeline: NewPipeline) -> None:
    pipeline = await asyncio.to_thread(new_pipeline, 1)
    rejoined: list[str] = []
    async with open_context(pipeline) as context:
        readiness = MembershipReadiness()
        maintenance = Maintenance(context, Assignment(context, readiness), readiness, rejoined.append)
        await asyncio.to_thread(pipeline.delete, "alerts")
        running = asyncio.create_task(maintenance.run())
        await eventually(lambda: bool(rejoined), "the reason")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert rejoined[0] == f"topic {pipeline.topics['alerts']} was deleted"


async def test_the_lag_grows_of_a_partition_that_fetches_nothing(new_pipeline: NewPipeline) -> None:
    pipeline = await asyncio.to_thread(new_pipeline, 1)
    async with open_context(pipeline, lambda: -1) as context:
        readiness = MembershipReadiness()
        assignment = Assignment(context, readiness)
        source = source_of(pipeline)
        await assignment.on_partitions_assigned([source])
        partition = assignment.get(source)
        assert partition
        maintenance = Maintenance(context, assignment, readiness, pytest.fail)
        running = asyncio.create_task(maintenance.run())
        await eventually(lambda: partition.epoch > 0, "the restore")
        partition.start_processing()
        partition.block("the log is damaged")
        await asyncio.to_thread(pipeline.produce, [(0, alert("cart"))] * 3)

        def lag() -> float | None:
            partition.tick(0, 0, 0)
            return context.metrics.registry.get_sample_value("openclaw_lag_records", {"partition": "0"})

        assert lag() == 0, "the client has fetched nothing since"
        await eventually(lambda: lag() == 3, "the lag")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await assignment.drain("test", final=False)


async def test_maintenance_continues_after_an_error(new_pipeline: NewPipeline) -> None:
    """A consumer that is not started has neither brokers nor a group coordinator."""
    pipeline = await asyncio.to_thread(new_pipeline, 1)
    rejoined: list[str] = []
    async with open_context(pipeline) as context:
        readiness = MembershipReadiness()
        readiness.record_assignment(1, time.monotonic())
        unconnected = replace(context, consumer=group_consumer(context.settings.kafka))
        maintenance = Maintenance(unconnected, Assignment(unconnected, readiness), readiness, rejoined.append)
        with capture_logs() as lines:
            running = asyncio.create_task(maintenance.run())
            await eventually(lambda: len(lines) >= 2, "two failures")
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        await stop_client(unconnected.consumer)
    assert {(line["event"], line["task"]) for line in lines} == {("maintenance failed", "check_topic")}
    assert rejoined == []
    later = time.monotonic() + COORDINATOR_SECONDS
    assert any("has had no coordinator" in reason for reason in readiness.reasons(later, "alerts", pipeline.name))
