"""One membership of the consumer group: what ends it, and what a former member may still do."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from openclaw_stream.arbitration.wiring import open_arbiter
from openclaw_stream.settings import KafkaSettings, Settings
from openclaw_stream.stream.decision_queue import DecisionQueue
from openclaw_stream.stream.group_member import GroupMember
from openclaw_stream.stream.kafka.topics import TopicFacts
from openclaw_stream.stream.readiness import MembershipReadiness
from openclaw_stream.stream.shutdown import Shutdown
from openclaw_stream.telemetry.metrics import Metrics
from tests.stream.conftest import NewPipeline
from tests.stream.in_process import eventually, quick_settings
from tests.stream.pipeline import alert, check_exactly_once, counted, until


def test_a_frozen_worker_publishes_nothing_after_its_session_has_expired(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(1, KAFKA_SESSION_TIMEOUT="2")
    zombie = pipeline.start()
    pipeline.produce([(0, alert(f"s{n}")) for n in range(20)])
    until(lambda: bool(pipeline.committed()[0] >= 0), "the first commit")
    zombie.send_signal(signal.SIGSTOP)
    successor = pipeline.start()
    pipeline.produce([(0, alert(f"s{n}", "Another")) for n in range(20)])
    pipeline.await_settled()
    zombie.send_signal(signal.SIGCONT)
    time.sleep(4)
    pipeline.produce([(0, alert(f"s{n}", "YetAnother")) for n in range(20)])
    time.sleep(2)
    pipeline.await_settled()
    pipeline.stop(successor)
    pipeline.stop(zombie)
    check_exactly_once(pipeline.decisions())
    assert counted(pipeline) == 60


def test_a_worker_whose_heartbeat_fails_permanently_joins_the_group_again(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(2)
    failing = pipeline.start("tests.stream.kafka.failing_heartbeat")
    pipeline.produce([(n % 2, alert(f"s{n}")) for n in range(20)])
    pipeline.await_settled()
    while "poll failed" not in pipeline.logs():
        time.sleep(0.2)
    pipeline.produce([(n % 2, alert(f"s{n}", "Another")) for n in range(20)])
    pipeline.await_settled()
    assert pipeline.stop(failing) == 0, pipeline.logs()
    decisions = pipeline.decisions()
    check_exactly_once(decisions)
    assert len({d["incident_id"] for d in decisions}) == 20
    assert counted(pipeline) == 40


# ---- in this process

FACTS = TopicFacts(partitions=1, log_append_time=True, retention_ms=-1, max_message_bytes=1_048_588)


@asynccontextmanager
async def member_of(
    settings: Settings, readiness: MembershipReadiness, shutdown: Shutdown
) -> AsyncIterator[GroupMember]:
    metrics = Metrics()
    async with open_arbiter(settings, metrics) as arbiter:
        decision_queue = DecisionQueue(arbiter)
        try:
            yield GroupMember(settings, FACTS, decision_queue, metrics, readiness, shutdown)
        finally:
            await decision_queue.close()


async def test_a_member_serves_until_a_shutdown_then_commits_and_leaves(new_pipeline: NewPipeline) -> None:
    pipeline = await asyncio.to_thread(new_pipeline, 1)
    await asyncio.to_thread(pipeline.produce, [(0, alert("cart"))])
    readiness, shutdown = MembershipReadiness(), Shutdown()
    async with member_of(quick_settings(pipeline), readiness, shutdown) as member:
        assert await member.join()
        serving = asyncio.create_task(member.serve())
        await eventually(lambda: any(partition.committed == 1 for partition in member.assignment), "the commit")
        assert list(readiness.reasons(time.monotonic(), "alerts", "group")) == []
        shutdown.request()
        await serving
        assert await member.leave()
        assert (readiness.problem, member.assignment.count) == ("draining", 0)
    assert len(await asyncio.to_thread(pipeline.decisions)) == 1
    assert await asyncio.to_thread(pipeline.committed) == [1]


@pytest.mark.io
async def test_a_shutdown_ends_a_join_that_no_broker_answers(unused_tcp_port: int) -> None:
    readiness, shutdown = MembershipReadiness(), Shutdown()
    address = f"127.0.0.1:{unused_tcp_port}"
    settings = Settings(kafka=KafkaSettings(bootstrap_servers=address))
    async with member_of(settings, readiness, shutdown) as member:
        joining = asyncio.create_task(member.join())
        await eventually(lambda: address in readiness.problem, "the reason")
        assert "no answer from Kafka" in readiness.problem
        shutdown.request()
        assert await joining is False
        assert await member.leave(), "nothing was decided"
