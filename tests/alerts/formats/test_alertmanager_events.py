from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from openclaw_stream.alerts.formats import AlertDocument, Skipped, SkipReason, Unreadable
from openclaw_stream.alerts.formats.alertmanager_events import hexadecimal
from openclaw_stream.errors import PoisonError
from tests.alerts.formats.reading import documents, fields, format_of, outcomes

DEADLINE = "2026-11-22T11:17:30.5Z"
LABELS = {"alertname": "HighErrorRate", "namespace": "shop", "service": "checkout"}
GROUP = {"groupKey": '{}:{alertname="HighErrorRate"}', "receiverName": "ops", "groupId": "ab12"}


def event(kind: str, body: Any) -> dict[str, Any]:
    return {"@timestamp": "2026-11-22T11:13:20.1Z", "instance": "am-0", "data": {kind: body}}


def pairs(labels: dict[str, str]) -> dict[str, Any]:
    """Labels as 0.33 and 0.34 write them: an empty value is left out."""
    return {"labels": [{"key": key, "value": text} if text else {"key": key} for key, text in labels.items()]}


def alert(*, old: bool = False, **changes: Any) -> dict[str, Any]:
    texts = pairs if old else dict
    return {
        "fingerprint": "9117835922739789530",
        "name": "HighErrorRate",
        "labels": texts(LABELS),
        "annotations": texts({"summary": "5xx up"}),
        "startsAt": "2026-11-22T11:12:50.161661Z",
        "endsAt": DEADLINE,
        **changes,
    }


def grouped(details: dict[str, Any], *, old: bool = False, number: str = "7") -> dict[str, Any]:
    return {"hash": number, "details": details} if old else {"fingerprint": details["fingerprint"], "details": details}


BOTH_SCHEMAS = pytest.mark.parametrize("old", [True, False], ids=["0.33 and 0.34", "0.35"])


@BOTH_SCHEMAS
def test_a_created_alert_is_firing_and_its_deadline_is_no_end(old: bool) -> None:  # noqa: FBT001 (a parameter)
    created = event("alertCreated", {"alert": alert(old=old)})
    assert format_of(created) == "alertmanager_events"
    assert fields(created) == {
        "alert_type": "HighErrorRate",
        "labels": LABELS,
        "annotations": {"summary": "5xx up"},
        "status": "firing",
        "startsAt": "2026-11-22T11:12:50.161661Z",
        "fingerprint": "7e890f769f337eda",
    }


@BOTH_SCHEMAS
def test_a_grouped_alert_carries_its_group(old: bool) -> None:  # noqa: FBT001 (a parameter)
    body = {"alert": grouped(alert(old=old), old=old), "groupInfo": GROUP}
    read = fields(event("alertGrouped", body))
    assert read["annotations"]["alertmanager_group"] == f"receiver: ops, group: {GROUP['groupKey']}"
    assert (read["status"], read["fingerprint"]) == ("firing", "7e890f769f337eda")


@pytest.mark.parametrize("kind", ["alertResolved", "alertGrouped"])
@BOTH_SCHEMAS
def test_a_resolved_alert_ends_when_it_says(kind: str, old: bool) -> None:  # noqa: FBT001 (a parameter)
    ended = alert(old=old, resolved=True, endsAt="2026-11-22T11:13:19Z")
    read = fields(event(kind, {"alert": grouped(ended, old=old), "groupInfo": GROUP}))
    assert (read["status"], read["endsAt"]) == ("resolved", "2026-11-22T11:13:19Z")


def test_an_alert_born_resolved_is_resolved() -> None:
    assert fields(event("alertCreated", {"alert": alert(resolved=True)}))["status"] == "resolved"


@BOTH_SCHEMAS
def test_a_notification_holds_its_alerts_without_the_muted_ones(old: bool) -> None:  # noqa: FBT001 (a parameter)
    firing = grouped(alert(old=old, fingerprint="1"), old=old, number="11")
    ended = grouped(alert(old=old, fingerprint="2", resolved=True), old=old, number="12")
    muted = grouped(alert(old=old, fingerprint="3"), old=old, number="13")
    ids = [{key: value for key, value in one.items() if key != "details"} for one in (firing, ended, muted)]
    body = {
        "alerts": [firing, ended, muted],
        "firingAlerts": ids[:1],
        "resolvedAlerts": ids[1:2],
        "mutedAlerts": ids[2:],
        "groupInfo": GROUP,
        "reason": "NOTIFY_REASON_NEW_ALERTS_IN_GROUP",
        "integration": {"name": "webhook", "index": "1"},
    }
    first, second, third = outcomes(event("notification", body))
    assert isinstance(first, AlertDocument)
    assert isinstance(second, AlertDocument)
    assert [first.fields["status"], second.fields["status"]] == ["firing", "resolved"]
    assert third == Skipped("muted")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("silenceCreated", "silence"),
        ("silenceUpdated", "silence"),
        ("silenceMutedAlert", "muted"),
        ("inhibitionMutedAlert", "muted"),
        ("alertmanagerStartupEvent", "lifecycle"),
        ("alertmanagerShutdownEvent", "lifecycle"),
        ("notification", "empty"),
    ],
)
def test_an_event_that_is_no_alert_is_skipped(kind: str, reason: SkipReason) -> None:
    assert outcomes(event(kind, {})) == [Skipped(reason)]


def test_a_muted_alert_is_never_read_as_a_firing_one() -> None:
    muted = {"labels": LABELS, "fingerprint": "9117835922739789530"}
    assert outcomes(event("silenceMutedAlert", {"silence": {"id": "s"}, "mutedAlert": muted})) == [Skipped("muted")]


def test_an_alert_without_a_name_is_called_unnamed() -> None:
    nameless = alert(labels={"service": "bare"})
    del nameless["name"]
    (document,) = documents(event("alertCreated", {"alert": nameless}))
    assert document.fields["alert_type"] == "unnamed"
    assert "alertname: missing" in document.warnings[0]


def test_a_label_without_a_value_is_empty() -> None:
    assert fields(event("alertCreated", {"alert": alert(labels=pairs({"a": ""}))}))["labels"] == {"a": ""}


@pytest.mark.parametrize(
    ("decimal", "hexed"),
    [
        ("9117835922739789530", "7e890f769f337eda"),
        ("28106455654195444", "0063daac2929e0f4"),
        ("0", "0000000000000000"),
        (18446744073709551615, "ffffffffffffffff"),
        ("18446744073709551616", "18446744073709551616"),
        ("7e890f769f337eda", "7e890f769f337eda"),
        ("9" * 5000, "9" * 5000),
        (None, None),
        (True, True),
        (-1, -1),
    ],
)
def test_a_decimal_fingerprint_is_the_webhooks_hex_one(decimal: Any, hexed: Any) -> None:
    assert hexadecimal(decimal) == hexed


def test_an_array_of_events_is_read_one_by_one() -> None:
    first, second = outcomes([event("alertCreated", {"alert": alert()}), event("silenceCreated", {})])
    assert isinstance(first, AlertDocument)
    assert second == Skipped("silence")


def test_a_shipper_may_have_written_its_own_timestamp() -> None:
    assert fields({**event("alertCreated", {"alert": alert()}), "@timestamp": 1795346000.1})["status"] == "firing"


def test_what_a_transform_cut_out_of_an_event_is_read_too() -> None:
    whole = fields(event("alertCreated", {"alert": alert()}))
    assert fields({"data": {"alertCreated": {"alert": alert()}}}) == whole
    assert fields(alert()) == whole


def test_a_kind_that_is_not_known_is_a_fault_that_names_it() -> None:
    (outcome,) = outcomes(event("alertDeleted", {"alert": alert()}))
    assert outcome == Unreadable('Alertmanager event of an unknown kind: the string "alertDeleted"')


@pytest.mark.parametrize("odd", [None, 5, "text", [], {"labels": 5}, {"details": None}, {"details": {"labels": 5}}])
@pytest.mark.parametrize("kind", ["alertCreated", "alertGrouped", "alertResolved"])
def test_an_event_without_its_alert_is_a_fault(kind: str, odd: Any) -> None:
    (outcome,) = outcomes(event(kind, {"alert": odd}))
    assert isinstance(outcome, Unreadable | AlertDocument)
    (outcome,) = outcomes(event(kind, odd if not isinstance(odd, dict) else 5))
    assert isinstance(outcome, Unreadable)


def recorded(folder: Path, version: str, what: str) -> Iterator[Any]:
    path = folder / "alertmanager-kafka" / f"alertmanager-{version}.{what}.jsonl"
    if not path.is_file():
        pytest.skip(f"there is no {path.name} in ../shared/data")
    return map(orjson.loads, path.read_bytes().splitlines())


VERSIONS = pytest.mark.parametrize("version", ["0.34.2", "0.35.0"])


@VERSIONS
def test_every_recorded_event_is_read_or_skipped(shared_data: Path, version: str) -> None:
    counts: Counter[str] = Counter()
    for record in recorded(shared_data, version, "events"):
        for outcome in outcomes(record["value"].encode()):
            assert not isinstance(outcome, Unreadable), record["value"]
            counts[outcome.reason if isinstance(outcome, Skipped) else outcome.fields["status"]] += 1
    assert set(counts) == {"firing", "resolved", "muted", "silence", "lifecycle"}
    assert counts["muted"] >= 118
    assert counts["silence"] == 3
    assert counts["lifecycle"] == 7


@VERSIONS
def test_recorded_alerts_are_those_of_the_webhook_bodies(shared_data: Path, version: str) -> None:
    by_event = members(record["value"].encode() for record in recorded(shared_data, version, "events"))
    by_webhook = members(orjson.dumps(record["body"]) for record in recorded(shared_data, version, "webhook"))
    assert by_webhook
    for fingerprint, labels in by_webhook.items():
        assert by_event[fingerprint] == labels


def members(values: Iterator[bytes]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for value in values:
        for outcome in outcomes(value):
            if isinstance(outcome, AlertDocument):
                found[outcome.fields["fingerprint"]] = outcome.fields["labels"]
    return found


def test_the_protobuf_form_is_refused_with_what_to_configure() -> None:
    timestamp, instance, data = b"\x0a\x02\x08\x01", b"\x12\x04am-0", b"\x1a\x02\x12\x00"
    with pytest.raises(PoisonError, match="set `format: json`"):
        outcomes(timestamp + instance + data + b"\x20\x01")
