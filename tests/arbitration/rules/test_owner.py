"""The judgement of the rules where the owner of the subject is known."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.arbitration.gate import gate
from openclaw_stream.arbitration.rules import judge
from openclaw_stream.events.decision import Judgement
from openclaw_stream.incidents.case import Case, Exemplar, Owner
from openclaw_stream.vocabulary import Language, Responsibility
from tests.builders import alert, case_from, judgement

TEAMS = tuple(team for team in Responsibility if team is not Responsibility.COLLAB)
CART = {"namespace": "shop", "deployment": "cart"}
POD = {"namespace": "shop", "pod": "cart-7d9f8b6c5-x2x4z"}

SYMPTOMS = (
    alert("Oops"),
    alert("CheckoutHighErrorRate", "12% of requests fail with 5xx", {"service": "checkout"}),
    alert("HighLatency", "P99 latency of checkout is 4 s", {"service": "checkout"}),
    alert("ErrorBudgetBurn", "The error budget of the availability SLO burns", {"service": "checkout"}),
    alert("ServiceDown", "checkout is down", {"service": "checkout"}),
    alert("KubePodCrashLooping", "Pod shop/cart-7d9f8b6c5-x2x4z is in waiting state: CrashLoopBackOff", POD),
    alert("KubeDeploymentReplicasMismatch", "Deployment shop/cart has not matched its number of replicas", CART),
    alert("ContainerOOMKilled", "Container app was OOM killed", POD),
    alert("CPUThrottlingHigh", "42% throttling of CPU of container app", POD),
    alert("HighMemoryUsage", "Memory usage is at 95%", POD),
    alert("UnhandledExceptions", "NullPointerException 40 times a minute", {"service": "checkout"}),
    alert("KubePodNotReady", "Pod has been in a non-ready state", POD),
)
"""What any service shows."""

PARTS = (
    (alert("PostgreSQLTooManyConnections", "Connections at 98% of max", {"service": "checkout"}), Responsibility.DB),
    (alert("HighLatency", "checkout waits for redis, which is down", {"service": "checkout"}), Responsibility.DB),
    (alert("KubeNodeNotReady", "Node worker-3 is not ready", {"node": "worker-3"}), Responsibility.INFRA),
    (alert("DnsLookupFailing", "DNS lookups fail", {"service": "checkout"}), Responsibility.INFRA),
    (alert("CertificateExpiry", "The certificate expires in 3 days", {"namespace": "shop"}), Responsibility.INFRA),
    (alert("JsErrorRate", "JavaScript errors in the browser", {"app": "cart"}), Responsibility.FE),
)


def owned(by: Responsibility | None, *alerts: Exemplar, label: str = "") -> Case:
    return replace(case_from(*alerts), owner=Owner("Shop backend", "entry 1", by, label=label))


def judged(by: Responsibility | None, *alerts: Exemplar) -> Judgement:
    return judge(owned(by, *alerts), Language.EN)


@pytest.mark.parametrize("owner", TEAMS)
@pytest.mark.parametrize("symptom", SYMPTOMS, ids=lambda each: each.name)
def test_symptoms_belong_to_the_owner(symptom: Exemplar, owner: Responsibility) -> None:
    found, alone = judged(owner, symptom), judge(case_from(symptom), Language.EN)
    assert (found.primary_responsibility, found.secondary_teams) == (owner, [])
    assert found.confidence == max(alone.confidence, 0.9)
    assert found.responsibility_reasoning == (
        f"The owners file names Shop backend ({owner}) for this subject. Nothing in the alerts points to another team."
    )


@pytest.mark.parametrize("owner", TEAMS)
@pytest.mark.parametrize(("part", "team"), PARTS, ids=lambda each: getattr(each, "name", each))
def test_a_named_part_of_another_team_keeps_that_team(
    part: Exemplar, team: Responsibility, owner: Responsibility
) -> None:
    found, alone = judged(owner, part), judge(case_from(part), Language.EN)
    assert found.primary_responsibility == alone.primary_responsibility == team
    assert "the alerts name " in found.responsibility_reasoning
    assert f"The owners file names Shop backend ({owner}) for this subject." in found.responsibility_reasoning
    if owner is team:
        assert found.confidence == max(alone.confidence, 0.9)
    else:
        assert found.secondary_teams[0] == owner
        assert found.confidence == alone.confidence


@given(st.permutations(SYMPTOMS), st.sampled_from(PARTS), st.integers(1, 5), st.sampled_from(TEAMS))
def test_among_many_symptoms_a_named_part_names_a_team(
    symptoms: list[Exemplar], part: tuple[Exemplar, Responsibility], count: int, owner: Responsibility
) -> None:
    found = judged(owner, *symptoms[:count], part[0])
    assert {owner, part[1]} <= {found.primary_responsibility, *found.secondary_teams}
    assert found.primary_responsibility in {owner, part[1]}


@given(st.permutations(SYMPTOMS), st.integers(1, 5), st.sampled_from(TEAMS))
def test_many_symptoms_belong_to_the_owner(symptoms: list[Exemplar], count: int, owner: Responsibility) -> None:
    found = judged(owner, *symptoms[:count])
    assert (found.primary_responsibility, found.secondary_teams) == (owner, [])
    assert found.confidence >= 0.9


@pytest.mark.parametrize("each", [*SYMPTOMS, *(part for part, _ in PARTS)], ids=lambda each: each.name)
def test_an_owner_without_a_responsibility_changes_nothing(each: Exemplar) -> None:
    assert judged(None, each) == judge(case_from(each), Language.EN)


def test_the_texts_name_the_owner_in_chinese_and_by_a_label() -> None:
    error, database = SYMPTOMS[1], PARTS[0][0]
    texts = [
        judge(owned(Responsibility.BE, each, label=label), Language.ZH_TW).responsibility_reasoning
        for each, label in ((error, ""), (database, "team"))
    ]
    assert texts[0] == "歸屬設定檔指定此對象歸 Shop backend（BE）管理。告警內容沒有指向其他團隊。"
    assert texts[1].endswith("標籤 team 標示此對象歸 Shop backend（BE）管理。")


def test_an_unknown_cause_is_that_of_the_owner() -> None:
    found = judged(Responsibility.DB, alert("Oops"))
    assert found.action_title == judge(case_from(alert("Oops")), Language.EN).action_title
    assert found.kubectl_command == ""


@pytest.mark.parametrize("answer", TEAMS)
def test_a_model_is_held_to_the_owner(answer: Responsibility) -> None:
    case = owned(Responsibility.FE, SYMPTOMS[1])
    rules = judge(case, Language.EN)
    gated, confidence = gate(judgement(primary_responsibility=answer, confidence=0.99), rules, case, None)
    assert gated.primary_responsibility is Responsibility.FE
    assert confidence.gate == ("passed" if answer is Responsibility.FE else "rerouted")
