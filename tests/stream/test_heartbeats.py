"""Heartbeats, ignored alerts and records of which a part cannot be read, through a worker."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.stream.pipeline import Pipeline, Watched, alert, until

NewPipeline = Callable[..., Pipeline]

SILENT = "/AlertingPipelineSilent"


def watchdog(status: str, **fields: Any) -> dict[str, Any]:
    labels = {"alertname": "Watchdog", "prometheus": "mon/a", "severity": "none"}
    return {"status": status, "labels": labels, "startsAt": "2026-11-22T10:00:00Z", "fingerprint": "w1", **fields}


@pytest.fixture
def watched(new_pipeline: NewPipeline) -> tuple[Pipeline, Watched]:
    pipeline = new_pipeline(1, OPENCLAW_IGNORE='namespace=~"dev-.*"')
    return pipeline, pipeline.start_watched()


def send(pipeline: Pipeline, *values: Any) -> None:
    pipeline.produce([(0, value) for value in values])
    pipeline.await_settled()


def incidents(pipeline: Pipeline) -> list[dict[str, Any]]:
    return [event for event in pipeline.events("incidents") if event and event["incident"]]


def test_a_heartbeat_that_fires_opens_nothing_and_sets_the_time_of_the_last(
    watched: tuple[Pipeline, Watched],
) -> None:
    pipeline, worker = watched
    send(pipeline, watchdog("firing"), watchdog("firing"), {"alerts": [watchdog("firing")]})
    (*_, last) = pipeline.read("alerts")
    until(lambda: worker.metric("openclaw_last_heartbeat_timestamp_seconds") > 0, "the time of the heartbeat")
    assert worker.metric("openclaw_last_heartbeat_timestamp_seconds") == pytest.approx(last.timestamp()[1] / 1000)
    assert pipeline.stop(worker.process) == 0, pipeline.logs()
    assert pipeline.decisions() == []
    assert incidents(pipeline) == []
    assert pipeline.read("dead_letter") == []


def test_the_end_of_a_heartbeat_is_an_incident_of_the_infrastructure_that_its_return_closes(
    watched: tuple[Pipeline, Watched],
) -> None:
    pipeline, worker = watched
    send(pipeline, watchdog("firing"), watchdog("resolved", endsAt="2026-11-22T11:00:00Z"))
    until(lambda: bool(pipeline.decisions()), "a decision")
    (decision,) = pipeline.decisions()
    assert decision["event_type"] == "decision"
    assert decision["incident"]["group_key"] == SILENT
    assert decision["incident"]["severity"] == "critical"
    assert decision["incident"]["subject"]["kind"] == "alert"
    assert decision["decision"]["primary_responsibility"] == "INFRA"
    send(pipeline, watchdog("firing"))
    until(lambda: len(pipeline.decisions()) > 1, "the resolution")
    assert pipeline.stop(worker.process) == 0, pipeline.logs()
    resolution = pipeline.decisions()[-1]
    assert resolution["incident_id"] == decision["incident_id"]
    assert resolution["event_type"] == "resolution"
    assert resolution["incident"]["status"] == "resolved"


def test_alerts_that_are_none_are_counted_by_reason_and_open_nothing(watched: tuple[Pipeline, Watched]) -> None:
    pipeline, worker = watched
    suppressed = {"state": "suppressed", "silencedBy": ["s1"], "inhibitedBy": [], "mutedBy": []}
    send(
        pipeline,
        alert("cart", namespace="dev-anna"),
        {"alerts": [{"labels": {"alertname": "A", "namespace": "dev-bob", "service": "cart"}}]},
        alert("cart", state="pending"),
        {"labels": {"alertname": "A", "service": "cart"}, "state": "pending", "activeAt": "2026-11-22T10:00:00Z"},
        {"labels": {"alertname": "A", "service": "cart"}, "status": suppressed, "fingerprint": "f1"},
        alert("cart", severity="none"),
        {"labels": {"alertname": "InfoInhibitor", "severity": "none"}, "status": "firing"},
    )
    counts = {"ignored": 2, "pending": 2, "suppressed": 1, "severity_none": 1, "inhibitor": 1}
    for reason, count in counts.items():
        assert worker.metric("openclaw_skipped_alerts_total", reason=reason) == count, reason
    assert pipeline.stop(worker.process) == 0, pipeline.logs()
    assert pipeline.decisions() == []
    assert incidents(pipeline) == []
    assert pipeline.read("dead_letter") == []


def test_the_good_alert_of_a_record_folds_and_the_record_is_a_dead_letter_once(
    watched: tuple[Pipeline, Watched],
) -> None:
    pipeline, worker = watched
    record = {"alerts": [{"labels": {}}, {"labels": {"alertname": "A", "service": "cart"}}, "text"]}
    send(pipeline, record)
    until(lambda: bool(pipeline.decisions()), "a decision")
    assert pipeline.stop(worker.process) == 0, pipeline.logs()
    assert {each["incident"]["group_key"] for each in pipeline.decisions()} == {"/cart"}
    (letter,) = pipeline.read("dead_letter")
    assert json.loads(letter.value() or b"") == record
    headers = {name: str(value) for name, value in dict(letter.headers() or []).items()}
    assert any("0" in value and "2" in value for name, value in headers.items() if "index" in name), headers


def test_a_decision_says_that_a_severity_was_not_understood(watched: tuple[Pipeline, Watched]) -> None:
    pipeline, worker = watched
    send(pipeline, alert("cart", severity="purple"))
    until(lambda: bool(pipeline.decisions()), "a decision")
    assert pipeline.stop(worker.process) == 0, pipeline.logs()
    (decision,) = pipeline.decisions()
    assert decision["incident"]["severity"] == "warning"
    assert any("purple" in warning for warning in decision["validation"]["warnings"]), decision["validation"]
