"""When a running worker is ready: brokers that are frozen or dead, no group coordinator, missing or unusable topics."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from openclaw_stream.embedded import EmbeddedKafka, EmbeddedKafkaCluster
from tests.stream.pipeline import Pipeline, alert, check_exactly_once, until

NewPipeline = Callable[..., Pipeline]
OwnKafka = Callable[..., EmbeddedKafka]


def test_a_worker_is_ready_once_its_partitions_are_restored(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(3)
    worker = pipeline.start_watched()
    until(lambda: worker.reasons() is not None, "the worker to listen")
    while worker.reasons():
        time.sleep(0.01)
    assert pipeline.logs().count("partition restored") == 3
    time.sleep(2)
    assert worker.reasons() == [], "a quiet topic stays ready"
    assert pipeline.stop(worker.process) == 0


def test_a_worker_without_a_group_coordinator_is_not_ready(own_kafka: OwnKafka, tmp_path: Path) -> None:
    """The offsets topic needs more replicas than there are brokers, as on a small cluster with default settings."""
    kafka = own_kafka({"offsets.topic.replication.factor": "3"})
    pipeline = Pipeline(kafka.bootstrap_servers, tmp_path, 1).create()
    worker = pipeline.start_watched()
    try:
        assert pipeline.name in worker.await_reason("coordinator", "group")
        time.sleep(3)
        assert worker.reasons()
        assert worker.process.poll() is None
        assert "Traceback" not in pipeline.logs()
    finally:
        pipeline.close()


def test_a_frozen_broker_makes_the_worker_unready_until_it_resumes(own_kafka: OwnKafka, tmp_path: Path) -> None:
    kafka = own_kafka()
    pipeline = Pipeline(
        kafka.bootstrap_servers, tmp_path, 1, KAFKA_SESSION_TIMEOUT="10", KAFKA_TRANSACTION_TIMEOUT="15"
    )
    pipeline.create()
    worker = pipeline.start_watched()
    try:
        worker.await_ready()
        kafka.pause()
        worker.await_reason("partition 0", "has not answered a fetch", seconds=15)
        kafka.resume()
        pipeline.produce([(0, alert("cart"))])
        pipeline.await_decided("cart")
        worker.await_ready()
        assert pipeline.stop(worker.process) == 0
    finally:
        kafka.resume()
        pipeline.close()


def test_a_deleted_output_topic_makes_the_worker_unready_until_it_exists_again(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(1)
    worker = pipeline.start_watched()
    worker.await_ready()
    pipeline.delete("decisions")
    pipeline.produce([(0, alert("cart"))])
    worker.await_reason("partition 0", pipeline.topics["decisions"], seconds=30)
    pipeline.create()
    pipeline.await_decided("cart")
    worker.await_ready()
    check_exactly_once(pipeline.decisions())
    assert worker.process.poll() is None
    assert "Traceback" not in pipeline.logs()


def test_a_worker_that_starts_before_its_topics_waits_for_them(bootstrap: str, tmp_path: Path) -> None:
    pipeline = Pipeline(bootstrap, tmp_path, 1)
    worker = pipeline.start_watched()
    try:
        reason = worker.await_reason(pipeline.topics["alerts"], "topics create")
        assert all(name in reason for name in pipeline.topics.values())
        pipeline.create()
        pipeline.produce([(0, alert("cart"))])
        pipeline.await_decided("cart")
        worker.await_ready()
        assert pipeline.stop(worker.process) == 0
    finally:
        pipeline.close()


def test_a_worker_waits_while_a_topic_could_not_keep_its_dead_letters(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(1)
    pipeline.configure("dead_letter", cleanup_policy="compact")
    worker = pipeline.start_watched()
    worker.await_reason(pipeline.topics["dead_letter"], "cleanup.policy=delete")
    assert "cannot join the group" in pipeline.logs()
    pipeline.configure("dead_letter", cleanup_policy="delete")
    worker.await_ready()
    assert pipeline.stop(worker.process) == 0


@pytest.mark.cluster
def test_a_dead_leader_is_reported_while_other_partitions_are_busy(tmp_path: Path) -> None:
    """The partitions of the alerts topic have one replica each, on different brokers."""
    with EmbeddedKafkaCluster(3) as cluster:
        timeouts = {"KAFKA_SESSION_TIMEOUT": "10", "KAFKA_TRANSACTION_TIMEOUT": "15"}
        pipeline = Pipeline(cluster.bootstrap_servers, tmp_path, 3, **timeouts).create(replicas=3)
        pipeline.delete("alerts")
        pipeline.create_on_brokers("alerts", [1, 2, 3])
        worker = pipeline.start_watched()
        try:
            worker.await_ready()
            cluster.nodes[2].kill()
            deadline = time.monotonic() + 40
            while not any("partition 2: its leader" in reason for reason in worker.reasons() or ()):
                assert time.monotonic() < deadline, worker.reasons()
                pipeline.produce([(n % 2, alert(f"s{n}")) for n in range(40)])
            cluster.nodes[2].start()
            pipeline.produce([(2, alert("after"))])
            pipeline.await_decided("after")
            worker.await_ready()
        finally:
            pipeline.close()
