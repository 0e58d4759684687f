from collections import Counter
from datetime import UTC, datetime

import pytest

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.alerts.decoding.decode import DecodedRecord, decode
from openclaw_stream.alerts.reader import AlertReader
from openclaw_stream.demo.input_records import record_key
from openclaw_stream.demo.storm import storm
from openclaw_stream.errors import PoisonError
from openclaw_stream.vocabulary import Severity

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
START_MS = int(START.timestamp() * 1000)
RECORDS = storm(START)


def read(value: bytes) -> DecodedRecord | None:
    try:
        return decode(value, START_MS + 20_000, AlertReader())
    except PoisonError:
        return None


DECODED = [found for record in RECORDS if (found := read(record.value))]
ALERTS = [alert for found in DECODED for alert in found.alerts]


def of(name: str) -> list[Alert]:
    return [alert for alert in ALERTS if alert.name == name]


def test_the_storm_takes_twenty_seconds() -> None:
    times = [record.at for record in RECORDS]
    assert times == sorted(times)
    assert 0 <= times[0] < times[-1] <= 20
    assert 60 <= len(RECORDS) <= 120


def test_one_record_is_poison_and_all_others_decode_without_warnings() -> None:
    assert len(DECODED) == len(RECORDS) - 1
    assert [found.warnings + found.faults for found in DECODED if found.warnings or found.faults] == []


def test_every_format_occurs() -> None:
    assert {found.format for found in DECODED} == {"native", "alertmanager", "cloudevents"}


def test_several_incidents_overlap() -> None:
    ends = [record.at for record in RECORDS]
    for scope in {alert.group_key for alert in ALERTS}:
        times = [record.at for record in RECORDS if (record_key(record.value) or b"").decode() == scope]
        assert min(times) < ends[len(ends) // 2]
    assert len({alert.group_key for alert in ALERTS}) >= 8


def test_records_are_keyed_by_scope() -> None:
    for record, found in ((record, read(record.value)) for record in RECORDS):
        if found:
            assert record.key == found.alerts[0].group_key.encode()
            assert len({alert.group_key for alert in found.alerts}) == 1


def test_alerts_repeat_unchanged() -> None:
    repeats = Counter((alert.fingerprint, alert.starts_at, alert.firing) for alert in ALERTS if alert.firing)
    assert sum(count > 1 for count in repeats.values()) >= 10


def test_one_alert_rises_to_critical() -> None:
    severities = [alert.severity for alert in of("HttpErrorRateHigh")]
    assert severities[0] is Severity.HIGH
    assert severities[-1] is Severity.CRITICAL
    assert len({alert.fingerprint for alert in of("HttpErrorRateHigh")}) == 1


def test_one_alert_flaps() -> None:
    assert [alert.firing for alert in of("PodCrashLooping")].count(False) == 2
    assert len({alert.starts_at for alert in of("PodCrashLooping")}) == 2


def test_all_alerts_but_one_are_resolved() -> None:
    last = {alert.fingerprint: alert for alert in ALERTS}
    assert [alert.name for alert in last.values() if alert.firing] == ["NodeDiskPressure"]


@pytest.mark.parametrize("alert", ALERTS)
def test_times_are_relative_to_the_start(alert: Alert) -> None:
    assert START_MS <= alert.starts_at <= START_MS + 20_000
    assert alert.firing or alert.starts_at < alert.ends_at <= START_MS + 20_000
