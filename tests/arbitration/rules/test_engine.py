"""The rules judge any case, deterministically and safely."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_stream.arbitration.kubectl import looks_like_command, parse
from openclaw_stream.arbitration.rules import judge
from openclaw_stream.events.decision import GoldenSignals, Judgement
from openclaw_stream.incidents.case import Case, Exemplar
from openclaw_stream.vocabulary import Action, Language, Responsibility, Risk, Severity
from tests.arbitration.rules.examples import EXAMPLES
from tests.builders import alert, case_from

words = st.sampled_from([e.name for e in EXAMPLES] + [e.text for e in EXAMPLES] + ["prod", "checkout", "team FE"])
texts = words | st.text(max_size=60)
keys = st.sampled_from(
    ["namespace", "pod", "deployment", "statefulset", "container", "service", "node", "job", "team", "value"]
) | st.text(max_size=12)
names = st.sampled_from(["shop", "checkout", "checkout-7d9f8b6c5-x2x4z", "mysql-0", "a;id", "-n", "x" * 300]) | texts
numbers = st.floats() | st.integers(-5, 10**12).map(float)
exemplars = st.builds(
    Exemplar,
    name=texts,
    severity=st.sampled_from(Severity),
    namespace=names,
    service=names,
    target_resource=names | names.map("deployment/{}".format) | names.map("pod/{}".format),
    message=texts,
    labels=st.dictionaries(keys, names, max_size=6),
    annotations=st.dictionaries(st.sampled_from(["summary", "description", "value", "threshold.value"]) | keys, texts),
    metrics=st.dictionaries(st.sampled_from(["replicas", "memory_limit_bytes", "cpu"]) | keys, numbers, max_size=4),
)
cases = st.lists(exemplars, max_size=5).map(lambda alerts: case_from(*alerts))
percent = st.none() | st.floats(0, 1e6)
signals = st.none() | st.builds(
    GoldenSignals,
    rps=percent,
    rps_trend=st.none() | st.floats(-1, 1e6),
    error_rate=percent,
    p99_ms=percent,
    unavailable=st.none() | texts,
)


@settings(max_examples=300)
@given(cases, st.sampled_from(Language), signals)
def test_any_case_is_judged_safely(judged: Case, language: Language, metrics: GoldenSignals | None) -> None:
    judgement = judge(judged, language, metrics)
    assert judgement == judge(judged, language, metrics)
    assert 0 < judgement.confidence < 1
    assert judgement.primary_responsibility not in judgement.secondary_teams
    assert (judgement.primary_responsibility is Responsibility.COLLAB) <= (len(judgement.secondary_teams) == 1)
    _commands_are_safe(judgement)


def _commands_are_safe(judgement: Judgement) -> None:
    if judgement.kubectl_command:
        command = parse(judgement.kubectl_command)
        assert command.render() == judgement.kubectl_command
        assert (command.target, command.namespace) == (judgement.target_resource, judgement.namespace)
        assert command.action is judgement.suggested_action
        assert judgement.risk_level is not Risk.LOW
    else:
        assert judgement.suggested_action is Action.NO_ACTION
    for item in judgement.optimization_suggestions:
        if looks_like_command(item.kubectl_or_config):
            assert parse(item.kubectl_or_config).render() == item.kubectl_or_config


@given(cases, signals)
def test_golden_signals_change_neither_team_nor_confidence(judged: Case, metrics: GoldenSignals | None) -> None:
    with_metrics, without = judge(judged, Language.EN, metrics), judge(judged, Language.EN)
    for field in ("primary_responsibility", "confidence", "secondary_teams", "action_title"):
        assert getattr(with_metrics, field) == getattr(without, field)


@given(cases, st.integers(1, 10**6))
def test_repeats_of_an_alert_change_neither_team_nor_confidence(judged: Case, times: int) -> None:
    repeated = replace(
        judged,
        alert_count=judged.alert_count * times,
        alert_names={name: count * times for name, count in judged.alert_names.items()},
    )
    once, often = judge(judged, Language.EN), judge(repeated, Language.EN)
    assert (once.primary_responsibility, once.confidence) == (often.primary_responsibility, often.confidence)


def test_very_long_alerts_are_cut() -> None:
    long = Exemplar(
        name="MySQLDown " * 10_000,
        severity=Severity.CRITICAL,
        message="a-" * 500_000,
        labels={f"label_{n}": "node " * 10_000 for n in range(500)},
        annotations={f"note_{n}": "disk " * 10_000 for n in range(100)},
        metrics={f"metric_{n}": 1.0 for n in range(1000)},
    )
    judgement = judge(case_from(*[long] * 40), Language.EN)
    assert judgement.primary_responsibility is Responsibility.DB
    assert len(judgement.reasoning) < 2000


def judge_one(found: Exemplar, **overrides: Any) -> Judgement:
    return judge(case_from(found, **overrides), Language.EN)


def test_affected_pods_are_the_known_replicas() -> None:
    judgement = judge_one(
        alert(
            "CheckoutHangs",
            "Worker threads are deadlocked",
            {"namespace": "shop", "service": "checkout", "deployment": "checkout"},
            metrics={"replicas": 4},
        )
    )
    assert judgement.blast_radius.affected_pods == 4
    assert judgement.blast_radius.related_services == ["checkout"]


def test_pods_are_affected_by_a_command_only() -> None:
    labels = {"namespace": "data", "statefulset": "mysql"}
    judgement = judge_one(alert("MySQLDown", "MySQL is down", labels, metrics={"replicas": 4}))
    assert (judgement.kubectl_command, judgement.target_resource) == ("", "statefulset/mysql")
    assert judgement.blast_radius.affected_pods == 0


@pytest.mark.parametrize(
    ("services", "service", "affected"),
    [
        (("checkout", "cart"), "other", ["checkout", "cart"]),
        ((), "check\u202eout\n", ["checkout"]),
        ((), "", []),
        (("\u200b", "a\x00b"), "", ["ab"]),
        (tuple(f"s{number}" for number in range(40)), "", [f"s{number}" for number in range(16)]),
    ],
)
def test_affected_services_are_clean_names_of_the_case(
    services: tuple[str, ...], service: str, affected: list[str]
) -> None:
    judgement = judge_one(alert("CheckoutDown", "down"), services=services, service=service)
    assert judgement.affected_services == affected
    assert judgement.blast_radius.related_services == affected


def test_the_namespace_is_that_of_the_workload_else_of_the_case() -> None:
    labels = {"namespace": "shop", "deployment": "checkout"}
    assert judge_one(alert("CheckoutDown", "down", labels), namespace="other", service="").namespace == "shop"
    assert judge_one(alert("CheckoutDown", "down"), namespace="sh\u202eop\n").namespace == "shop"


def test_a_case_without_alerts_has_the_cause_of_unknown_faults() -> None:
    empty = judge(case_from(severity=Severity.CRITICAL), Language.EN)
    assert (empty.primary_responsibility, empty.suggested_action) == (Responsibility.COLLAB, Action.NO_ACTION)
    assert (empty.target_resource, empty.affected_services, empty.kubectl_command) == ("", [], "")
    assert empty.action_title
    assert judge_one(alert("Oops")).action_title == "Oops"
