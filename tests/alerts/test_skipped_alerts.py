"""Alerts that are read and not folded, and heartbeats, whose end is the alert."""

from typing import Any

import pytest

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.alerts.matchers import Matchers
from openclaw_stream.alerts.reader import AlertReader, SkippedAlertError
from openclaw_stream.vocabulary import Severity
from tests.alerts.records import READER, RECORD


def read(**fields: Any) -> Alert:
    warnings: list[str] = []
    alert = READER.read({"alert_type": "HighErrorRate", **fields}, RECORD, warnings)
    assert warnings == []
    return alert


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"state": "pending"}, "pending"),
        ({"status": {"state": "suppressed", "silencedBy": ["x"]}}, "suppressed"),
        ({"severity": "none"}, "severity_none"),
        ({"labels": {"severity": "None"}}, "severity_none"),
        ({"alert_type": "InfoInhibitor", "severity": "critical"}, "inhibitor"),
    ],
)
def test_what_is_no_problem_is_skipped(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(SkippedAlertError) as caught:
        read(**fields)
    assert str(caught.value) == reason


def test_what_the_operator_ignores_is_skipped() -> None:
    reader = AlertReader(ignore=Matchers('alertname="A", namespace=~"dev-.*"'))
    with pytest.raises(SkippedAlertError, match="ignored"):
        reader.read({"alert_type": "A", "labels": {"namespace": "dev-1"}}, RECORD, [])
    assert reader.read({"alert_type": "A", "labels": {"namespace": "prod"}}, RECORD, []).name == "A"
    with pytest.raises(SkippedAlertError, match="ignored"):
        reader.read({"alert_type": "A", "labels": {"namespace": "dev-1"}}, RECORD, [])


def test_a_failed_query_is_about_its_data_source_whatever_service_the_alert_names() -> None:
    alert = read(alert_type="DatasourceError", service="api", namespace="search", labels={"datasource_uid": "prom-1"})
    assert (alert.group_key, alert.service) == ("/prom-1", "")
    assert "prom-1" in alert.message


def test_matchers_see_a_field_as_the_label_of_that_name() -> None:
    reader = AlertReader(ignore=Matchers('namespace=~"dev-.*", severity!="critical"'))
    for alert in ({"namespace": "dev-a"}, {"labels": {"namespace": "dev-a"}, "namespace": ""}):
        with pytest.raises(SkippedAlertError, match="ignored"):
            reader.read({"alert_type": "A", **alert}, RECORD, [])
    assert reader.read({"alert_type": "A", "namespace": "dev-a", "severity": "critical"}, RECORD, []).firing
    assert reader.read({"alert_type": "A", "namespace": "shop", "labels": {"namespace": "dev-a"}}, RECORD, []).firing


HEARTBEAT_NAMES = (
    "Watchdog|watchdog|Heartbeat|PrometheusHeartbeat|DeadMansSwitch|DeadManSwitch|Dead Man's Switch|Deadman"
)


@pytest.mark.parametrize(
    "name", [*HEARTBEAT_NAMES.split("|"), "PrometheusAlertmanagerE2eDeadManSwitch", "AlwaysFiring"]
)
def test_a_heartbeat_is_known_by_its_name(name: str) -> None:
    assert READER.read({"alert_type": name, "status": "firing"}, RECORD, []).is_heartbeat


@pytest.mark.parametrize("name", ["MissingHeartbeat", "HeartbeatMissing", "WatchdogDown", "DeadMansSwitchMissing"])
def test_an_alert_about_a_heartbeat_is_none(name: str) -> None:
    assert not READER.read({"alert_type": name, "status": "firing"}, RECORD, []).is_heartbeat


@pytest.mark.parametrize("severity", ["none", "critical", None])
def test_the_end_of_a_heartbeat_is_a_critical_alert_and_its_return_the_end(severity: str | None) -> None:
    heartbeat = {"labels": {"alertname": "Watchdog", "prometheus": "a"}, "severity": severity}
    alive = READER.read({**heartbeat, "status": "firing"}, RECORD, [])
    ended = READER.read({**heartbeat, "status": "resolved", "ends_at": RECORD - 1000}, RECORD, [])
    assert (ended.firing, ended.severity, ended.starts_at) == (True, Severity.CRITICAL, RECORD - 1000)
    assert "Watchdog has ended" in ended.message
    assert not alive.firing
    assert (alive.group_key, alive.member) == (ended.group_key, ended.member)
    assert alive.is_heartbeat


def test_heartbeats_are_a_matter_of_settings() -> None:
    reader = AlertReader(heartbeats=Matchers('alertname="StillHere"'))
    assert reader.read({"alert_type": "StillHere", "status": "resolved"}, RECORD, []).firing
    assert reader.read({"alert_type": "Watchdog"}, RECORD, []).firing
    assert reader.read({"alert_type": "Watchdog"}, RECORD, []).name == "Watchdog"
