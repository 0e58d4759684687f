"""Partitions as the group assigns and revokes them, on a real Kafka."""

import asyncio
import time

from openclaw_stream.stream.assignment import Assignment
from openclaw_stream.stream.partition_state import PartitionState
from openclaw_stream.stream.readiness import MembershipReadiness
from tests.stream.conftest import NewPipeline
from tests.stream.in_process import open_context, source_of
from tests.stream.pipeline import alert, check_exactly_once, counted, until


def test_two_workers_divide_partitions_and_hand_them_over(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(4)
    first = pipeline.start()
    pipeline.produce([(n % 4, alert(f"s{n % 40}")) for n in range(800)])
    until(lambda: bool(pipeline.decisions()), "the first decisions")
    second = pipeline.start()
    for _ in range(10):
        pipeline.produce([(n % 4, alert(f"s{n % 40}", f"Alert{n % 3}")) for n in range(200)])
        time.sleep(0.3)
    until(lambda: pipeline.logs().count('"partitions assigned"') >= 3, "both workers to have partitions")
    pipeline.stop(first)
    pipeline.await_settled()
    pipeline.stop(second)
    drains = [line for line in pipeline.logs().splitlines() if '"drain started"' in line]
    assert any('"partitions revoked"' in line for line in drains)
    decisions = pipeline.decisions()
    check_exactly_once(decisions)
    assert {d["incident"]["group_key"] for d in decisions} == {f"shop/s{n}" for n in range(40)}
    assert counted(pipeline) == 2800


def test_a_drain_is_logged_when_it_starts_and_when_it_ends(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(2)
    worker = pipeline.start()
    pipeline.produce([(n % 2, alert(f"s{n}")) for n in range(4)])
    pipeline.await_settled()
    assert pipeline.stop(worker) == 0, pipeline.logs()
    [started], [ended] = pipeline.log_lines("drain started"), pipeline.log_lines("drain ended")
    assert (started["reason"], started["partitions"]) == ("shutdown", [0, 1])
    assert ended["drained"] is True
    assert ended["committed_offsets"] == {"0": 2, "1": 2}


# ---- in this process


async def test_assigned_partitions_are_paused_until_they_are_restored(new_pipeline: NewPipeline) -> None:
    pipeline = await asyncio.to_thread(new_pipeline, 2)
    sources = [source_of(pipeline, number) for number in (0, 1)]
    async with open_context(pipeline) as context:
        readiness = MembershipReadiness()
        assignment = Assignment(context, readiness)
        await assignment.on_partitions_assigned(sources)
        assert context.consumer.paused() == set(sources)
        assert assignment.count == 2
        assert {partition.source: partition.state for partition in assignment} == dict.fromkeys(
            sources, PartitionState.RESTORING
        )
        assert list(readiness.reasons(time.monotonic(), "alerts", "group")) == []
        await assignment.drain("the test ends", final=False)


async def test_a_partition_that_was_revoked_and_assigned_again_is_another_one(new_pipeline: NewPipeline) -> None:
    pipeline = await asyncio.to_thread(new_pipeline, 2)
    revoked, kept = (source_of(pipeline, number) for number in (0, 1))
    async with open_context(pipeline) as context:
        assignment = Assignment(context, MembershipReadiness())
        await assignment.on_partitions_assigned([revoked, kept])
        before, other = assignment.get(revoked), assignment.get(kept)
        assert before
        assert other
        await assignment.on_partitions_revoked([revoked])
        assert assignment.get(revoked) is None
        assert before.state is PartitionState.CLOSED
        assert not other.state.is_ending
        await assignment.on_partitions_assigned([revoked])
        assert assignment.get(revoked) is not before
        assert (assignment.includes(before), assignment.includes(other)) == (False, True)
        await assignment.drain("the test ends", final=False)


async def test_partitions_assigned_during_a_drain_are_paused_and_not_served(new_pipeline: NewPipeline) -> None:
    pipeline = await asyncio.to_thread(new_pipeline, 1)
    source = source_of(pipeline)
    async with open_context(pipeline) as context:
        readiness = MembershipReadiness()
        readiness.record_problem("")
        assignment = Assignment(context, readiness)
        assert await assignment.drain("shutdown", final=True), "nothing was assigned"
        await assignment.on_partitions_assigned([source])
        assert (assignment.count, assignment.get(source)) == (0, None)
        assert context.consumer.paused() == {source}
        [reason] = readiness.reasons(time.monotonic(), "alerts", "group")
        assert "has not assigned partitions of alerts yet" in reason
