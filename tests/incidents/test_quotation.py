"""The alerts that a decision quotes: what is shown, in which order, and what is left out within the byte budget."""

import random
import unicodedata
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.events.decision import IncidentSummary
from openclaw_stream.incidents.evidence import incident_fields
from openclaw_stream.incidents.exemplars import exemplar
from openclaw_stream.incidents.quotation import EVIDENCE_BYTES, quoted_alerts
from openclaw_stream.incidents.state import NAMES_MAX, State
from openclaw_stream.text import json_size
from openclaw_stream.vocabulary import IncidentStatus, Severity

LINKS = {
    "runbook_url": "https://runbooks.example.org/a",
    "dashboardURL": "https://grafana.example.org/d/a",
    "panel_url": "https://grafana.example.org/d/a?viewPanel=4",
}


def alert(name: str = "A", severity: Severity = Severity.HIGH, member: int = 1, **fields: Any) -> Alert:
    given: dict[str, Any] = {"firing": True, "starts_at": 0, "ends_at": 0, "fingerprint": "f", "group_key": "g"}
    return Alert(name=name, severity=severity, member=member, **given | fields)


def incident(*alerts: Alert) -> State:
    state = State("g")
    state.begin("id", 0, 1000, "")
    for each in alerts:
        state.add_member(each)
        state.add_exemplar(exemplar(each))
        state.add_evidence(each, 0, distinct=True)
    return state


def quoted(state: State) -> list[dict[str, Any]]:
    """Return the evidence as it is published, in JSON types."""
    summary = IncidentSummary(group_key="g", **(incident_fields(state) | quoted_alerts(state)))
    evidence: list[dict[str, Any]] = summary.model_dump(mode="json")["evidence"]
    return evidence


def test_an_alert_is_quoted_with_its_own_words() -> None:
    annotations = {"summary": "It fails", "Description": "It fails since the release", "team": "shop", **LINKS}
    [shown] = quoted(
        incident(
            alert(
                message="500 of 900 failed",
                labels={"alertname": "A", "pod": "cart-0"},
                annotations=annotations,
                starts_at=1_795_300_000_000,
                generator_url="https://prometheus.example.org/graph",
            )
        )
    )
    assert shown == {
        "name": "A",
        "status": "firing",
        "severity": "high",
        "summary": "It fails",
        "description": "It fails since the release",
        "message": "500 of 900 failed",
        "labels": {"alertname": "A", "pod": "cart-0"},
        "labels_left_out": 0,
        "annotations": {"team": "shop"},
        "annotations_left_out": 0,
        "starts_at": "2026-11-21T22:26:40Z",
        "count": 1,
        "generator_url": "https://prometheus.example.org/graph",
        "runbook_url": LINKS["runbook_url"],
        "dashboard_url": LINKS["dashboardURL"],
        "panel_url": LINKS["panel_url"],
    }


def test_a_message_is_never_replaced_by_a_summary() -> None:
    [shown] = quoted(incident(alert(annotations={"summary": "s"})))
    assert (shown["message"], shown["summary"]) == ("", "s")


def test_the_most_severe_come_first_and_the_oldest_of_them() -> None:
    given = [("A", Severity.INFO, 1), ("B", Severity.CRITICAL, 9), ("C", Severity.CRITICAL, 5), ("D", Severity.HIGH, 1)]
    state = incident(*(alert(name, severity, n, starts_at=at) for n, (name, severity, at) in enumerate(given)))
    assert [each["name"] for each in quoted(state)] == ["C", "B", "D", "A"]


def test_the_status_is_that_of_the_member() -> None:
    state = incident(alert("A", member=1), alert("B", member=2), alert("C", member=3))
    state.resolve_member(2)
    del state.firing[3]
    assert [each["status"] for each in quoted(state)] == ["firing", "resolved", "resolved"]
    state.overflow = True
    assert [each["status"] for each in quoted(state)] == ["firing", "resolved", "firing"], "one of too many members"
    state.close(IncidentStatus.RESOLVED, 9)
    assert {each["status"] for each in quoted(state)} == {"resolved"}


def test_the_count_is_of_the_alerts_of_that_name() -> None:
    state = incident(alert("A"), alert("B", member=2))
    for offset in range(4):
        state.count_repeat("A", offset, 0)
    assert [each["count"] for each in quoted(state)] == [5, 1]


def test_a_quoted_alert_whose_name_is_beyond_the_limit_counts_as_one() -> None:
    names = [alert(f"N{number}", Severity.INFO, member=number) for number in range(NAMES_MAX)]
    state = incident(*names)
    last = alert("Last", Severity.CRITICAL, member=NAMES_MAX)
    state.exemplars = state.exemplars[:1]
    state.add_exemplar(exemplar(last))
    state.add_evidence(last, 0, distinct=True)
    assert [(each["name"], each["count"]) for each in quoted(state)] == [("Last", 1), ("N0", 1)]


def test_alerts_that_are_not_shown_are_counted() -> None:
    state = incident(alert("A"), alert("A", member=2))
    for member in range(3, 10):
        state.add_evidence(alert("A", member=member), 0, distinct=True)
    assert quoted_alerts(state)["evidence_left_out"] == 7
    none = quoted_alerts(State("g"))
    assert (none["evidence"], none["evidence_left_out"]) == ([], 0)


def test_the_name_of_a_runbook_is_shown_as_an_annotation() -> None:
    [shown] = quoted(incident(alert(annotations={"runbook": "CrashLoop.md", "dashboard": "javascript:alert(1)"})))
    assert shown["annotations"] == {"runbook": "CrashLoop.md", "dashboard": "javascript:alert(1)"}
    assert (shown["runbook_url"], shown["dashboard_url"]) == ("", "")


def test_annotations_go_before_labels_and_labels_before_descriptions() -> None:
    """Counts say how many; the texts are cut last."""
    wide = "慢" * 500
    many = {f"l{number}": "x" * 400 for number in range(32)}
    alerts = [
        alert(f"A{n}", member=n, annotations={"description": wide, **{f"note{i}": wide for i in range(7)}}, labels=many)
        for n in range(16)
    ]
    shown = quoted(incident(*alerts))
    assert len(shown) == 16
    for each in shown:
        assert len(each["description"]) > 200
        assert len(each["labels"]) + each["labels_left_out"] == 32
        assert len(each["annotations"]) + each["annotations_left_out"] == 7
    few = quoted(incident(*alerts[:2]))
    assert [each["description"] for each in few] == [wide] * 2
    assert all(each["labels"] and not each["annotations"] for each in few)


CHARACTERS = '"\\\n\x1b\u202e\u200b慢😀aé=:'


def hostile_text(r: random.Random) -> str:
    return "".join(r.choices(CHARACTERS, k=r.choice([0, 1, 8]))) * r.choice([1, 3, 120])


def hostile_alert(r: random.Random) -> Alert:
    def items() -> dict[str, str]:
        return {f"{hostile_text(r)}{number}": hostile_text(r) for number in range(r.randrange(50))}

    return alert(
        hostile_text(r),
        r.choice(list(Severity)),
        r.getrandbits(64),
        message=hostile_text(r),
        labels=items(),
        annotations=items() | {"summary": "\\" * 500, **LINKS},
        starts_at=r.randrange(10**18),
        generator_url=f"https://a.example/{hostile_text(r)}",
    )


def displayed(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for pair in value.items() for each in pair for text in displayed(each)]
    return [value] if isinstance(value, str) else []


@settings(max_examples=40)
@given(st.randoms(use_true_random=False), st.integers(1, 16))
def test_any_alerts_fit_the_budget_and_nothing_is_lost_silently(r: random.Random, number: int) -> None:
    alerts = [hostile_alert(r) for _ in range(number)]
    shown = quoted(incident(*alerts))
    assert len(shown) == len(alerts)
    assert json_size(shown) <= EVIDENCE_BYTES
    ordered = sorted(alerts, key=lambda each: (-each.severity.rank, each.starts_at))
    for each, source in zip(shown, ordered, strict=True):
        assert len(each["labels"]) + each["labels_left_out"] == len(source.labels)
        hidden = [c for text in displayed(each) for c in text if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co"}]
        assert set(hidden) <= {"\n", "\t"}
