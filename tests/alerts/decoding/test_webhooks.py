from pathlib import Path
from typing import Any

import orjson
import pytest

from openclaw_stream.alerts.decoding.decode import DecodedRecord, decode
from openclaw_stream.errors import PoisonError
from openclaw_stream.events.examples import ALERTMANAGER
from openclaw_stream.vocabulary import Severity
from tests.alerts.records import GRAFANA, READER, RECORD, SIGNOZ


def decoded(payload: dict[str, Any]) -> DecodedRecord:
    return decode(orjson.dumps(payload), RECORD, READER)


def test_a_payload_is_recognised_by_its_alerts_in_any_version() -> None:
    for version in ("4", "1", 7, None):
        result = decoded({**ALERTMANAGER, "version": version})
        assert (result.format, len(result.alerts), result.faults, result.warnings) == ("alertmanager", 1, [], [])


def test_all_fields_of_an_alert_in_a_payload_are_read() -> None:
    (alert,) = decoded(ALERTMANAGER).alerts
    assert (alert.name, alert.severity, alert.firing) == ("PodCrashLooping", Severity.WARNING, True)
    assert (alert.namespace, alert.service, alert.group_key) == ("shop", "cart", "shop/cart")
    assert (alert.fingerprint, alert.starts_at, alert.ends_at) == ("90f1d2a3c4b5e697", 1_795_339_691_021, 0)
    assert alert.annotations["summary"] == "cart-0 restarted five times in ten minutes"


def test_grafanas_payload_is_read() -> None:
    (alert,) = decoded(GRAFANA).alerts
    assert (alert.name, alert.service, alert.starts_at) == ("Checkout slow", "checkout", 1_795_345_800_000)


def test_signozs_payload_is_read() -> None:
    (alert,) = decoded(SIGNOZ).alerts
    assert (alert.name, alert.group_key) == ("[No data] Checkout error rate", "shop/checkout")
    assert alert.severity is Severity.CRITICAL


def test_each_alert_has_its_own_status() -> None:
    firing, resolved, silent = (
        {"status": status, "labels": {"alertname": "a"}} for status in ("firing", "resolved", None)
    )
    result = decoded({"status": "firing", "alerts": [firing, resolved]})
    assert [alert.firing for alert in result.alerts] == [True, False]
    result = decoded({"status": "resolved", "alerts": [firing, resolved, {**silent, "status": "resolved"}]})
    assert [alert.firing for alert in result.alerts] == [True, False, False]


def test_an_alert_without_a_status_has_the_payloads() -> None:
    payload = {"status": "resolved", "alerts": [{"labels": {"alertname": "a"}}]}
    assert not decoded(payload).alerts[0].firing
    assert decoded({**payload, "status": 5}).alerts[0].firing


def test_common_labels_and_annotations_complete_each_alert() -> None:
    payload = {
        "alerts": [{"labels": {"service": "own"}}, {}, {"labels": None}],
        "commonLabels": {"alertname": "a", "namespace": "shop", "service": "common"},
        "commonAnnotations": {"summary": "s"},
    }
    alerts = decoded(payload).alerts
    assert [alert.group_key for alert in alerts] == ["shop/own", "shop/common", "shop/common"]
    assert {alert.annotations["summary"] for alert in alerts} == {"s"}


def test_common_labels_of_a_wrong_type_are_ignored() -> None:
    payload = {"alerts": [{"labels": {"alertname": "a"}}], "commonLabels": [1], "commonAnnotations": "x"}
    assert decoded(payload).alerts[0].labels == {"alertname": "a"}


def test_an_invalid_alert_does_not_affect_the_valid_ones() -> None:
    good = {"labels": {"alertname": "a"}}
    result = decoded({"alerts": [good, 5, {"labels": []}, good, {"annotations": {}}]})
    assert len(result.alerts) == 2
    assert [fault.index for fault in result.faults] == [1, 2, 4]
    assert result.faults[0].reason == "expected an object, got the number 5"
    assert "no alert_type" in result.faults[1].reason
    assert "no alert_type" in result.faults[2].reason


def test_a_payload_without_a_valid_alert_is_poison() -> None:
    with pytest.raises(PoisonError, match=r"no valid alert: alert 0: .*; and 2 more"):
        decoded({"alerts": [1, 2, 3, 4, 5]})


def test_an_empty_payload_is_a_warning() -> None:
    result = decoded({"alerts": []})
    assert (result.alerts, result.faults, result.skipped) == ([], [], ["empty"])


def test_a_truncated_payload_is_a_warning() -> None:
    assert decoded({**ALERTMANAGER, "truncatedAlerts": 3}).warnings == ["truncatedAlerts: the sender left out 3 alerts"]
    assert decoded({**ALERTMANAGER, "truncatedAlerts": "many"}).warnings == []


def test_real_payloads_of_alertmanager_are_decoded(shared_data: Path) -> None:
    folder = shared_data / "alertmanager"
    results = {path.name[0]: decode(path.read_bytes(), RECORD + 600_000, READER) for path in folder.glob("*.json")}
    assert {key: [alert.firing for alert in result.alerts] for key, result in results.items()} == {
        "1": [True] * 3,
        "2": [True] * 3,
        "3": [False] * 3,
        "4": [True, False],
        "5": [True],
    }
    assert results["1"] == results["2"]
    for result in results.values():
        assert (result.faults, result.warnings) == ([], [])
        assert all(alert.severity is Severity.CRITICAL and alert.starts_at for alert in result.alerts)
        assert all((alert.ends_at == 0) == alert.firing for alert in result.alerts)
