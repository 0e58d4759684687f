from typing import Any

import orjson
import pytest

from openclaw_stream.alerts.decoding.decode import decode
from openclaw_stream.alerts.formats import AlertDocument, Skipped, Unreadable
from openclaw_stream.events.examples import ALERTMANAGER
from tests.alerts.formats.reading import documents, fields, format_of, outcomes
from tests.alerts.records import GRAFANA, READER, RECORD, SIGNOZ

GROWN: dict[str, Any] = {
    **ALERTMANAGER,
    "notification_reason": "repeat interval elapsed",
    "routeLabels": {},
}


@pytest.mark.parametrize("payload", [ALERTMANAGER, GROWN, GRAFANA, SIGNOZ])
def test_a_payload_is_recognised_by_its_alerts_whoever_sends_it(payload: dict[str, Any]) -> None:
    for version in ("4", "1", 7, None):
        changed = {**payload, "version": version}
        assert format_of(changed) == "alertmanager"
        assert len(documents(changed)) == len(payload["alerts"])


def test_what_an_alert_lacks_is_taken_from_what_all_have_in_common() -> None:
    payload = {
        "status": "resolved",
        "alerts": [{"labels": {"service": "own"}}, {"labels": None, "status": "firing"}],
        "commonLabels": {"alertname": "a", "service": "common"},
        "commonAnnotations": {"summary": "s"},
    }
    first, second = (document.fields for document in documents(payload))
    assert first["labels"] == {"alertname": "a", "service": "own"}
    assert second["labels"] == {"alertname": "a", "service": "common"}
    assert (first["status"], second["status"]) == ("resolved", "firing")
    assert first["annotations"] == second["annotations"] == {"summary": "s"}


def test_what_is_copied_into_each_alert_is_bounded() -> None:
    common = {f"label{number}": "x" * 200 for number in range(2000)}
    (document,) = documents({"alerts": [{"labels": {"alertname": "a"}}], "commonLabels": common})
    assert 1 < len(document.fields["labels"]) < 25


def test_the_senders_group_is_kept_as_an_annotation() -> None:
    payload = {
        "receiver": "ops",
        "groupKey": '{}:{alertname="a"}',
        "alerts": [{"labels": {"alertname": "a"}, "annotations": {"summary": "s"}}],
    }
    assert fields(payload)["annotations"] == {
        "summary": "s",
        "alertmanager_group": 'receiver: ops, group: {}:{alertname="a"}',
    }
    assert len(fields({**payload, "groupKey": "k" * 9000})["annotations"]["alertmanager_group"]) == 500


def test_group_labels_stand_for_a_missing_group_key() -> None:
    payload = {"alerts": [{"labels": {"alertname": "a"}}], "groupLabels": {"cluster": "prod", "odd": [1]}}
    assert fields(payload)["annotations"]["alertmanager_group"] == 'group: {cluster="prod"}'


def test_annotations_of_a_wrong_type_are_left_to_the_reader() -> None:
    payload = {"receiver": "ops", "alerts": [{"labels": {"alertname": "a"}, "annotations": ""}]}
    assert fields(payload)["annotations"] == ""


def test_alerts_that_the_sender_left_out_are_a_warning_once() -> None:
    payload = {"alerts": [{"labels": {"alertname": "a"}}, {"labels": {"alertname": "b"}}], "truncatedAlerts": 7}
    assert [document.warnings for document in documents(payload)] == [
        ("truncatedAlerts: the sender left out 7 alerts",),
        (),
    ]


def test_a_payload_without_alerts_is_skipped() -> None:
    assert outcomes({"alerts": [], "status": "firing"}) == [Skipped("empty")]


def test_an_alert_that_is_no_object_is_a_fault_in_its_place() -> None:
    first, second, third = outcomes({"alerts": [{"labels": {"alertname": "a"}}, 5, {"labels": {"alertname": "b"}}]})
    assert isinstance(first, AlertDocument)
    assert second == Unreadable("expected an object, got the number 5")
    assert isinstance(third, AlertDocument)


def test_an_alert_without_a_name_is_called_unnamed_where_labels_identify_it() -> None:
    (document,) = documents({"alerts": [{"labels": {"service": "bare"}, "fingerprint": "f"}]})
    assert document.fields["alert_type"] == "unnamed"
    assert "alertname: missing" in document.warnings[0]


@pytest.mark.parametrize("labels", [{}, None, [], {"alertname": 5}, {"service": 5}, {"service": ""}])
def test_an_alert_that_nothing_identifies_gets_no_name(labels: Any) -> None:
    assert "alert_type" not in fields({"alerts": [{"labels": labels}]})


def test_grafanas_values_are_metrics() -> None:
    assert fields(GRAFANA)["metrics"] == {"B": 912.4, "C": 1}


def test_grafanas_links_become_annotations_and_take_no_part_in_the_identity() -> None:
    """They differ in every repeat."""
    alert = {
        "labels": {"alertname": "a"},
        "annotations": {"panel_url": "https://grafana.example.org/own"},
        "dashboardURL": "https://grafana.example.org/d/1?to=1795899578752",
        "panelURL": "https://grafana.example.org/d/1?to=1795899578752&viewPanel=4",
        "silenceURL": "https://grafana.example.org/alerting/silence/new",
    }
    read = fields({"alerts": [alert]})
    assert read["labels"] == {"alertname": "a"}
    assert read["annotations"] == {
        "panel_url": "https://grafana.example.org/own",
        "dashboard_url": alert["dashboardURL"],
    }
    later = alert | {"dashboardURL": "https://grafana.example.org/d/1?to=1795899999999"}
    first, second = (decode(orjson.dumps({"alerts": [each]}), RECORD, READER).alerts[0] for each in (alert, later))
    assert first.member == second.member


@pytest.mark.parametrize("url", ["", None, 7])
def test_an_empty_or_odd_link_of_grafana_is_left_out(url: object) -> None:
    assert fields({"alerts": [{"labels": {"alertname": "a"}, "dashboardURL": url}]})["annotations"] == {}


def signoz_no_data(last_seen: str, fingerprint: str) -> dict[str, Any]:
    (alert,) = SIGNOZ["alerts"]
    labels = {**alert["labels"], "lastSeen": last_seen}
    del labels["nodata"]
    return {**SIGNOZ, "alerts": [{**alert, "labels": labels, "fingerprint": fingerprint}]}


def test_signoz_alert_about_missing_data_is_equal_in_all_its_repeats() -> None:
    first, second = (
        fields(signoz_no_data(time, fingerprint)) for time, fingerprint in (("11:00", "aa"), ("12:00", "bb"))
    )
    assert first["labels"] == second["labels"]
    assert first["labels"]["nodata"] == "true"
    assert first["labels"]["alertname"] == "[No data] Checkout error rate"
    assert "fingerprint" not in first
    assert (first["annotations"]["lastSeen"], second["annotations"]["lastSeen"]) == ("11:00", "12:00")


def test_an_alert_about_missing_data_keeps_a_fingerprint_that_does_not_move() -> None:
    assert fields(SIGNOZ)["fingerprint"] == "77aa0c1d2e3f4051"


def test_alerts_as_the_apis_list_them_are_read_within_a_payload_too() -> None:
    listed = {"labels": {"alertname": "a"}, "status": {"state": "suppressed"}, "endsAt": "2026-11-22T12:00:00Z"}
    pending = {"labels": {"alertname": "b"}, "state": "pending", "activeAt": "2026-11-22T12:00:00Z"}
    assert outcomes({"alerts": [listed, pending]}) == [Skipped("suppressed"), Skipped("pending")]
