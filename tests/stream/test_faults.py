"""Exactly once through killed workers and restarted brokers."""

import asyncio
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from openclaw_stream.embedded import EmbeddedKafka
from openclaw_stream.stream.kafka.connection import stop_client
from tests.stream.crashing import STEPS
from tests.stream.pipeline import Pipeline, alert, check_exactly_once, counted, webhook

pytestmark = pytest.mark.slow

NewPipeline = Callable[..., Pipeline]


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_at_any_step_of_a_commit_loses_and_repeats_nothing(
    new_pipeline: NewPipeline, step: str
) -> None:
    pipeline = new_pipeline(2)
    spread = [(n % 2, webhook(*(alert(f"s{(n + i) % 9}", f"A{n % 4}") for i in range(3)))) for n in range(60)]
    pipeline.produce([*spread, (0, b"poison")])
    for nth in (1, 2, 4):
        worker = pipeline.start("tests.stream.crashing", step, str(nth))
        for _ in range(240):
            if worker.poll() is not None:
                break
            pipeline.produce([(nth % 2, alert(f"s{nth}", f"Late{time.time_ns() % 1000}"))])
            time.sleep(0.25)
        assert worker.poll() == -signal.SIGKILL, pipeline.logs()
    worker = pipeline.start()
    pipeline.await_settled()
    assert pipeline.stop(worker) == 0
    decisions = pipeline.decisions()
    check_exactly_once(decisions)
    assert {d["incident"]["group_key"] for d in decisions} == {f"shop/s{n}" for n in range(9)}
    late = sum(pipeline.ends()) - 61
    assert counted(pipeline) == 180 + late
    assert [m.value() for m in pipeline.read("dead_letter")] == [b"poison"]


def test_a_broker_restart_loses_and_repeats_nothing(own_kafka: Callable[..., EmbeddedKafka], tmp_path: Path) -> None:
    kafka = own_kafka()
    pipeline = Pipeline(kafka.bootstrap_servers, tmp_path, 2).create()
    worker = pipeline.start()
    try:
        total = pipeline.produce([(n % 2, alert(f"s{n % 20}")) for n in range(400)])
        time.sleep(2)
        kafka.kill()
        time.sleep(1)
        kafka.start()
        total += pipeline.produce([(n % 2, alert(f"s{n % 20}", "Another")) for n in range(400)])
        time.sleep(2)
        kafka.restart()
        total += pipeline.produce([(n % 2, alert(f"s{n % 20}", "YetAnother")) for n in range(400)])
        pipeline.await_settled(90)
        assert pipeline.stop(worker) == 0, pipeline.logs()
        decisions = pipeline.decisions()
        check_exactly_once(decisions)
        assert len({d["incident_id"] for d in decisions}) == 20
        assert counted(pipeline) == total
    finally:
        pipeline.close()


async def leave_open(pipeline: Pipeline, decision: bytes) -> None:
    """Send records with the transactional id of partition 0 that its coordinator does not know, and so never aborts."""
    transactional_id = f"{pipeline.name}-{pipeline.topics['alerts']}-0"
    producer = AIOKafkaProducer(bootstrap_servers=pipeline.bootstrap, transactional_id=transactional_id)
    producer._txn_manager.maybe_add_partition_to_txn = lambda _: None  # noqa: SLF001 - a client always adds it
    await producer.start()
    await producer.begin_transaction()
    await producer.send_and_wait(pipeline.topics["decisions"], decision, key=b"again")
    await producer.send_and_wait(pipeline.topics["incidents"], b"{}", key=b"hidden", partition=0)
    await stop_client(producer)


def test_records_of_a_transaction_left_open_by_the_broker_are_never_published(
    own_kafka: Callable[..., EmbeddedKafka], tmp_path: Path
) -> None:
    """A broker that is killed during a transaction may leave it open; the next commit of that id would publish it."""
    kafka = own_kafka({"transaction.partition.verification.enable": "false"})
    pipeline = Pipeline(kafka.bootstrap_servers, tmp_path, 1).create()
    try:
        worker = pipeline.start()
        pipeline.produce([(0, alert("s"))])
        pipeline.await_settled()
        assert pipeline.stop(worker) == 0, pipeline.logs()
        [decision] = pipeline.read("decisions")
        asyncio.run(leave_open(pipeline, decision.value() or b""))
        worker = pipeline.start()
        pipeline.produce([(0, alert("s", "Another")), (0, b"poison")])
        pipeline.await_settled()
        assert pipeline.stop(worker) == 0, pipeline.logs()
        assert [d["revision"] for d in pipeline.decisions()] == [1, 2]
        assert b"hidden" not in {message.key() for message in pipeline.read("incidents")}
        assert len(pipeline.read("dead_letter")) == 1
    finally:
        pipeline.close()
