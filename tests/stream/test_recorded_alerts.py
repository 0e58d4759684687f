"""What real Alertmanagers wrote to Kafka, through a worker: the same incidents as from their webhooks."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from openclaw_stream.stream.state.state_codec import DecodedState
from tests.stream.pipeline import Pipeline, alert

NewPipeline = Callable[..., Pipeline]
Members = dict[str, tuple[frozenset[int], frozenset[int]]]

VERSIONS = ("0.34.2", "0.35.0")
NO_RESOLVE_SENT = "/nosr"
"""The group whose webhooks leave ends out: `send_resolved: false`."""


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def members(pipeline: Pipeline) -> Members:
    """Return the firing and the resolved members in the last state of each group."""
    last: Members = {}
    for message in pipeline.read("incidents"):
        state = DecodedState(message.value() or b"").state
        if state.incident_id:
            last[state.group_key] = (frozenset(state.firing), frozenset(state.resolved))
    return last


def folded(pipeline: Pipeline, values: Iterable[Any]) -> Members:
    worker = pipeline.start()
    pipeline.produce([(0, value) for value in values])
    pipeline.await_settled()
    assert pipeline.stop(worker) == 0, pipeline.logs()
    return members(pipeline)


@pytest.mark.parametrize("version", VERSIONS)
def test_alertmanagers_own_records_make_the_incidents_of_its_webhooks(
    version: str, new_pipeline: NewPipeline, shared_data: Path
) -> None:
    folder = shared_data / "alertmanager-kafka"
    recorded = lines(folder / f"alertmanager-{version}.events.jsonl")
    events = [each["value"].encode() for each in sorted(recorded, key=lambda each: each["timestamp"])]
    muted = {
        json.dumps(event[kind]["mutedAlert"]["labels"])
        for event in (json.loads(value)["data"] for value in events)
        for kind in event.keys() & {"silenceMutedAlert", "inhibitionMutedAlert"}
    }
    assert muted
    # An incident is over within the run of neither: the last state of a group shows all its members.
    by_event = new_pipeline(1, OPENCLAW_RESOLVE_HOLD="500")
    from_events = folded(by_event, events)
    assert by_event.read("dead_letter") == []
    by_webhook = new_pipeline(1, OPENCLAW_RESOLVE_HOLD="500")
    from_webhooks = folded(
        by_webhook, [each["body"] for each in lines(folder / f"alertmanager-{version}.webhook.jsonl")]
    )
    assert from_webhooks.keys() <= from_events.keys()
    same = {group for group in from_webhooks if from_webhooks[group] == from_events[group]}
    # The groups of muted alerts have them in the events only.
    assert {"/bare", "/one", "/pay", "/to", "/tool"} <= same
    assert from_webhooks.keys() - same <= {NO_RESOLVE_SENT, "/orders", "shop/checkout"}


def test_an_exporter_is_in_no_incident_and_no_command(new_pipeline: NewPipeline) -> None:
    exporter = {
        "job": "node-exporter",
        "namespace": "monitoring",
        "service": "mon-prometheus-node-exporter",
        "pod": "mon-prometheus-node-exporter-7kq2x",
        "container": "node-exporter",
    }
    alerts = [
        {
            "labels": {**exporter, "alertname": name, "instance": f"{host}:9100", "severity": "critical"},
            "annotations": {"summary": "memory is filling up"},
            "status": "firing",
        }
        for host in ("10.0.0.11", "10.0.0.12")
        for name in ("NodeMemoryHighUtilization", "NodeFilesystemAlmostOutOfSpace")
    ]
    pipeline = new_pipeline(1)
    worker = pipeline.start()
    pipeline.produce([(0, {"version": "4", "status": "firing", "alerts": alerts}), (0, alert("cart", "Watchdog"))])
    pipeline.await_settled()
    assert pipeline.stop(worker) == 0, pipeline.logs()
    decisions = pipeline.decisions()
    assert {d["incident"]["group_key"] for d in decisions} == {"/10.0.0.11", "/10.0.0.12"}
    assert {tuple(d["incident"]["subject"].values()) for d in decisions} == {
        ("host", "", "10.0.0.11"),
        ("host", "", "10.0.0.12"),
    }
    assert "exporter" not in json.dumps([d["decision"]["kubectl_command"] for d in decisions])
    assert "exporter" not in json.dumps([event["command"] for event in pipeline.events("tuning")])
