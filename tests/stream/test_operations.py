"""What a running worker does when topics, settings, offsets and brokers change."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from openclaw_stream.embedded import EmbeddedKafka, EmbeddedKafkaCluster
from tests.stream.pipeline import Pipeline, alert, check_exactly_once, until

NewPipeline = Callable[..., Pipeline]
OwnKafka = Callable[..., EmbeddedKafka]


def groups(pipeline: Pipeline) -> set[str]:
    return {d["incident"]["service"] for d in pipeline.decisions()}


def await_decided(pipeline: Pipeline, *services: str, seconds: float = 60) -> None:
    until(lambda: set(services) <= groups(pipeline), lambda: f"{services}, there are {groups(pipeline)}", seconds)


# ---- readiness


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
        await_decided(pipeline, "cart")
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
    await_decided(pipeline, "cart")
    worker.await_ready()
    check_exactly_once(pipeline.decisions())
    assert worker.process.poll() is None
    assert "Traceback" not in pipeline.logs()


@pytest.fixture
def open_transaction(new_pipeline: NewPipeline) -> tuple[Pipeline, Producer]:
    pipeline = new_pipeline(1, KAFKA_OPEN_TRANSACTION_TIMEOUT="2")
    producer = Producer({"bootstrap.servers": pipeline.bootstrap, "transactional.id": f"{pipeline.name}-producer"})
    producer.init_transactions(30)
    return pipeline, producer


def test_a_transaction_left_open_by_a_producer_is_reported(open_transaction: tuple[Pipeline, Producer]) -> None:
    pipeline, producer = open_transaction
    worker = pipeline.start_watched()
    worker.await_ready()
    producer.begin_transaction()
    producer.produce(pipeline.topics["alerts"], json.dumps(alert("hidden")).encode(), partition=0)
    assert producer.flush(30) == 0
    pipeline.produce([(0, alert("cart"))])
    worker.await_reason("partition 0", "another producer has had a transaction open at offset 0", seconds=30)
    assert worker.metric("openclaw_log_end_offset", partition="0") == 2
    assert worker.metric("openclaw_log_stable_offset", partition="0") == 0
    assert worker.metric("openclaw_lag_records", partition="0") == 2
    until(lambda: "alerts behind it cannot be read" in pipeline.logs(), "the warning")
    producer.commit_transaction(30)
    await_decided(pipeline, "cart", "hidden")
    worker.await_ready()
    assert worker.metric("openclaw_log_stable_offset", partition="0") == 3
    assert pipeline.logs().count("a transaction of another producer is open") == 1


# ---- refused records


def test_a_compacted_dead_letter_topic_does_not_block_the_partition(new_pipeline: NewPipeline) -> None:
    """It refuses records without a key: the dead letter gets one, and its value is unchanged."""
    pipeline = new_pipeline(1)
    worker = pipeline.start_watched()
    worker.await_ready()
    pipeline.configure("dead_letter", cleanup_policy="compact")
    producer = Producer({"bootstrap.servers": pipeline.bootstrap})
    for n in range(5):
        producer.produce(pipeline.topics["alerts"], f"poison {n}".encode(), partition=0)
    assert producer.flush(30) == 0
    pipeline.produce([(0, alert("cart"))])
    await_decided(pipeline, "cart")
    pipeline.await_settled()
    letters = pipeline.read("dead_letter")
    assert [m.value() for m in letters] == [f"poison {n}".encode() for n in range(5)]
    assert [m.key() for m in letters] == [f"{pipeline.topics['alerts']}-0-{n}".encode() for n in range(5)]
    assert worker.metric("openclaw_refused_records_total", action="replaced") == 5
    worker.await_ready()


def test_refused_decisions_become_dead_letters(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(1)
    worker = pipeline.start_watched()
    worker.await_ready()
    pipeline.configure("decisions", max_message_bytes="900")
    pipeline.produce([(0, alert("cart")), (0, alert("web"))])
    until(lambda: len(pipeline.read("dead_letter")) == 2, "the dead letters")
    reasons = [_header(m, "openclaw-dlq-reason") for m in pipeline.read("dead_letter")]
    assert all(pipeline.topics["decisions"] in r and "MESSAGE_SIZE_TOO_LARGE" in r for r in reasons), reasons
    pipeline.configure("decisions", max_message_bytes="1048588")
    pipeline.produce([(0, alert("db"))])
    await_decided(pipeline, "db")
    assert groups(pipeline) == {"db"}
    pipeline.await_settled()


def test_a_refused_dead_letter_is_logged_counted_and_dropped(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(1)
    worker = pipeline.start_watched()
    worker.await_ready()
    pipeline.configure("dead_letter", max_message_bytes="100")
    pipeline.produce([(0, b"poison"), (0, alert("cart"))])
    await_decided(pipeline, "cart")
    pipeline.await_settled()
    assert pipeline.read("dead_letter") == []
    assert worker.metric("openclaw_refused_records_total", action="dropped") == 1
    assert "records were refused and dropped" in pipeline.logs()


def test_records_refused_by_several_partitions_and_topics_are_all_replaced(new_pipeline: NewPipeline) -> None:
    """Several batches of one transaction are refused, each with accepted records among the refused ones."""
    pipeline = new_pipeline(2)
    worker = pipeline.start_watched()
    worker.await_ready()
    pipeline.configure("dead_letter", cleanup_policy="compact")
    pipeline.configure("tuning", max_message_bytes="900")
    producer = Producer({"bootstrap.servers": pipeline.bootstrap})
    for n in range(40):
        producer.produce(pipeline.topics["alerts"], f"poison {n}".encode(), key=b"k" if n % 4 else None, partition=0)
    assert producer.flush(30) == 0
    pipeline.produce([(0, alert(f"s{n}", "KubePodCrashLooping")) for n in range(5)])
    await_decided(pipeline, *(f"s{n}" for n in range(5)))
    pipeline.await_settled()
    values = sorted(m.value() or b"" for m in pipeline.read("dead_letter"))
    assert [v for v in values if v] == sorted(f"poison {n}".encode() for n in range(40))
    check_exactly_once(pipeline.decisions())
    worker.await_ready()


def test_the_partition_waits_while_a_group_state_is_refused(new_pipeline: NewPipeline) -> None:
    """Without it the next owner would decide the same revision again."""
    pipeline = new_pipeline(1)
    worker = pipeline.start_watched()
    pipeline.produce([(0, alert("cart"))])
    await_decided(pipeline, "cart")
    pipeline.await_settled()
    pipeline.configure("incidents", max_message_bytes="300")
    pipeline.produce([(0, alert("cart", "AnotherAlert"))])
    worker.await_reason("partition 0", pipeline.topics["incidents"], "MESSAGE_SIZE_TOO_LARGE")
    worker.process.kill()
    worker.process.wait()
    pipeline.configure("incidents", max_message_bytes="1048588")
    worker = pipeline.start_watched()
    pipeline.produce([(0, alert("cart", "YetAnother"))])
    until(lambda: len(pipeline.decisions()) >= 2, "the next revision")
    pipeline.await_settled()
    worker.await_ready()
    check_exactly_once(pipeline.decisions())
    assert pipeline.read("dead_letter") == []


def _header(message: Any, name: str) -> str:
    return str(dict(message.headers())[name], "utf-8")


# ---- logs that are replaced


def test_a_topic_created_again_is_read_without_a_restart(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(2)
    worker = pipeline.start_watched()
    pipeline.produce([(n % 2, alert(f"old{n % 4}", f"A{n}")) for n in range(60)])
    pipeline.await_settled()
    pipeline.delete("alerts")
    pipeline.create()
    pipeline.produce([(n % 2, alert(f"{age}{n}")) for n in range(4) for age in ("old", "new")])
    await_decided(pipeline, *(f"new{n}" for n in range(4)), seconds=90)
    pipeline.await_settled(90)
    worker.await_ready()
    assert worker.process.poll() is None
    later = [d for d in pipeline.decisions() if d["generation"] > 1]
    assert {d["incident"]["service"] for d in later} == {f"{age}{n}" for n in range(4) for age in ("old", "new")}
    assert not any(d["replayed"] for d in later), "they are alerts of another log"
    check_exactly_once(pipeline.decisions())
    assert "created again" in pipeline.logs()
    assert pipeline.logs().count("joining the group again") <= 1


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
    await_decided(pipeline, "db", "cart", "web")
    worker.await_ready()
    assert worker.process.poll() is None
    until(lambda: "partitions were added to the alerts topic" in pipeline.logs(), "the log line")
    assert pipeline.logs().count("partitions were added to the alerts topic") == 1


# ---- offsets set by another program


def test_offsets_committed_by_a_foreign_member_are_reported(new_pipeline: NewPipeline) -> None:
    """A console consumer with the group's id is assigned the partition, and commits offsets of undecided alerts."""
    pipeline = new_pipeline(1)
    worker = pipeline.start_watched()
    worker.await_ready()
    pipeline.produce([(0, alert(f"before{n}")) for n in range(10)])
    pipeline.await_settled()
    _consume_as_member(pipeline, lambda: pipeline.produce([(0, alert(f"lost{n}")) for n in range(25)]), 25)
    pipeline.produce([(0, alert("after"))])
    await_decided(pipeline, "after")
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


# ---- several brokers


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
            await_decided(pipeline, "after")
            worker.await_ready()
        finally:
            pipeline.close()


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
