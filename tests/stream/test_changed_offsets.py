"""Where a worker continues when offsets, logs or states were changed by another program, on a real Kafka."""

import signal
import time
from collections.abc import Callable

import pytest
from confluent_kafka import Consumer, TopicPartition

from tests.stream.conftest import NewPipeline
from tests.stream.pipeline import Pipeline, alert, check_exactly_once, until


def test_states_of_another_group_stop_the_worker(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(1)
    worker = pipeline.start()
    pipeline.produce([(0, alert("checkout"))])
    pipeline.await_settled()
    pipeline.stop(worker)
    other = pipeline.start(KAFKA_GROUP_ID=f"{pipeline.name}-other")
    assert other.wait(30) == 1
    assert "OPENCLAW_TOPIC_INCIDENTS" in pipeline.logs()


def test_latest_skips_the_history_of_a_first_start(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(1)
    pipeline.produce([(0, alert("old"))])
    worker = pipeline.start(KAFKA_AUTO_OFFSET_RESET="latest")
    pipeline.await_settled()
    pipeline.produce([(0, alert("new"))])
    until(lambda: bool(pipeline.decisions()), "the decision")
    pipeline.stop(worker)
    assert [d["incident"]["group_key"] for d in pipeline.decisions()] == ["shop/new"]


def test_an_offset_beyond_the_log_stops_only_its_partition(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(2)
    pipeline.produce([(1, alert("cart"))])
    pipeline.reset([50, 0])
    worker = pipeline.start()
    until(lambda: bool(pipeline.decisions()), "the decision of the other partition")
    assert worker.poll() is None
    assert "lies beyond the end of the log" in pipeline.logs()
    assert pipeline.stop(worker) == 0


@pytest.mark.parametrize("running", [True, False], ids=["while it runs", "while it is down"])
def test_records_deleted_by_retention_are_logged_and_skipped(new_pipeline: NewPipeline, running: bool) -> None:  # noqa: FBT001
    pipeline = new_pipeline(1, OPENCLAW_GROUP_WAIT="5" if running else "600")
    worker = pipeline.start()
    pipeline.produce([(0, alert(f"s{n}")) for n in range(50)])
    until(lambda: pipeline.committed() == [0], "the first commit")
    if running:
        worker.send_signal(signal.SIGSTOP)
    else:
        pipeline.stop(worker)
    pipeline.delete_records(0, 30)
    pipeline.produce([(0, alert(f"s{n}", severity="critical")) for n in range(30, 50)])
    if running:
        worker.send_signal(signal.SIGCONT)
    else:
        worker = pipeline.start(OPENCLAW_GROUP_WAIT="1")
    pipeline.await_settled()
    pipeline.stop(worker)
    check_exactly_once(pipeline.decisions())
    groups = {d["incident"]["group_key"] for d in pipeline.decisions()}
    assert {f"shop/s{n}" for n in range(30, 50)} <= groups
    if not running:
        assert "deleted by retention" in pipeline.logs()


def test_alerts_of_a_topic_created_again_while_no_worker_runs_are_not_replayed(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(1)
    worker = pipeline.start()
    pipeline.produce([(0, alert(f"old{n % 4}", f"A{n}")) for n in range(60)])
    pipeline.await_settled()
    pipeline.stop(worker)
    pipeline.delete("alerts")
    pipeline.create()
    # More records than before: offsets alone do not show that this is another log.
    pipeline.produce([(0, alert(f"old{n % 4}", f"B{n}")) for n in range(80)])
    worker = pipeline.start()
    pipeline.await_settled()
    assert pipeline.stop(worker) == 0
    later = [d for d in pipeline.decisions() if d["generation"] == 2]
    assert {d["incident"]["service"] for d in later} == {f"old{n}" for n in range(4)}
    assert not any(d["replayed"] for d in later)
    assert "was created again or truncated" in pipeline.logs()


def test_offsets_committed_by_a_foreign_member_are_reported(new_pipeline: NewPipeline) -> None:
    """A console consumer with the group's id is assigned the partition, and commits offsets of undecided alerts."""
    pipeline = new_pipeline(1)
    worker = pipeline.start_watched()
    worker.await_ready()
    pipeline.produce([(0, alert(f"before{n}")) for n in range(10)])
    pipeline.await_settled()
    _consume_as_member(pipeline, lambda: pipeline.produce([(0, alert(f"lost{n}")) for n in range(25)]), 25)
    pipeline.produce([(0, alert("after"))])
    pipeline.await_decided("after")
    assert "about 25 records are skipped" in pipeline.logs()
    assert worker.metric("openclaw_skipped_records_total", partition="0") == 25
    assert pipeline.logs().count("was set or deleted by another program") == 1
    worker.await_ready()


def _consume_as_member(pipeline: Pipeline, produce: Callable[[], object], wanted: int) -> None:
    """Join the worker's group until `wanted` records are read and committed; the worker loses its partition."""
    consumer = Consumer(
        {
            "bootstrap.servers": pipeline.bootstrap,
            "group.id": pipeline.name,
            "client.id": "console-consumer",
            "partition.assignment.strategy": "roundrobin",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    # Of two members the first by its id, which begins with the client's, gets the only partition.
    assigned: list[TopicPartition] = []
    consumer.subscribe([pipeline.topics["alerts"]], on_assign=lambda _, partitions: assigned.extend(partitions))
    read, deadline, produced = 0, time.monotonic() + 60, False
    while read < wanted:
        assert time.monotonic() < deadline, f"{read} of {wanted} read"
        read += sum(message.error() is None for message in consumer.consume(100, 0.2))
        if assigned and not produced:
            produce()
            produced = True
    consumer.commit(asynchronous=False)
    consumer.close()
