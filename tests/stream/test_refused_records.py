"""What a worker sends in place of records that the brokers refuse, on a real Kafka."""

from typing import Any

from confluent_kafka import Producer

from tests.stream.conftest import NewPipeline
from tests.stream.pipeline import alert, check_exactly_once, until


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
    pipeline.await_decided("cart")
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
    pipeline.await_decided("db")
    assert pipeline.decided_services() == {"db"}
    pipeline.await_settled()


def test_a_refused_dead_letter_is_logged_counted_and_dropped(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(1)
    worker = pipeline.start_watched()
    worker.await_ready()
    pipeline.configure("dead_letter", max_message_bytes="100")
    pipeline.produce([(0, b"poison"), (0, alert("cart"))])
    pipeline.await_decided("cart")
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
    pipeline.await_decided(*(f"s{n}" for n in range(5)))
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
    pipeline.await_decided("cart")
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
