from dataclasses import replace

import pytest

from openclaw_stream.arbitration.rules import judge
from openclaw_stream.events.decision import Judgement
from openclaw_stream.incidents.case import Exemplar
from openclaw_stream.vocabulary import Language, Responsibility, Severity
from tests.builders import alert, case_from

NODE_LOST = alert("KubeNodeNotReady", "Node worker-3 is not ready", {"node": "worker-3"}, severity=Severity.CRITICAL)
NODE_GONE = alert("KubeNodeUnreachable", "Node worker-4 cannot be reached", {"node": "worker-4"})
DB_FULL = alert("PostgreSQLTooManyConnections", "Connections at 98% of max", {"service": "orders-db"})
DB_DOWN = alert("MySQLDown", "MySQL is down", {"namespace": "data"})
BE_ERRORS = alert("CheckoutHighErrorRate", "12% of requests fail with 5xx", {"service": "checkout"})
BE_SLOW = alert("OrdersLatencyP99", "P99 latency is 4 s", {"service": "orders"}, severity=Severity.CRITICAL)
FE_SLOW = alert("PageLoadTimeHigh", "Page load time p75 is 9 s", {"app": "web-shop"}, severity=Severity.CRITICAL)
OBS = alert("PrometheusTargetMissing", "A scrape target is missing", severity=Severity.CRITICAL)


def judged(*alerts: Exemplar) -> Judgement:
    return judge(case_from(*alerts), Language.EN)


@pytest.mark.parametrize(
    ("alerts", "primary", "secondary"),
    [
        ((BE_ERRORS, DB_FULL), "DB", ["BE"]),
        ((FE_SLOW, BE_SLOW, DB_FULL), "DB", ["BE", "FE"]),
        ((BE_ERRORS, FE_SLOW), "BE", ["FE"]),
        ((BE_ERRORS, DB_FULL, NODE_LOST), "INFRA", ["DB", "BE"]),
        ((OBS, BE_ERRORS), "BE", ["INFRA"]),
        ((BE_ERRORS, BE_SLOW), "BE", []),
    ],
)
def test_the_deepest_fault_is_the_root_cause(alerts: tuple[Exemplar, ...], primary: str, secondary: list[str]) -> None:
    for order in (alerts, alerts[::-1]):
        judgement = judged(*order)
        assert judgement.primary_responsibility == primary
        assert judgement.secondary_teams == secondary


def test_shallower_faults_are_reported_as_symptoms() -> None:
    judgement = judged(BE_ERRORS, DB_FULL)
    assert "Alerts of the back-end team (BE) fire too" in judgement.responsibility_reasoning
    assert "CheckoutHighErrorRate (1)" in judgement.reasoning
    assert "PostgreSQLTooManyConnections (1)" in judgement.reasoning


def test_agreement_raises_confidence_and_conflicts_lower_it() -> None:
    assert judged(NODE_LOST, NODE_GONE).confidence > judged(NODE_LOST).confidence
    assert judged(DB_FULL, BE_ERRORS).confidence < judged(DB_FULL).confidence
    assert judged(DB_DOWN, NODE_LOST).confidence < judged(NODE_LOST).confidence


def test_a_notice_is_no_root_cause_and_lowers_the_confidence() -> None:
    notice = alert("CertificateRotated", "Certificate replaced", {"host": "api"}, severity=Severity.INFO)
    judgement = judged(BE_ERRORS, notice)
    assert judgement.primary_responsibility is Responsibility.BE
    assert judgement.secondary_teams == ["INFRA"]
    assert judgement.confidence < judged(BE_ERRORS).confidence
    assert judged(notice).primary_responsibility is Responsibility.INFRA


def test_after_several_changes_none_of_them_is_taken_for_the_cause() -> None:
    notices = (
        alert("CdnConfigPublished", "Edge configuration of the CDN is active", severity=Severity.INFO),
        alert("MySQLFailover", "MySQL failover completed", severity=Severity.INFO),
    )
    judgement = judged(BE_ERRORS, *notices)
    assert "after several changes" in judgement.action_title
    assert judgement.confidence < 0.7
    assert "after several changes" not in judged(BE_ERRORS, notices[0]).action_title


def test_faults_of_all_teams_are_no_fault_of_one_unless_the_platform_is_below_them() -> None:
    quota = alert("HpaMaxedOut", "HPA at max replicas", {"cluster": "prod"})
    cpu = alert("MySQLCpuHigh", "CPU usage of MySQL is 95%", {"service": "orders-db"})
    everywhere = judged(FE_SLOW, BE_ERRORS, cpu, quota)
    assert "All layers" in everywhere.action_title
    assert everywhere.confidence < 0.7
    assert judged(FE_SLOW, BE_ERRORS, DB_FULL, NODE_LOST).primary_responsibility is Responsibility.INFRA
    assert judged(FE_SLOW, BE_ERRORS, DB_FULL, NODE_LOST).confidence > 0.7


def test_of_one_team_the_alert_that_states_its_reason_decides() -> None:
    refused = alert("TokensRefused", "30% of requests answer 401: unknown kid", {"service": "session"})
    unauthorized = alert("Status401", "Service answers 401 to 30% of requests", {"service": "edge"})
    assert "signing key" in judged(unauthorized, refused).action_title


def test_alerts_that_match_no_rule_are_collab_with_the_most_likely_team() -> None:
    for judgement in (judged(alert("Oops")), judge(case_from(), Language.EN)):
        assert judgement.primary_responsibility is Responsibility.COLLAB
        assert judgement.secondary_teams == [Responsibility.BE]
        assert judgement.confidence == 0.3
        assert judgement.kubectl_command == ""


def test_weak_evidence_has_low_confidence() -> None:
    for weak in (alert("SomethingIsOdd"), alert("Down"), alert("Alert", labels={"service": "zarquon"})):
        assert judged(weak).confidence < 0.7


def test_alert_names_without_exemplars_are_classified() -> None:
    names = {"Oops": 1, "RedisMemoryHigh": 7}
    odd = case_from(alert("Oops"))
    judgement = judge(replace(odd, alert_names=names, alert_count=8), Language.EN)
    assert judgement.primary_responsibility is Responsibility.DB
    assert "RedisMemoryHigh (7)" in judgement.reasoning


def test_a_close_second_team_is_named() -> None:
    judgement = judged(alert("Oddity", "Grafana has trouble with its Postgres"))
    assert judgement.primary_responsibility is Responsibility.DB
    assert judgement.secondary_teams == [Responsibility.INFRA]
    assert "second most likely is the infrastructure team" in judgement.responsibility_reasoning


@pytest.mark.parametrize(
    "found",
    [
        alert("OpenstackVolumeApiErrors", "Unexpected errors in the API"),
        alert("CapacityNotCollected", "The collector reports no capacity", {"service": "quotas"}),
    ],
)
def test_the_code_of_a_service_of_the_platform_has_the_platform_second(found: Exemplar) -> None:
    assert judged(found).primary_responsibility is Responsibility.BE
    assert judged(found).secondary_teams == [Responsibility.INFRA]


def test_the_databases_come_second_beside_the_platform_only_if_a_data_store_is_named() -> None:
    assert judged(alert("LdapReplicationBroken", "Directory servers differ")).secondary_teams == []
    certificate = alert("KafkaBrokerCertificateExpiring", "The certificate is valid for 5 more days")
    assert judged(certificate).primary_responsibility is Responsibility.INFRA
    assert judged(certificate).secondary_teams == [Responsibility.DB]
