"""Resolutions of a worker on a real Kafka: they repeat what was decided, whichever worker publishes them."""

import json
from typing import Any

import jsonschema

from tests.conftest import PROJECT
from tests.stream.conftest import NewPipeline
from tests.stream.pipeline import Pipeline, alert, check_exactly_once, until

FIRED: dict[str, Any] = {
    "fingerprint": "f",
    "starts_at": "2026-11-22T09:00:00Z",
    "annotations": {"summary": "PostgreSQL has no free connections", "runbook_url": "https://runbooks.example.org/pg"},
}
KEPT = ("decision", "confidence")


def ends(pipeline: Pipeline, **settings: str) -> dict[str, Any]:
    """Start a worker, resolve the alert and return the resolution."""
    before = len(pipeline.decisions())
    worker = pipeline.start(**settings)
    pipeline.produce([(0, alert("cart", "PostgreSQLTooManyConnections", status="resolved", **FIRED))])
    until(lambda: len(pipeline.decisions()) > before, "the resolution")
    pipeline.await_settled()
    assert pipeline.stop(worker) == 0, pipeline.logs()
    return pipeline.decisions()[-1]


def test_a_resolution_repeats_the_decision_of_a_worker_that_was_killed(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(1)
    worker = pipeline.start()
    pipeline.produce([(0, alert("cart", "PostgreSQLTooManyConnections", **FIRED))])
    pipeline.await_decided("cart")
    pipeline.await_settled()
    worker.kill()
    worker.wait()
    resolution = ends(pipeline, OPENCLAW_LANGUAGE="zh-TW")
    decision, *_ = pipeline.decisions()
    assert (decision["event_type"], resolution["event_type"]) == ("decision", "resolution")
    assert [resolution[part] for part in KEPT] == [decision[part] for part in KEPT]
    assert resolution["provenance"] == {**decision["provenance"], "attempts": []}
    assert (decision["resolution"], resolution["resolution"]["kind"]) == (None, "resolved")
    assert resolution["resolution"]["alerts"] == resolution["incident"]["alert_count"] == 2
    assert "無須進一步處理" in resolution["resolution"]["text"], "in the output language of now"
    assert [each["status"] for each in resolution["incident"]["evidence"]] == ["resolved"]
    assert resolution["incident"]["evidence"][0]["runbook_url"] == FIRED["annotations"]["runbook_url"]
    schema = json.loads((PROJECT / "schemas" / "decision.v1.json").read_text())
    for event in (decision, resolution):
        jsonschema.validate(event, schema)
    check_exactly_once(pipeline.decisions())


def test_a_published_judgement_is_repeated_byte_for_byte(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(1)
    worker = pipeline.start()
    pipeline.produce([(0, alert("cart", "PostgreSQLTooManyConnections", **FIRED))])
    pipeline.await_decided("cart")
    pipeline.await_settled()
    assert pipeline.stop(worker) == 0
    ends(pipeline)
    blocks = [block_of(message.value()) for message in pipeline.read("decisions")]
    assert len(set(blocks)) == 1
    assert len(blocks) == 2


def block_of(value: bytes | None) -> bytes:
    """Return the bytes of `decision` and `confidence` in an event."""
    text = value or b""
    return text[text.index(b'"decision":{') : text.index(b'"resolution":')]


def test_on_a_quiet_topic_the_open_incidents_are_those_without_a_published_end(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(1)
    worker = pipeline.start_watched()
    services = [f"s{n}" for n in range(8)]
    pipeline.produce([(0, alert(service, starts_at="2026-11-22T09:00:00Z")) for service in services])
    pipeline.await_decided(*services)
    pipeline.produce([(0, alert(service, status="resolved")) for service in services[:5]])
    until(lambda: ended(pipeline) == set(services[:5]), lambda: f"the ends: {ended(pipeline)}")
    until(lambda: worker.metric("openclaw_incidents_resolved_total") == 5, "the count of the ends")
    assert worker.metric("openclaw_open_incidents", partition="0") == 3
    assert worker.metric("openclaw_ready") == 1
    assert worker.metric("openclaw_oldest_overdue_revision_seconds", partition="0") == 0


def ended(pipeline: Pipeline) -> set[str]:
    """Return the services with an incident whose end is published."""
    return {d["incident"]["service"] for d in pipeline.decisions() if d["event_type"] == "resolution"}
