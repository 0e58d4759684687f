"""Alerts that another producer sends in transactions, on a real Kafka."""

import json

import pytest
from confluent_kafka import Producer

from tests.stream.conftest import NewPipeline
from tests.stream.pipeline import Pipeline, alert, until


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
    pipeline.await_decided("cart", "hidden")
    worker.await_ready()
    assert worker.metric("openclaw_log_stable_offset", partition="0") == 3
    assert pipeline.logs().count("a transaction of another producer is open") == 1


def test_alerts_of_aborted_transactions_are_not_read(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(1)
    worker = pipeline.start()
    producer = Producer({"bootstrap.servers": pipeline.bootstrap, "transactional.id": pipeline.name})
    producer.init_transactions(30)
    for n in range(6):
        producer.begin_transaction()
        group = "aborted" if n % 2 else "kept"
        producer.produce(pipeline.topics["alerts"], json.dumps(alert(group)).encode(), partition=0)
        if n % 2:
            producer.flush(10)
            producer.abort_transaction(30)
        else:
            producer.commit_transaction(30)
    pipeline.await_settled()
    assert pipeline.stop(worker) == 0
    [decision] = pipeline.decisions()
    assert (decision["incident"]["group_key"], decision["incident"]["alert_count"]) == ("shop/kept", 3)
