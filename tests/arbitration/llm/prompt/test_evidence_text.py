"""The evidence in a prompt: JSON lines within the byte budget."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from openclaw_stream.arbitration.llm.prompt.evidence_text import EVIDENCE_BYTES_MAX, render_evidence
from openclaw_stream.incidents.case import Owner
from openclaw_stream.vocabulary import Responsibility, Severity
from tests.builders import case, exemplar

LONG = "資料庫" * 1000


def lines(text: str) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in text.split("\n")]


def only_alert(**fields: Any) -> dict[str, Any]:
    (alert,) = [each["alert"] for each in lines(render_evidence(case(exemplar(**fields)), None)) if "alert" in each]
    return dict(alert)


def test_the_lines_are_incident_signals_counts_and_alerts() -> None:
    shown = lines(render_evidence(case(exemplar("A"), exemplar("B"), flaps=2), None))
    assert [next(iter(line)) for line in shown] == ["incident", "golden_signals", "alert_counts", "alert", "alert"]
    assert shown[0]["incident"]["recovered_and_fired_again"] == 2
    assert shown[2]["alert_counts"] == {"A": 1, "B": 1}


@pytest.mark.parametrize(
    ("owner", "shown"),
    [
        (None, None),
        (Owner("Shop", "entry 1"), {"team": "Shop"}),
        (Owner("Shop", "entry 1", Responsibility.BE), {"team": "Shop", "responsibility": "BE"}),
        (Owner("Shop\u202e password=hunter2hunter2", "label team"), {"team": "Shop password=[redacted:password]"}),
    ],
)
def test_the_incident_has_its_owner(owner: Owner | None, shown: dict[str, str] | None) -> None:
    assert lines(render_evidence(case(owner=owner), None))[0]["incident"].get("owner") == shown


def test_counts_beyond_the_budget_are_counted_together() -> None:
    names = {f"{number}-{'x' * 70}": 1000 - number for number in range(500)}
    counts = lines(render_evidence(case(alert_names=names, other_alerts=7), None))[2]["alert_counts"]
    others = counts.pop("(other names)")
    assert list(counts) == list(names)[: len(counts)]
    assert sum(counts.values()) + others == sum(names.values()) + 7


@pytest.mark.parametrize("alerts", [1, 5, 16])
def test_long_texts_are_cut_to_the_byte_budget(alerts: int) -> None:
    long = [
        exemplar(f"Alert{number}", {f"label{n}": LONG for n in range(50)}, message=LONG, metrics={LONG: 1.0})
        for number in range(alerts)
    ]
    text = render_evidence(case(*long, services=(LONG,) * 50), None)
    assert len(text.encode()) <= EVIDENCE_BYTES_MAX
    assert sum("alert" in line for line in lines(text)) == alerts


def test_the_message_has_priority_over_labels() -> None:
    alert = only_alert(message=LONG[:250], labels={f"label{n}": LONG for n in range(200)})
    assert alert["message"] == LONG[:250]
    assert len(alert["labels"]) < 200


def test_descriptions_come_before_other_annotations_without_links_and_copies() -> None:
    alert = only_alert(
        message="It is slow",
        annotations={"note": "n", "runbook": "https://wiki.example/x", "description": "d", "summary": "It is slow"},
    )
    assert list(alert["annotations"].items()) == [("description", "d"), ("note", "n")]


@pytest.mark.parametrize(
    ("annotation", "url", "shown"),
    [
        (
            "runbook_url",
            "https://wiki.example/ops/HighErrorRate?token=hunter2",
            {"runbook": "wiki.example/ops/HighErrorRate"},
        ),
        (
            "runbook",
            "https://git.example/runbook.md#kubepodcrashlooping",
            {"runbook": "git.example/runbook.md#kubepodcrashlooping"},
        ),
        ("dashboardURL", f"https://g.example/{'d/' * 60}redis-overview/", {"dashboard": "g.example/…/redis-overview"}),
        ("playbook", "https://wiki.example/%E6%89%8B%E5%86%8A", {"runbook": "wiki.example/手冊"}),
        ("panel", "https://u:hunter2@g.example", {"panel": "g.example"}),
        ("panel", "http://[::::::]:80/d", {"panel": "[::::::]:80/d"}),
        ("related_logs", "https://signoz.example/logs", None),
        ("runbook", "javascript:alert(1)", None),
    ],
)
def test_a_link_is_shown_by_host_and_path(annotation: str, url: str, shown: dict[str, str] | None) -> None:
    assert only_alert(annotations={annotation: url}).get("links") == shown


def test_the_name_of_a_runbook_is_an_annotation() -> None:
    assert only_alert(annotations={"runbook": "CrashLoop.md"})["annotations"] == {"runbook": "CrashLoop.md"}


def test_labels_shown_elsewhere_are_left_out() -> None:
    alert = only_alert(labels={"alertname": "A", "service": "checkout", "deployment": "checkout"})
    assert alert["labels"] == {"deployment": "checkout"}


def test_with_a_summary_only_the_most_severe_alerts_are_included() -> None:
    alerts = [exemplar(f"Alert{number}", severity=Severity.INFO) for number in range(8)]
    alerts[6] = replace(alerts[6], severity=Severity.CRITICAL)
    shown = lines(render_evidence(case(*alerts), None, "Everything fails"))
    assert {"summary_of_all_alerts": "Everything fails"} in shown
    names = [line["alert"]["name"] for line in shown if "alert" in line]
    assert names == ["Alert6", "Alert0", "Alert1", "Alert2", "Alert3"]


def test_numbers_have_four_significant_digits() -> None:
    assert only_alert(metrics={"cpu_percent": 96.123456})["metrics"] == {"cpu_percent": 96.12}
