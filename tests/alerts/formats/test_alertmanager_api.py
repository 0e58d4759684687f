from typing import Any

import pytest

from openclaw_stream.alerts.formats import AlertDocument, Skipped
from tests.alerts.formats.reading import documents, fields, format_of, outcomes

LISTED: dict[str, Any] = {
    "annotations": {"summary": "5xx up"},
    "endsAt": "2026-11-22T11:17:00.000Z",
    "fingerprint": "7e890f769f337eda",
    "receivers": [{"name": "ops"}, {"name": "db"}],
    "startsAt": "2026-11-22T11:10:00.000Z",
    "status": {"inhibitedBy": [], "mutedBy": [], "silencedBy": [], "state": "active"},
    "updatedAt": "2026-11-22T11:13:00.000Z",
    "generatorURL": "http://prometheus.example.org/graph",
    "labels": {"alertname": "HighErrorRate", "namespace": "shop", "severity": "critical"},
}

POSTED: dict[str, Any] = {
    "annotations": {},
    "endsAt": "2026-11-22T11:17:00.000Z",
    "startsAt": "2026-11-22T11:10:00.000Z",
    "generatorURL": "http://prometheus.example.org/graph",
    "labels": {"alertname": "HighErrorRate", "namespace": "shop"},
}


def in_state(state: Any) -> dict[str, Any]:
    return {**LISTED, "status": {**LISTED["status"], "state": state}}


@pytest.mark.parametrize("state", ["active", "unprocessed"])
def test_a_listed_alert_is_firing_and_its_deadline_is_no_end(state: str) -> None:
    assert format_of(in_state(state)) == "alertmanager_api"
    read = fields(in_state(state))
    assert read["status"] == "firing"
    assert "endsAt" not in read
    assert (read["fingerprint"], read["startsAt"]) == (LISTED["fingerprint"], LISTED["startsAt"])
    assert read["annotations"] == {"summary": "5xx up", "alertmanager_group": "receiver: ops db"}


def test_a_suppressed_alert_is_skipped() -> None:
    assert outcomes(in_state("suppressed")) == [Skipped("suppressed")]


@pytest.mark.parametrize("state", ["asleep", None, 5, []])
def test_a_state_that_is_not_known_is_firing_with_a_warning(state: Any) -> None:
    (document,) = documents(in_state(state))
    assert document.fields["status"] == "firing"
    assert "status.state" in document.warnings[0]


def test_an_array_of_listed_alerts_is_read_one_by_one() -> None:
    first, second = outcomes([LISTED, in_state("suppressed")])
    assert isinstance(first, AlertDocument)
    assert second == Skipped("suppressed")


def test_groups_of_the_api_are_read_like_a_payload() -> None:
    groups = [{"alerts": [LISTED], "labels": {"alertname": "HighErrorRate"}, "receiver": {"name": "ops"}}]
    assert fields(groups)["fingerprint"] == LISTED["fingerprint"]


def test_posted_alerts_are_read_as_they_are() -> None:
    assert [document.fields for document in documents([POSTED, POSTED])] == [POSTED, POSTED]


def test_a_posted_alert_without_a_name_is_called_unnamed() -> None:
    (document,) = documents([{**POSTED, "labels": {"service": "bare"}}])
    assert document.fields["alert_type"] == "unnamed"
    assert document.warnings
