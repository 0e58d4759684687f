"""One log line for each event of an incident's life, by a worker on a real Kafka."""

from collections.abc import Callable

from tests.stream.pipeline import Pipeline, alert, until

NewPipeline = Callable[..., Pipeline]


def resolve_an_incident(pipeline: Pipeline) -> None:
    """Have an incident at the offsets 0 to 2 decided and resolved, and a record at offset 3 dead-lettered."""
    fired = {"starts_at": "2026-11-22T10:00:00Z"}
    pipeline.produce([(0, alert("cart", "PostgreSQLTooManyConnections", **fired))] * 2)
    until(lambda: len(pipeline.decisions()) == 1, "the decision")
    pipeline.produce([(0, alert("cart", "PostgreSQLTooManyConnections", status="resolved", **fired)), (0, b"poison")])
    until(lambda: len(pipeline.decisions()) == 2, "the resolution")
    pipeline.await_settled()


def test_each_event_of_an_incident_is_logged_once(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(1)
    worker = pipeline.start()
    resolve_an_incident(pipeline)
    assert pipeline.stop(worker) == 0, pipeline.logs()
    published, resolution = pipeline.decisions()
    incident_id = published["incident_id"]

    [opened] = pipeline.log_lines("incident opened")
    assert (opened["incident_id"], opened["group_key"]) == (incident_id, "shop/cart")
    assert (opened["partition"], opened["offset"], opened["level"]) == (0, 0, "info")

    [decision] = pipeline.log_lines("decision published")
    assert (decision["incident_id"], decision["group_key"]) == (incident_id, "shop/cart")
    assert (decision["partition"], decision["offset"]) == (0, published["source"]["last_offset"])
    assert (decision["team"], decision["provider"]) == ("DB", "rules")
    assert decision["confidence"] == published["confidence"]["final"]
    assert decision["gate"] == published["confidence"]["gate"]
    assert "the database team (DB)" in decision["evidence"]

    [resolved] = pipeline.log_lines("resolution published")
    assert (resolved["incident_id"], resolved["group_key"]) == (incident_id, "shop/cart")
    assert (resolved["partition"], resolved["offset"], resolved["revision"]) == (0, 2, resolution["revision"])
    assert resolved["status"] == "resolved"

    [dead] = pipeline.log_lines("dead letter published")
    assert (dead["partition"], dead["offset"]) == (0, 3)
    assert "JSON" in dead["reason"]


def test_a_restart_logs_no_incident_again_and_a_replay_is_logged_as_such(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline(1)
    worker = pipeline.start()
    resolve_an_incident(pipeline)
    assert pipeline.stop(worker) == 0, pipeline.logs()
    worker = pipeline.start()
    until(lambda: len(pipeline.log_lines("partition restored")) == 2, "the second worker")
    assert pipeline.stop(worker) == 0, pipeline.logs()
    assert len(pipeline.log_lines("incident opened")) == 1
    assert pipeline.log_lines("replay detected") == []

    pipeline.reset([0])
    worker = pipeline.start()
    until(lambda: len(pipeline.decisions()) == 4, "the replayed revisions")
    pipeline.await_settled()
    assert pipeline.stop(worker) == 0, pipeline.logs()
    [replay] = pipeline.log_lines("replay detected")
    assert (replay["partition"], replay["offset"], replay["generation"]) == (0, 0, 2)
    assert replay["records"] > 0
    opened = pipeline.log_lines("incident opened")
    assert [(line["generation"], line["replayed"]) for line in opened] == [(1, False), (2, True)]
    assert len({line["incident_id"] for line in opened}) == 1
