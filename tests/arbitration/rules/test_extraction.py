"""What is evidence, and what is not."""

import pytest

from openclaw_stream.arbitration.rules import judge
from openclaw_stream.events.decision import Judgement
from openclaw_stream.incidents.case import Exemplar
from openclaw_stream.vocabulary import Language, Responsibility
from tests.builders import alert, case_from

CRASHING = ("KubePodCrashLooping", "A container restarts again and again")


def judged(*alerts: Exemplar) -> Judgement:
    return judge(case_from(*alerts), Language.EN)


@pytest.mark.parametrize("source", ["kube-state-metrics", "prom-kube-state-metrics", "kubelet", "cadvisor", "blackbox"])
@pytest.mark.parametrize("label", ["job", "container", "service", "exported_job"])
def test_the_name_of_an_exporter_is_no_evidence(source: str, label: str) -> None:
    labels = {"namespace": "shop", "app": "basket"}
    plain, measured = judged(alert(*CRASHING, labels)), judged(alert(*CRASHING, {**labels, label: source}))
    assert measured.primary_responsibility is plain.primary_responsibility
    assert measured.confidence == plain.confidence


@pytest.mark.parametrize(
    ("labels", "team"),
    [
        ({"container": "basket", "deployment": "basket"}, "BE"),
        ({"container": "redis", "statefulset": "redis-main"}, "DB"),
        ({"container": "coredns", "deployment": "coredns"}, "INFRA"),
    ],
)
def test_a_crashing_workload_belongs_to_the_team_of_its_software(labels: dict[str, str], team: str) -> None:
    judgement = judged(alert(*CRASHING, {"namespace": "prod", "job": "kube-state-metrics", **labels}))
    assert judgement.primary_responsibility == team


def test_a_sentence_about_a_late_answer_is_not_a_request() -> None:
    judgement = judged(alert("Slow", "The service answers late and its PostgreSQL is out of connections"))
    assert Responsibility.DB in {judgement.primary_responsibility, *judgement.secondary_teams}


@pytest.mark.parametrize("name", ["SomethingIsWrong", "Threshold exceeded", "Please look at this", "異常通知", "P1"])
def test_a_name_without_terms_of_the_vocabulary_is_collab(name: str) -> None:
    judgement = judged(alert(name))
    assert judgement.primary_responsibility is Responsibility.COLLAB
    assert judgement.confidence < 0.5


def test_what_a_sentence_calls_down_is_a_service_where_no_label_names_one() -> None:
    judgement = judge(case_from(alert("SomethingIsWrong", annotations={"summary": "Zorblax Wrt is down"})), Language.EN)
    assert judgement.primary_responsibility is Responsibility.BE


def test_a_test_notification_is_no_fault() -> None:
    judgement = judge(case_from(alert("TestAlert", annotations={"summary": "Notification test"})), Language.EN)
    assert judgement.primary_responsibility is Responsibility.COLLAB
    assert judgement.secondary_teams == [Responsibility.INFRA]
    assert "(INFRA)" in judgement.responsibility_reasoning
    assert "Test notification" in judgement.action_title
    assert "it reports no fault" in judgement.description


@pytest.mark.parametrize(
    "title", ["OpenstackFigsScrapingDelayed", "Scraping by figs is delayed", "figs: scraping delayed"]
)
def test_an_alert_that_is_named_after_its_service_is_about_what_that_does(title: str) -> None:
    labels = {"service": "figs"}
    named, other = judged(alert(title, "", labels)), judged(alert("ScrapingDelayed", "", labels))
    assert named.primary_responsibility is Responsibility.BE
    assert named.confidence > other.confidence
