from typing import Any

import orjson
import pytest

from openclaw_stream.alerts.decoding.decode import decode
from openclaw_stream.alerts.formats import Skipped
from openclaw_stream.vocabulary import Severity
from tests.alerts.formats.reading import fields, format_of, outcomes
from tests.alerts.records import READER, RECORD

CREATED: dict[str, Any] = {
    "action": "Create",
    "integrationId": "i-1",
    "integrationName": "to the topic",
    "source": {"name": "web", "type": "API"},
    "alert": {
        "alertId": "a-1",
        "tinyId": "23",
        "alias": "checkout-latency",
        "message": "Checkout is slow",
        "description": "p99 is 4 s",
        "priority": "P1",
        "tags": ["urgent", "env:prod"],
        "entity": "checkout",
        "source": "monitor-1",
        "username": "monitor",
        "createdAt": 1_795_345_984_000,
        "updatedAt": 1_795_345_990_000_000_000,
        "details": {"namespace": "shop", "region": "eu"},
    },
}


def acted(action: str, **changes: Any) -> dict[str, Any]:
    return CREATED | {"action": action, "alert": CREATED["alert"] | changes}


def test_a_created_alert_fires() -> None:
    assert format_of(CREATED) == "opsgenie"
    (alert,) = decode(orjson.dumps(CREATED), RECORD, READER).alerts
    assert (alert.name, alert.severity, alert.firing) == ("Checkout is slow", Severity.CRITICAL, True)
    assert (alert.group_key, alert.fingerprint) == ("shop/checkout", "checkout-latency")
    assert (alert.source, alert.message, alert.starts_at) == ("monitor-1", "Checkout is slow", 1_795_345_984_000)
    assert alert.annotations == {"description": "p99 is 4 s"}
    assert alert.labels == {"env": "prod", "namespace": "shop", "region": "eu", "service": "checkout"}


@pytest.mark.parametrize("description", [None, "", "Checkout is slow", 7])
def test_a_description_that_adds_nothing_is_left_out(description: object) -> None:
    assert fields(acted("Create", description=description))["annotations"] == {}


def test_an_alert_without_an_alias_is_identified_by_its_id() -> None:
    assert fields(acted("Create", alias=""))["fingerprint"] == "a-1"


@pytest.mark.parametrize(
    ("entity", "key"), [("web-1.example.org", "/web-1.example.org"), ("https://pay.org/x", "/pay.org"), ("", "/Slow")]
)
def test_an_entity_that_is_an_address_is_a_host(entity: str, key: str) -> None:
    value = acted("Create", entity=entity, details=None, message="Slow")
    assert decode(orjson.dumps(value), RECORD, READER).alerts[0].group_key == key


@pytest.mark.parametrize(
    ("priority", "severity"),
    [
        ("P1", Severity.CRITICAL),
        ("P2", Severity.HIGH),
        ("P3", Severity.WARNING),
        ("P4", Severity.INFO),
        ("P5", Severity.INFO),
        (None, Severity.WARNING),
    ],
)
def test_p1_is_the_highest_priority(priority: str | None, severity: Severity) -> None:
    decoded = decode(orjson.dumps(acted("UpdatePriority", priority=priority)), RECORD, READER)
    assert decoded.alerts[0].severity is severity
    assert not decoded.warnings


@pytest.mark.parametrize(
    ("action", "status"),
    [("Acknowledge", "firing"), ("UnAcknowledge", "firing"), ("Close", "resolved"), ("Delete", "resolved")],
)
def test_the_action_is_the_status(action: str, status: str) -> None:
    assert fields(acted(action))["status"] == status


def test_the_last_change_of_a_closed_alert_is_its_end() -> None:
    (alert,) = decode(orjson.dumps(acted("Close")), RECORD, READER).alerts
    assert alert.ends_at == 1_795_345_990_000


@pytest.mark.parametrize("message", [{"text": "t"}, ["t"], 1.5, None])
def test_a_description_beside_a_message_of_any_type(message: object) -> None:
    value = acted("Create", message=message, description="d", details={"alertname": "Slow"})
    (alert,) = decode(orjson.dumps(value), RECORD, READER).alerts
    assert alert.annotations["description"] == "d"


@pytest.mark.parametrize("action", ["AddNote", "AddTags", "Snooze", "a custom action"])
def test_other_actions_are_skipped(action: str) -> None:
    assert outcomes(acted(action)) == [Skipped("lifecycle")]
