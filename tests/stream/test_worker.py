"""Workers as processes on a real Kafka: alerts in, decisions out."""

import json
import random
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from confluent_kafka import Message, Producer

from openclaw_stream.embedded.server import free_port
from tests.conftest import PROJECT
from tests.stream.pipeline import Pipeline, alert, check_exactly_once, counted, until, webhook

NewPipeline = Callable[..., Pipeline]


def _headers(message: Message) -> dict[str, str]:
    pairs = dict(message.headers() or []).items()
    return {name: value.decode() if isinstance(value, bytes) else str(value) for name, value in pairs}


def _check_against_schemas(pipeline: Pipeline) -> None:
    """Assert that every event is valid against the schema that is checked in."""
    for topic, name in (("decisions", "decision"), ("tuning", "tuning"), ("incidents", "incident")):
        schema = json.loads((PROJECT / "schemas" / f"{name}.v1.json").read_text())
        events = [event for event in pipeline.events(topic) if event is not None]
        assert events
        for event in events:
            jsonschema.validate(event, schema)
    schema = json.loads((PROJECT / "schemas" / "dead-letter.v1.json").read_text())
    for message in pipeline.read("dead_letter"):
        jsonschema.validate(_headers(message), schema)


def test_alerts_become_decisions(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline()
    worker = pipeline.start()
    pipeline.produce(
        [
            (0, alert("checkout", "PostgreSQLTooManyConnections", severity="page", message="connections exhausted")),
            (0, alert("checkout", "PostgreSQLTooManyConnections", severity="page")),
            (1, webhook(alert("web", "HighErrorRate"), alert("cart", "HighMemoryUsage"))),
            (1, b"not json"),
            (1, None),
        ],
        {"traceparent": b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
    )
    pipeline.await_settled()
    assert pipeline.stop(worker) == 0, pipeline.logs()

    decisions = {d["incident"]["group_key"]: d for d in pipeline.decisions()}
    assert set(decisions) == {"shop/checkout", "shop/web", "shop/cart"}
    checkout = decisions["shop/checkout"]
    assert checkout["event_type"] == "decision"
    assert (checkout["revision"], checkout["generation"], checkout["replayed"]) == (1, 1, False)
    assert checkout["incident"]["alert_count"] == 2
    assert checkout["incident"]["severity"] == "critical"
    assert checkout["decision"]["primary_responsibility"] == "DB"
    assert checkout["decision"]["confidence"] == checkout["confidence"]["final"]
    assert checkout["source"] == {
        "topic": pipeline.topics["alerts"],
        "partition": 0,
        "first_offset": 0,
        "last_offset": 1,
    }
    [dead] = pipeline.read("dead_letter")
    assert dead.value() == b"not json"
    assert dead.key() == b"k"
    _check_against_schemas(pipeline)
    headers = _headers(dead)
    assert (headers["openclaw-dlq-partition"], headers["openclaw-dlq-offset"]) == ("1", "1")
    assert "traceparent" in headers
    assert "JSON" in headers["openclaw-dlq-reason"]


def test_events_carry_cloudevents_and_trace_headers(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(1)
    trace = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    worker = pipeline.start()
    pipeline.produce([(0, alert("checkout"))], {"traceparent": trace})
    pipeline.await_settled()
    pipeline.stop(worker)
    [message] = pipeline.read("decisions")
    headers = _headers(message)
    assert headers["traceparent"] == trace.decode()
    assert headers["ce_specversion"] == "1.0"
    assert headers["ce_type"] == "openclaw.decision.v1"
    assert headers["ce_id"]
    assert (message.key() or b"").decode() == json.loads(message.value() or b"")["incident_id"]


def test_a_resolution_is_a_revision_of_the_incident(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(1)
    worker = pipeline.start()
    fired = {"starts_at": "2026-11-22T10:00:00Z"}
    pipeline.produce([(0, alert("cart", **fired))])
    until(lambda: len(pipeline.decisions()) == 1, "the decision")
    pipeline.produce([(0, alert("cart", status="resolved", **fired))])
    until(lambda: len(pipeline.decisions()) == 2, "the resolution")
    pipeline.stop(worker)
    decision, resolution = pipeline.decisions()
    assert (resolution["event_type"], resolution["incident"]["status"]) == ("resolution", "resolved")
    assert resolution["revision"] == 2
    assert resolution["incident_id"] == decision["incident_id"]
    assert resolution["decision"]["primary_responsibility"] == decision["decision"]["primary_responsibility"]


def test_all_offsets_are_committed_within_five_idle_seconds(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(OPENCLAW_COMMIT_INTERVAL="2")
    worker = pipeline.start()
    pipeline.produce([(n % 2, alert(f"s{n % 7}")) for n in range(200)])
    until(lambda: len(pipeline.decisions()) >= 7, "the decisions")
    time.sleep(5)
    assert pipeline.settled(), (pipeline.committed(), pipeline.ends())
    assert counted(pipeline) == 200
    assert pipeline.stop(worker) == 0


def test_a_restart_continues_after_sigterm_has_drained(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(OPENCLAW_GROUP_WAIT="2")
    worker = pipeline.start()
    pipeline.produce([(n % 2, alert(f"s{n % 5}")) for n in range(100)])
    until(lambda: "partition restored" in pipeline.logs(), "the worker")
    time.sleep(0.5)
    assert pipeline.stop(worker) == 0, pipeline.logs()
    worker = pipeline.start()
    pipeline.await_settled()
    pipeline.stop(worker)
    check_exactly_once(pipeline.decisions())
    assert counted(pipeline) == 100


@pytest.mark.parametrize("where", ["beginning", "middle"])
def test_an_offset_reset_reproduces_the_incidents(new_pipeline: NewPipeline, where: str) -> None:
    pipeline = new_pipeline(2)
    worker = pipeline.start()
    fired = {"starts_at": "2026-11-22T10:00:00Z"}
    pipeline.produce([(n % 2, alert(f"s{n % 6}", **fired)) for n in range(60)])
    until(lambda: len(pipeline.decisions()) == 6, "the decisions")
    pipeline.produce([(n % 2, alert(f"s{n % 6}", status="resolved", **fired)) for n in range(4)])
    until(lambda: len(pipeline.decisions()) == 10, "the resolutions")
    pipeline.produce([(n % 2, alert(f"s{n % 6}", starts_at="2026-11-22T11:00:00Z")) for n in range(60)])
    until(lambda: len(pipeline.decisions()) >= 14, "the second incidents")
    pipeline.await_settled()
    pipeline.stop(worker)
    before = pipeline.decisions()

    pipeline.reset([0, 0] if where == "beginning" else [16, 17])
    worker = pipeline.start()
    until(lambda: any(d["generation"] == 2 for d in pipeline.decisions()), "the replay")
    pipeline.await_settled()
    pipeline.stop(worker)
    replayed = [d for d in pipeline.decisions() if d["generation"] == 2]
    assert {d["incident_id"] for d in replayed} <= {d["incident_id"] for d in before}
    assert all(d["replayed"] for d in replayed)
    if where == "beginning":
        assert {d["incident_id"] for d in replayed} == {d["incident_id"] for d in before}
    ended = {d["incident_id"] for d in before if d["event_type"] == "resolution"}
    assert ended == {d["incident_id"] for d in replayed if d["event_type"] == "resolution"}
    check_exactly_once(pipeline.decisions())


def test_poison_records_do_not_stop_the_worker(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(1)
    poison: list[Any] = [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"alert_type": 1}', b"[" * 50_000, b"7", b"{}"]
    poison += [b'{"alert_type": "A", "metrics": {"x": NaN}', b"x" * 900_000, b'{"alerts": "none"}']
    pipeline.produce([(0, value) for value in [*poison, alert("checkout")]])
    worker = pipeline.start()
    pipeline.await_settled()
    assert pipeline.stop(worker) == 0
    dead = pipeline.read("dead_letter")
    assert sorted((m.value() or b"") for m in dead) == sorted(poison)
    assert [d["incident"]["group_key"] for d in pipeline.decisions()] == ["shop/checkout"]


def test_one_bad_alert_of_a_batch_does_not_block_the_good_ones(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(1)
    batch = webhook(alert("web"), alert("cart"))
    batch["alerts"][0]["labels"]["alertname"] = ["HighErrorRate"]
    pipeline.produce([(0, batch)])
    worker = pipeline.start()
    pipeline.await_settled()
    pipeline.stop(worker)
    assert [d["incident"]["group_key"] for d in pipeline.decisions()] == ["shop/cart"]
    [dead] = pipeline.read("dead_letter")
    assert json.loads(dead.value() or b"") == batch
    assert _headers(dead)["openclaw-dlq-bad-indexes"] == "0"


@pytest.mark.io
def test_a_worker_without_a_broker_waits_and_logs_the_reason(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    pipeline = Pipeline(f"127.0.0.1:{free_port()}", tmp_path, OPENCLAW_HTTP_ADDR=address)
    worker = pipeline.start()
    try:
        until(lambda: "KAFKA_BOOTSTRAP_SERVERS" in pipeline.logs(), "the warning")
        with pytest.raises(urllib.error.HTTPError) as not_ready:
            urllib.request.urlopen(f"http://{address}/readyz", timeout=5)
        assert not_ready.value.code == 503
        assert "no answer from Kafka" in not_ready.value.read().decode()
        assert urllib.request.urlopen(f"http://{address}/livez", timeout=5).status == 200
        time.sleep(3)
        assert worker.poll() is None
        assert len(pipeline.logs().splitlines()) < 10
        assert pipeline.stop(worker) == 0
    finally:
        pipeline.close()


def test_a_port_in_use_is_reported_as_a_wrong_setting(bootstrap: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        pipeline = Pipeline(bootstrap, tmp_path, OPENCLAW_HTTP_ADDR=f"127.0.0.1:{taken.getsockname()[1]}")
        assert pipeline.start().wait(30) == 2
        assert "OPENCLAW_HTTP_ADDR" in pipeline.logs()


def test_a_record_too_large_for_the_dead_letter_topic_is_described_there(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(1)
    worker = pipeline.start()
    producer = Producer(
        {"bootstrap.servers": pipeline.bootstrap, "compression.type": "zstd", "message.max.bytes": 20_000_000}
    )
    # One block repeated: zstd compresses that, the window of gzip is too small for it.
    block = random.Random(1).randbytes(300_000)  # noqa: S311 - noise
    producer.produce(pipeline.topics["alerts"], b"poison", partition=0, headers=[("baggage", block * 8)])
    assert producer.flush(30) == 0
    pipeline.produce([(0, alert("checkout"))])
    pipeline.await_settled()
    assert pipeline.stop(worker) == 0
    assert len(pipeline.decisions()) == 1
    [dead] = pipeline.read("dead_letter")
    headers = _headers(dead)
    assert not dead.value()
    assert headers["openclaw-dlq-offset"] == "0"
    assert "too large" in headers["openclaw-dlq-reason"]
