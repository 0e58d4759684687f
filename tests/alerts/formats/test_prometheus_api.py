from typing import Any

import pytest

from openclaw_stream.alerts.formats import AlertDocument, Skipped, Unreadable
from tests.alerts.formats.reading import fields, format_of, outcomes

ACTIVE: dict[str, Any] = {
    "activeAt": "2026-11-22T11:10:27.12060602+02:00",
    "annotations": {"summary": "High request latency"},
    "labels": {"alertname": "HighRequestLatency", "severity": "page"},
    "state": "firing",
    "value": "1.2e+00",
}


def answer(*alerts: Any) -> dict[str, Any]:
    return {"status": "success", "data": {"alerts": list(alerts)}}


@pytest.mark.parametrize("document", [ACTIVE, answer(ACTIVE), answer(ACTIVE)["data"]])
def test_an_active_alert_is_read_alone_and_in_its_answer(document: dict[str, Any]) -> None:
    assert fields(document) == {
        "labels": ACTIVE["labels"],
        "annotations": ACTIVE["annotations"],
        "status": "firing",
        "starts_at": ACTIVE["activeAt"],
        "metrics": {"value": 1.2},
    }


def test_the_answer_and_its_alerts_are_recognised() -> None:
    assert format_of(answer(ACTIVE)) == format_of(ACTIVE) == "prometheus_api"


def test_a_pending_alert_is_none_yet() -> None:
    pending = {**ACTIVE, "state": "pending"}
    assert outcomes(pending) == [Skipped("pending")]
    first, second = outcomes(answer(ACTIVE, pending))
    assert isinstance(first, AlertDocument)
    assert second == Skipped("pending")


def test_an_inactive_alert_is_resolved() -> None:
    assert fields({**ACTIVE, "state": "inactive"})["status"] == "resolved"


@pytest.mark.parametrize("value", ["NaN", "+Inf", "high", "", None, [], True, "1" * 400 + "e999"])
def test_a_value_that_is_no_finite_number_is_no_metric(value: Any) -> None:
    assert "metrics" not in fields({**ACTIVE, "value": value})


def test_an_answer_without_alerts_is_skipped() -> None:
    assert outcomes(answer()) == [Skipped("empty")]


def test_what_is_no_alert_in_an_answer_is_a_fault_in_its_place() -> None:
    first, second, third = outcomes(answer(5, ACTIVE, {"labels": {}}))
    assert isinstance(first, Unreadable)
    assert isinstance(second, AlertDocument)
    assert isinstance(third, Unreadable)


def test_an_alert_without_a_name_is_called_unnamed() -> None:
    assert fields({**ACTIVE, "labels": {"service": "bare"}})["alert_type"] == "unnamed"
