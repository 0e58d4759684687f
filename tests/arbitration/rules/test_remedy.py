from dataclasses import replace

import pytest

from openclaw_stream.arbitration.kubectl import parse
from openclaw_stream.arbitration.rules import judge
from openclaw_stream.events.decision import Judgement
from openclaw_stream.incidents.case import Exemplar
from openclaw_stream.vocabulary import Action, Language, Risk, TuningType
from tests.builders import alert, case_from

SHOP = {"namespace": "shop", "service": "checkout"}


def judged(*alerts: Exemplar) -> Judgement:
    return judge(case_from(*alerts), Language.EN)


@pytest.mark.parametrize(
    ("found", "action", "command"),
    [
        (
            alert("CheckoutCrashLooping", "The service keeps crashing", {**SHOP, "deployment": "checkout"}),
            Action.RESTART_DEPLOYMENT,
            "kubectl rollout restart deployment/checkout -n shop",
        ),
        (
            alert("CheckoutLatency", "P99 latency is 3 s", {**SHOP, "pod": "checkout-7d9f8b6c5-x2x4z"}),
            Action.APPLY_HPA,
            "kubectl autoscale deployment/checkout --min=2 --max=6 --cpu=70% -n shop",
        ),
        (
            alert("CheckoutLatency", "P99 latency is 3 s", {**SHOP, "pod": "checkout-0"}, metrics={"replicas": 3}),
            Action.SCALE_DEPLOYMENT,
            "kubectl scale statefulset/checkout --replicas=5 --current-replicas=3 -n shop",
        ),
        (
            alert(
                "CheckoutOutOfMemory",
                "The service's container was OOMKilled",
                {**SHOP, "deployment": "checkout", "container": "app"},
                metrics={"memory_limit_bytes": 512 * 1024 * 1024},
            ),
            Action.TUNE_RESOURCES,
            "kubectl set resources deployment/checkout --containers=app --limits=memory=768Mi -n shop",
        ),
    ],
)
def test_a_named_workload_gets_a_command(found: Exemplar, action: Action, command: str) -> None:
    judgement = judged(found)
    assert (judgement.suggested_action, judgement.kubectl_command) == (action, command)
    assert parse(command).render() == command
    assert judgement.risk_level is Risk.MEDIUM
    assert judgement.namespace == "shop"
    assert judgement.target_resource.endswith("/checkout")
    assert "manually" not in judgement.description


def test_the_target_resource_names_the_workload() -> None:
    named = replace(alert("CheckoutDown", "down", SHOP), target_resource="Deployment/checkout")
    assert judged(named).kubectl_command == "kubectl rollout restart deployment/checkout -n shop"


@pytest.mark.parametrize(
    "labels",
    [
        {"service": "checkout"},
        {"service": "checkout", "namespace": "shop"},
        {"service": "checkout", "deployment": "checkout"},
        {"namespace": "shop", "deployment": "check out; rm -rf /"},
        {"namespace": "shop$(id)", "deployment": "checkout"},
        {"namespace": "shop", "pod": "checkout"},
        {"namespace": "monitoring", "pod": "kube-state-metrics-7d9f8b6c5-x2x4z"},
        {"namespace": "Shop", "deployment": "checkout"},
    ],
)
def test_an_unknown_workload_gets_manual_steps(labels: dict[str, str]) -> None:
    judgement = judged(alert("CheckoutDown", "The service is down", labels))
    assert judgement.kubectl_command == ""
    assert judgement.suggested_action is Action.NO_ACTION
    assert judgement.risk_level is Risk.LOW
    assert "follow the steps above manually" in judgement.description


def test_several_workloads_get_no_command() -> None:
    alerts = (
        alert("CheckoutDown", "The service is down", {"namespace": "shop", "deployment": "checkout"}),
        alert("CartDown", "The service is down", {"namespace": "shop", "deployment": "cart"}),
    )
    assert judged(*alerts).kubectl_command == ""


def test_a_database_gets_no_command() -> None:
    judgement = judged(alert("MySQLDown", "MySQL is down", {"namespace": "data", "statefulset": "mysql"}))
    assert judgement.kubectl_command == ""
    assert judgement.target_resource == "statefulset/mysql"
    assert "No command fixes this type of problem safely" in judgement.description
    assert not any("kubectl" in item.kubectl_or_config for item in judgement.optimization_suggestions)


def test_tuning_is_a_command_for_a_known_workload_and_configuration_otherwise() -> None:
    known, unknown = (
        judged(alert("CheckoutLatency", "P99 latency is 3 s", labels)).optimization_suggestions
        for labels in ({**SHOP, "deployment": "checkout"}, SHOP)
    )
    assert [item.type for item in known] == [TuningType.HPA, TuningType.CACHE]
    assert parse(known[0].kubectl_or_config).target == "deployment/checkout"
    assert unknown[0].kubectl_or_config.startswith("HorizontalPodAutoscaler:")


def test_tuning_for_the_root_cause_precedes_that_for_the_first_symptom() -> None:
    alerts = (
        alert("PostgresSlowQueries", "Slow queries have increased"),
        alert("CheckoutHighErrorRate", "5xx error rate is 9%", SHOP),
    )
    types = [item.type for item in judged(*alerts).optimization_suggestions]
    assert types == [TuningType.INDEX, TuningType.CACHE, TuningType.CIRCUIT_BREAKER]
