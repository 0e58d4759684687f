"""The own incidents, and how labelled lines become cases."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from openclaw_stream.alerts.reader import AlertReader
from openclaw_stream.vocabulary import Responsibility
from tests.evaluation.dataset import HELD_OUT, INCIDENTS, Labelled, case_of_alerts, load

LINES: list[dict[str, Any]] = [json.loads(line) for line in INCIDENTS.read_text(encoding="utf-8").splitlines()]
ALERT_FIELDS = {"alertname", "severity", "status", "labels", "annotations", "message", "metrics", "generator_url"}
SHARES = {"FE": 0.12, "BE": 0.35, "INFRA": 0.3, "DB": 0.18, "COLLAB": 0.05}


@pytest.fixture(scope="module")
def incidents() -> list[Labelled]:
    return load(INCIDENTS)


def test_incidents_have_unique_ids_and_the_shares_of_the_teams(incidents: list[Labelled]) -> None:
    assert len({line.id for line in incidents}) == len(incidents) >= 200
    counts = Counter(line.truth for line in incidents)
    for team, share in SHARES.items():
        assert counts[Responsibility(team)] / len(incidents) == pytest.approx(share, abs=0.03)


def test_incidents_have_one_to_four_alerts_of_the_native_form() -> None:
    for line in LINES:
        assert line.keys() - {"golden_signals"} == {"id", "source", "alerts", "truth"}, line["id"]
        assert 1 <= len(line["alerts"]) <= 4, line["id"]
        for alert in line["alerts"]:
            assert {"alertname", "severity", "status", "labels", "annotations"} <= alert.keys() <= ALERT_FIELDS


def test_the_truth_of_an_incident_is_complete() -> None:
    for line in LINES:
        truth = line["truth"]
        assert truth["certainty"] in {"clear", "convention"}, line["id"]
        assert truth["subject"].keys() == {"kind", "namespace", "name"}, line["id"]
        assert all((truth["subject"]["kind"], truth["subject"]["name"], truth["cause"], truth["good_checks"]))


def test_one_in_five_incidents_is_in_chinese() -> None:
    chinese = sum("\u4e00" <= char <= "\u9fff" for line in LINES for char in line["alerts"][0]["alertname"][:1])
    assert chinese / len(LINES) > 0.1
    assert sum(_has_chinese(line["alerts"]) for line in LINES) / len(LINES) == pytest.approx(0.2, abs=0.03)


def _has_chinese(alerts: list[dict[str, Any]]) -> bool:
    return any("\u4e00" <= char <= "\u9fff" for char in json.dumps(alerts, ensure_ascii=False))


@pytest.mark.parametrize("path", [INCIDENTS, HELD_OUT], ids=lambda path: path.stem)
def test_the_alerts_of_an_incident_are_in_one_group(path: Path) -> None:
    reader = AlertReader()
    for line in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        assert len({reader.read(alert, 0, []).group_key for alert in line["alerts"]}) == 1, line["id"]


def test_a_case_is_what_decoder_and_fold_make_of_the_alerts() -> None:
    labels = {"namespace": "shop", "pod": "cart-6d5f8c7b9-x2v4q"}
    case = case_of_alerts("x", [_alert("A", "page", labels), _alert("B", "none", labels)])
    assert case.subject == ("pod", "shop", "cart")
    assert (case.namespace, case.service, case.services) == ("shop", "cart", ("cart",))
    assert [each.severity for each in case.exemplars] == ["critical", "info"]
    assert (case.alert_names, case.severity, case.resolved_early) == ({"A": 1, "B": 1}, "critical", False)


def test_a_case_whose_alerts_have_resolved_ended_early() -> None:
    fires = _alert("A", "high", {"service": "cart"})
    case = case_of_alerts("x", [fires, {**fires, "status": "resolved"}])
    assert case.resolved_early
    assert case.alert_names == {"A": 2}


def _alert(name: str, severity: str, labels: Mapping[str, str]) -> dict[str, Any]:
    return {"alertname": name, "severity": severity, "labels": labels, "annotations": {}}
