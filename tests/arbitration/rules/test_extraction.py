"""What counts as evidence, and what only looks like it."""

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
def test_where_it_was_measured_tells_nothing(source: str, label: str) -> None:
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
def test_a_workload_that_crashes_is_for_the_team_of_what_runs_in_it(labels: dict[str, str], team: str) -> None:
    judgement = judged(alert(*CRASHING, {"namespace": "prod", "job": "kube-state-metrics", **labels}))
    assert judgement.primary_responsibility == team


def test_a_service_that_does_not_answer_is_no_request() -> None:
    said = judged(alert("Slow", "The service answers late and its PostgreSQL is out of connections"))
    assert Responsibility.DB in {said.primary_responsibility, *said.secondary_teams}


@pytest.mark.parametrize("name", ["SomethingIsWrong", "Threshold exceeded", "Please look at this", "異常通知", "P1"])
def test_a_name_of_words_that_tell_of_nothing_is_for_several(name: str) -> None:
    judgement = judged(alert(name))
    assert judgement.primary_responsibility is Responsibility.COLLAB
    assert judgement.confidence < 0.5
