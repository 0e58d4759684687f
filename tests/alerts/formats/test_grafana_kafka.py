from pathlib import Path
from typing import Any

import orjson
import pytest

from openclaw_stream.alerts.formats import AlertDocument
from tests.alerts.formats.reading import documents, fields, format_of, outcomes

KEY = "f82877f6ecfdd5156f9e8444f4c62b2c"
URL = "http://grafana.example.org/alerting/grafana/fe1/view?orgId=1"


def block(service: str, value: str = "A=2.3, C=1", note: str = "p99 above 2 s") -> str:
    """One alert as `__text_alert_list` writes it."""
    return (
        f"\nValue: {value}\nLabels:\n - alertname = High latency\n - namespace = shop\n - service = {service}\n"
        f"Annotations:\n - summary = {note}\nSource: {URL}\nSilence: http://grafana.example.org/s\n"
        "Dashboard: http://grafana.example.org/d/1?to=1795346000000\n"
    )


def record(
    details: Any, state: str = "alerting", description: str = "[FIRING:1] High latency (shop)"
) -> dict[str, Any]:
    return {
        "description": description,
        "client": "Grafana",
        "details": details,
        "alert_state": state,
        "client_url": "http://grafana.example.org/alerting/list",
        "incident_key": KEY,
    }


def test_an_alert_is_read_out_of_the_prose() -> None:
    value = record(f"**Firing**\n{block('checkout')}")
    assert format_of(value) == "grafana_kafka"
    assert fields(value) == {
        "labels": {"alertname": "High latency", "namespace": "shop", "service": "checkout"},
        "annotations": {
            "summary": "p99 above 2 s",
            "dashboard_url": "http://grafana.example.org/d/1?to=1795346000000",
            "alertmanager_group": f"group: {KEY}",
        },
        "metrics": {"A": 2.3, "C": 1.0},
        "status": "firing",
        "generator_url": URL,
    }


def test_a_group_that_is_partly_resolved_holds_both() -> None:
    details = f"**Firing**\n{block('orders')}\n\n**Resolved**\n{block('checkout')}{block('stock')}"
    read = [
        (document.fields["labels"]["service"], document.fields["status"]) for document in documents(record(details))
    ]
    assert read == [("orders", "firing"), ("checkout", "resolved"), ("stock", "resolved")]


def test_a_resolved_group_is_resolved() -> None:
    assert fields(record(f"**Resolved**\n{block('checkout')}", "ok"))["status"] == "resolved"


@pytest.mark.parametrize(("state", "status"), [("alerting", "firing"), ("ok", "resolved"), ("no_data", "firing")])
def test_without_sections_the_groups_state_counts(state: str, status: str) -> None:
    assert fields(record(block("checkout"), state))["status"] == status


def test_the_labels_of_an_alert_are_equal_whether_it_fires_or_is_resolved() -> None:
    firing = fields(record(f"**Firing**\n{block('checkout', 'A=2.3')}"))
    resolved = fields(record(f"**Resolved**\n{block('checkout', 'A=0.1')}", "ok"))
    assert firing["labels"] == resolved["labels"]


@pytest.mark.parametrize(
    ("value", "metrics"),
    [
        ("[no value]", {}),
        ("B=NaN, C=+Inf, D=1e+06", {"D": 1e6}),
        ("[ var='B' labels={service=checkout} value=912.4 ], [ var='C' labels={} value=1 ]", {"B": 912.4, "C": 1.0}),
        ("", {}),
    ],
)
def test_values_are_metrics_where_they_are_numbers(value: str, metrics: dict[str, float]) -> None:
    assert fields(record(block("checkout", value)))["metrics"] == metrics


def test_an_annotation_of_several_lines_is_kept_whole() -> None:
    note = "line one\nline two = 2\nRunbook: http://runbooks.example.org/a?b=c"
    assert fields(record(block("checkout", note=note)))["annotations"]["summary"] == note


def test_an_empty_label_is_read_as_empty() -> None:
    assert fields(record("Labels:\n - alertname = a\n - team =\n - zone = \n"))["labels"] == {
        "alertname": "a",
        "team": "",
        "zone": "",
    }


@pytest.mark.parametrize(
    ("description", "name"),
    [
        ("[FIRING:1] High latency Shop (shop checkout)", "High latency Shop"),
        ("[FIRING:2, RESOLVED:1] High latency (shop)", "High latency"),
        ("[RESOLVED] High latency ", "High latency"),
        ("High latency", "High latency"),
        ("[FIRING:1]  ", "unnamed"),
        (None, "unnamed"),
        (7, "unnamed"),
    ],
)
@pytest.mark.parametrize("details", ["The checkout is slow.", "", None, "Labels:\nAnnotations:\n"])
def test_without_labels_the_group_is_one_alert_named_by_its_description(
    description: Any, name: str, details: Any
) -> None:
    (document,) = documents(record(details, description=description))
    assert document.fields["alert_type"] == name
    assert document.fields["fingerprint"] == KEY
    assert "no labels" in document.warnings[0]


def test_labels_without_a_name_take_the_description() -> None:
    (document,) = documents(record("Labels:\n - service = checkout\n"))
    assert document.fields["alert_type"] == "High latency"
    assert document.fields["labels"] == {"service": "checkout"}
    assert "fingerprint" not in document.fields
    assert "alertname" in document.warnings[0]


WHOLE = {
    "status": "firing",
    "alerts": [
        {"status": "firing", "labels": {"alertname": "a", "service": "orders"}, "fingerprint": "f2"},
        {"status": "resolved", "labels": {"alertname": "a", "service": "checkout"}, "fingerprint": "f1"},
    ],
}


@pytest.mark.parametrize("details", [WHOLE, orjson.dumps(WHOLE).decode(), orjson.dumps(WHOLE["alerts"]).decode()])
def test_whole_alerts_in_the_details_are_read_like_a_webhook(details: Any) -> None:
    read = [(document.fields["fingerprint"], document.fields["status"]) for document in documents(record(details))]
    assert read == [("f2", "firing"), ("f1", "resolved")]


def test_one_alert_in_the_details_takes_the_groups_state() -> None:
    details = orjson.dumps({"alertname": "a", "service": "checkout"}).decode()
    assert fields(record(details, "ok"))["status"] == "resolved"


def test_details_that_are_nearly_json_are_one_alert_with_a_warning() -> None:
    (document,) = documents(record('{"alerts": [{"labels": '))
    assert any(warning.startswith("details: not JSON") for warning in document.warnings)


def test_a_huge_message_is_read_in_part() -> None:
    read = documents(record("Labels:\n - alertname = a\n" * 100_000))
    assert 40_000 < len(read) < 50_000
    assert len(fields(record(f"Labels:\n - alertname = a\n{'x' * 100}\n" * 1 + "y\n" * 500_000))["labels"]) == 1


def test_recorded_requests_are_read(shared_data: Path) -> None:
    path = shared_data / "alertmanager-kafka" / "grafana_requests.jsonl"
    if not path.is_file():
        pytest.skip(f"there is no {path.name} in ../shared/data")
    for request in map(orjson.loads, path.read_bytes().splitlines()):
        step, body = request["step"], request["body"]
        body = orjson.loads(body) if isinstance(body, str) else body
        value = body["records"][0]["value"] if "records" in body else body.get("value", {"data": body})["data"]
        read = outcomes(value)
        assert all(isinstance(outcome, AlertDocument) and not outcome.warnings for outcome in read)
        assert len(read) == (1 if "firing one" in step or "no data" in step else 2), step
