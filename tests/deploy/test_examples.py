"""The sample configurations bring alerts in: what they make of an alert is read by the decoder."""

import json
import re
from typing import Any

import pytest
import yaml

from openclaw_stream.alerts.decoding.decode import DecodedRecord, decode
from openclaw_stream.alerts.matchers import Matchers
from openclaw_stream.events.examples import ALERTMANAGER
from openclaw_stream.settings import IncidentSettings, TopicSettings
from tests.conftest import PROJECT

EXAMPLES = PROJECT / "deploy/examples"
TOPIC = TopicSettings().alerts


def load(name: str) -> Any:
    return yaml.safe_load((EXAMPLES / name).read_text())


def decoded(value: Any) -> DecodedRecord:
    return decode(json.dumps(value).encode(), 1_800_000_000_000, IncidentSettings().reader)


def seconds(duration: str) -> float:
    return float(duration[:-1]) * {"s": 1, "m": 60, "h": 3600}[duration[-1]]


def test_alertmanager_repeats_before_an_incident_is_assumed_to_be_resolved() -> None:
    config = load("alertmanager.yml")
    assert seconds(config["route"]["repeat_interval"]) < IncidentSettings().max_silence
    assert config["receivers"][0]["webhook_configs"][0]["send_resolved"] is True


def test_heartbeats_repeat_before_the_alert_rules_miss_them() -> None:
    [route] = load("alertmanager.yml")["route"]["routes"]
    [name] = re.findall(r'alertname = "(.*)"', *route["matchers"])
    assert Matchers(IncidentSettings().heartbeats).match({}, name)
    rules = yaml.safe_load((PROJECT / "deploy/prometheus/alerts.yaml").read_text())["groups"][0]["rules"]
    [expression] = [rule["expr"] for rule in rules if rule["alert"] == "OpenclawHeartbeatOld"]
    assert 2 * seconds(route["repeat_interval"]) < float(expression.rpartition(">")[2])


@pytest.mark.parametrize("name", ["alertmanager.yml", "alertmanager-events.yml"])
def test_alertmanager_groups_as_the_worker_does(name: str) -> None:
    assert tuple(load(name)["route"]["group_by"]) == IncidentSettings().group_by


def test_alertmanager_posts_to_vector() -> None:
    url = load("alertmanager.yml")["receivers"][0]["webhook_configs"][0]["url"]
    source = load("vector.yaml")["sources"]["alerts"]
    assert url == f"http://vector:{source['address'].rpartition(':')[2]}{source['path']}"


def test_every_sample_writes_to_the_alerts_topic() -> None:
    outputs = load("alertmanager-events.yml")["event_recorder"]["kafka_outputs"]
    assert [output["topic"] for output in outputs] == [TOPIC]
    assert load("vector.yaml")["sinks"]["kafka"]["topic"] == TOPIC
    assert load("connect-mirror.json")["config"]["topics"] == TOPIC


def test_what_vector_adds_to_a_body_changes_no_alert() -> None:
    added = {"path": "/alerts", "source_type": "http_server", "timestamp": "2026-11-29T08:00:00Z"}
    plain, framed = decoded(ALERTMANAGER), decoded({**ALERTMANAGER, **added})
    assert framed.alerts == plain.alerts
    assert len(framed.alerts) > 0
