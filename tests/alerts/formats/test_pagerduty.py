from typing import Any

import orjson
import pytest

from openclaw_stream.alerts.decoding.decode import decode
from openclaw_stream.alerts.formats import Skipped, Unreadable
from openclaw_stream.vocabulary import Severity
from tests.alerts.formats.reading import documents, fields, format_of, outcomes
from tests.alerts.records import READER, RECORD

EVENT: dict[str, Any] = {
    "routing_key": "0123456789abcdef0123456789abcdef",
    "event_action": "trigger",
    "dedup_key": "db-1/disk",
    "client": "Monitoring of the shop",
    "client_url": "https://monitoring.example.org/a/1",
    "links": [{"href": "https://wiki.example.org", "text": "runbook"}],
    "payload": {
        "summary": "Disk of db-1 is almost full",
        "source": "db-1.example.org",
        "severity": "error",
        "timestamp": "2026-11-22T11:13:04.000+0000",
        "component": "postgres",
        "group": "orders",
        "class": "disk",
        "custom_details": {"free": "2%", "load avg": 0.75, "pods": ["a"]},
    },
}

WEBHOOK: dict[str, Any] = {
    "event": {
        "id": "01AAAAAAAA",
        "event_type": "incident.triggered",
        "resource_type": "incident",
        "occurred_at": "2026-11-22T11:13:10Z",
        "agent": None,
        "data": {
            "id": "PINC001",
            "type": "incident",
            "html_url": "https://shop.pagerduty.example/incidents/PINC001",
            "status": "triggered",
            "incident_key": "k-1",
            "created_at": "2026-11-22T11:13:04Z",
            "title": "Checkout does not answer",
            "service": {"id": "PSVC001", "summary": "checkout", "type": "service_reference"},
            "teams": [{"summary": "Payments"}],
            "priority": {"id": "PPRI001", "summary": "P1", "type": "priority_reference"},
            "urgency": "high",
        },
    }
}


def incident(**changes: Any) -> dict[str, Any]:
    event = WEBHOOK["event"]
    return {"event": event | {"data": event["data"] | changes}}


def test_a_trigger_event_is_a_firing_alert_of_its_source() -> None:
    assert format_of(EVENT) == "pagerduty"
    (alert,) = decode(orjson.dumps(EVENT), RECORD, READER).alerts
    assert (alert.name, alert.severity, alert.firing, alert.starts_at) == ("disk", Severity.HIGH, True, 1795345984000)
    assert (alert.group_key, alert.fingerprint) == ("/db-1.example.org", "db-1/disk")
    assert alert.message == "Disk of db-1 is almost full"
    assert alert.labels["load avg"] == "0.75"
    assert alert.annotations == {"runbook": "https://wiki.example.org"}


@pytest.mark.parametrize("links", [None, {"href": "a"}, [{"href": "a"}, {"text": "b"}, {"href": 1, "text": "c"}, "d"]])
def test_odd_links_are_left_out(links: object) -> None:
    assert fields(EVENT | {"links": links})["annotations"] == {}


def test_labels_in_custom_details_name_the_subject() -> None:
    details = {"alertname": "DiskFull", "namespace": "shop", "service": "orders"}
    event = EVENT | {"payload": EVENT["payload"] | {"custom_details": details}}
    (alert,) = decode(orjson.dumps(event), RECORD, READER).alerts
    assert (alert.name, alert.group_key) == ("DiskFull", "shop/orders")


def test_a_component_is_the_subject_where_the_source_is_no_address() -> None:
    payload = {"summary": "Slow", "source": "shop monitor", "severity": "info", "component": "checkout"}
    (alert,) = decode(orjson.dumps(EVENT | {"payload": payload}), RECORD, READER).alerts
    assert alert.name == "Slow"
    assert alert.service == "checkout"


@pytest.mark.parametrize(
    ("action", "status"), [("trigger", "firing"), ("acknowledge", "firing"), ("Resolve", "resolved")]
)
def test_the_action_of_an_event_is_its_status(action: str, status: str) -> None:
    assert fields(EVENT | {"event_action": action})["status"] == status


def test_an_event_without_payload_ends_what_its_dedup_key_names_with_a_warning() -> None:
    (document,) = documents({"routing_key": "x", "dedup_key": "db-1/disk", "event_action": "resolve"})
    assert (document.fields["status"], document.fields["fingerprint"]) == ("resolved", "db-1/disk")
    assert "dedup key" in document.warnings[0]


def test_the_routing_key_is_not_kept() -> None:
    assert EVENT["routing_key"] not in str(outcomes(EVENT))
    assert EVENT["routing_key"] not in str(outcomes(EVENT | {"payload": None}))
    assert EVENT["routing_key"] not in str(decode(orjson.dumps(EVENT), RECORD, READER))


def test_an_unknown_action_is_unreadable() -> None:
    assert isinstance(outcomes(EVENT | {"event_action": "explode"})[0], Unreadable)


def test_an_incident_is_an_alert_of_its_service() -> None:
    assert format_of(WEBHOOK) == "pagerduty_webhook"
    (alert,) = decode(orjson.dumps(WEBHOOK), RECORD, READER).alerts
    assert (alert.name, alert.severity, alert.firing) == ("Checkout does not answer", Severity.CRITICAL, True)
    assert (alert.group_key, alert.fingerprint, alert.starts_at) == ("/checkout", "PINC001", 1795345984000)
    assert alert.labels == {"team": "Payments"}


@pytest.mark.parametrize(
    ("priority", "severity"),
    [
        ({"summary": "P1"}, Severity.CRITICAL),
        ({"summary": "P2"}, Severity.HIGH),
        ({"summary": "P3"}, Severity.WARNING),
        ({"summary": "P4"}, Severity.INFO),
        ({"summary": "p5"}, Severity.INFO),
        ({"summary": "SEV-1"}, Severity.CRITICAL),
        (None, Severity.HIGH),
    ],
)
def test_p1_is_the_highest_priority_and_the_urgency_counts_without_one(priority: Any, severity: Severity) -> None:
    (alert,) = decode(orjson.dumps(incident(priority=priority)), RECORD, READER).alerts
    assert alert.severity is severity


@pytest.mark.parametrize(("status", "firing"), [("triggered", True), ("acknowledged", True), ("resolved", False)])
def test_an_incident_fires_until_it_is_resolved(status: str, firing: bool) -> None:  # noqa: FBT001 - expected
    (alert,) = decode(orjson.dumps(incident(status=status)), RECORD, READER).alerts
    assert alert.firing is firing
    assert alert.ends_at == (0 if firing else 1795345990000)


@pytest.mark.parametrize("kind", ["incident_note", "incident_responder", "service", None])
def test_other_events_are_skipped(kind: str | None) -> None:
    assert outcomes(incident(type=kind)) == [Skipped("lifecycle")]
