from typing import Any

import pytest

from openclaw_stream.alerts.formats import Skipped
from tests.alerts.formats.reading import documents, fields, format_of, outcomes

PROBLEM: dict[str, Any] = {
    "clock": 1795346000,
    "ns": 123456789,
    "value": 1,
    "eventid": 42,
    "name": "Disk is almost full on db-1",
    "severity": 4,
    "hosts": [{"host": "db-1", "name": "Database 1"}, {"host": "Zabbix server", "name": "Zabbix server"}],
    "groups": ["Databases", "Linux servers"],
    "tags": [{"tag": "service", "value": "orders"}, {"tag": "scope", "value": "a"}, {"tag": "scope", "value": "b"}],
}
RECOVERY: dict[str, Any] = {"clock": 1795346060, "ns": 5, "value": 0, "eventid": 43, "p_eventid": 42}


def test_a_problem_is_a_firing_alert_of_its_host() -> None:
    assert format_of(PROBLEM) == "zabbix"
    assert fields(PROBLEM) == {
        "alert_type": "Disk is almost full on db-1",
        "status": "firing",
        "severity": "high",
        "labels": {"service": "orders", "scope": "a,b", "host": "db-1"},
        "annotations": {"hosts": "db-1, Zabbix server", "host_groups": "Databases, Linux servers"},
        "fingerprint": "zabbix-42",
        "starts_at": 1_795_346_000_123,
    }


@pytest.mark.parametrize(
    ("number", "word"), [(0, "warning"), (1, "info"), (2, "warning"), (3, "warning"), (4, "high"), (5, "critical")]
)
def test_zabbix_severities_are_translated_by_their_own_scale(number: int, word: str) -> None:
    assert fields({**PROBLEM, "severity": number})["severity"] == word
    assert fields({**PROBLEM, "severity": str(number)})["severity"] == word


@pytest.mark.parametrize("severity", [9, "odd", None, [], 2.5])
def test_a_severity_outside_of_the_scale_is_left_to_the_reader(severity: Any) -> None:
    assert fields({**PROBLEM, "severity": severity})["severity"] == severity


def test_a_recovery_is_the_end_of_the_problem_that_it_names() -> None:
    (document,) = documents(RECOVERY)
    assert document.fields["fingerprint"] == fields(PROBLEM)["fingerprint"]
    assert (document.fields["status"], document.fields["ends_at"]) == ("resolved", 1_795_346_060_000)
    assert "neither host nor problem" in document.warnings[0]


def test_hosts_of_older_versions_are_names() -> None:
    read = fields({**PROBLEM, "hosts": ["Database 1"], "tags": []})
    assert read["labels"] == {"host": "Database 1"}


def test_a_tag_of_the_name_host_is_kept() -> None:
    assert fields({**PROBLEM, "tags": [{"tag": "host", "value": "own"}]})["labels"] == {"host": "own"}


@pytest.mark.parametrize(
    "measurement",
    [
        {"host": {"host": "a"}, "itemid": 3, "clock": 1, "ns": 2, "value": 1, "type": 3},
        {"itemid": 1, "clock": 1, "ns": 2, "eventid": 0, "severity": 0, "value": "line", "type": 2},
        {"host": {"host": "a"}, "itemid": 3, "clock": 1, "count": 60, "min": 1, "avg": 1, "max": 1, "type": 3},
    ],
)
def test_values_of_items_and_trends_are_no_alerts(measurement: dict[str, Any]) -> None:
    assert outcomes(measurement) == [Skipped("measurement")]


@pytest.mark.parametrize("odd", [None, 5, "text", [5, None, [], {}], {"tag": 1}])
def test_odd_parts_lose_no_problem(odd: Any) -> None:
    read = fields({**PROBLEM, "hosts": odd, "groups": odd, "tags": odd, "clock": odd, "ns": odd})
    assert read["alert_type"] == PROBLEM["name"]
