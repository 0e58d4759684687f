"""The resolution of an incident repeats its last decision, and says how it ended."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.alerts.subject import Subject
from openclaw_stream.arbitration.resolution import resolve
from openclaw_stream.arbitration.rules import RULES_VERSION
from openclaw_stream.events.arbitration_result import ArbitrationResult, PublishedDecision
from openclaw_stream.events.decision import (
    Attempt,
    BlastRadius,
    Confidence,
    IncidentOwner,
    Judgement,
    Provenance,
    Suggestion,
    Validation,
)
from openclaw_stream.vocabulary import Action, IncidentStatus, Language, Responsibility, Risk, TuningType
from tests.builders import DUE, case

ENDS = (IncidentStatus.RESOLVED, IncidentStatus.ASSUMED_RESOLVED)
SUBJECT = Subject("deployment", "shop", "checkout")
OLD = PublishedDecision("i1", 3, "DB", ("BE", "INFRA"), "medium", 0.9, "gemini")
"""What a state has of a decision of an earlier version, or one that had to shrink: no judgement."""


def decided(**fields: object) -> ArbitrationResult:
    """Return the result of a model, with a command."""
    command = "kubectl rollout undo deployment/checkout -n shop"
    judgement = Judgement.model_validate(
        {
            "action_title": "checkout (Deployment, shop): errors since the release",
            "description": "自 2.14.0 上版後錯誤率上升。",
            "suggested_action": Action.RESTART_DEPLOYMENT,
            "kubectl_command": command,
            "command_reason": "“since the rollout of 2.14.0”",
            "risk_level": Risk.MEDIUM,
            "blast_radius": BlastRadius(affected_pods=3),
            "primary_responsibility": Responsibility.BE,
            "optimization_suggestions": [Suggestion(type=TuningType.CACHE, description="d")],
            "confidence": 0.1 + 0.7,
            **fields,
        }
    )
    return ArbitrationResult(
        judgement=judgement,
        confidence=Confidence(reported=0.95, evidence=1 / 3, final=0.1 + 0.2, gate="collab"),
        provenance=Provenance(
            provider="ollama",
            model="qwen2.5:7b-instruct",
            attempts=[Attempt(provider="ollama", outcome="answered", cost_usd=0.02)],
            prompt_version="4f0c2a91",
            rules_version="1",
            language=Language.ZH_TW,
        ),
        validation=Validation(warnings=["w"]),
        decided_at=datetime.now(UTC),
    )


@pytest.mark.parametrize("status", ENDS)
def test_a_resolution_repeats_the_last_decision(status: IncidentStatus) -> None:
    before = decided()
    after = resolve(case(), status, before.as_published("i1", 2), Language.EN)
    assert after.judgement.model_dump_json() == before.judgement.model_dump_json()
    assert after.confidence == before.confidence
    assert after.provenance == before.provenance.model_copy(update={"attempts": []}), "no call was made for it"
    assert (after.validation, after.suggestions) == (Validation(), [])


def test_a_resolution_repeats_the_owner() -> None:
    owner = IncidentOwner(team="商店後端", contact="#shop", matched_by="label team")
    last = replace(decided(), owner=owner).as_published("i1", 2)
    assert resolve(case(), IncidentStatus.RESOLVED, last, Language.EN).owner == owner


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=100).map(lambda text: text * 80))
def test_any_judgement_is_repeated_as_it_was_published(text: str) -> None:
    before = decided(description=text[:4000], reasoning=text[:8000], signoz_correlation=text[:2000])
    after = resolve(case(), IncidentStatus.RESOLVED, before.as_published("i1", 2), Language.EN)
    published = before.within_limits().judgement.model_dump_json()
    assert after.judgement.model_dump_json() == published
    assert after.within_limits().judgement.model_dump_json() == published


@pytest.mark.parametrize(("status", "kind"), [(ENDS[0], "resolved"), (ENDS[1], "assumed")])
def test_how_an_incident_ended(status: IncidentStatus, kind: str) -> None:
    resolution = resolve(case(alert_count=7, opened_at=DUE - 61_500), status, None, Language.EN).resolution
    assert resolution
    assert (resolution.kind, resolution.duration_s, resolution.alerts) == (kind, 61, 7)
    assert round(resolution.ended_at.timestamp() * 1000) == DUE


def test_the_text_says_what_to_do_in_the_output_language() -> None:
    before = decided().as_published("i1", 2)
    texts = {
        (status, language): (ended := resolve(case(), status, before, language).resolution) and ended.text
        for status in ENDS
        for language in Language
    }
    resolved, assumed = ENDS
    assert "No action is needed." in str(texts[resolved, Language.EN])
    assert "Check that the alert source still works." in str(texts[assumed, Language.EN])
    assert "無須進一步處理" in str(texts[resolved, Language.ZH_TW])
    assert "請確認告警來源" in str(texts[assumed, Language.ZH_TW])


def test_after_a_decision_of_an_earlier_version_its_team_is_repeated() -> None:
    result = resolve(case(services=("checkout",), subject=SUBJECT), IncidentStatus.RESOLVED, OLD, Language.EN)
    judgement = result.judgement
    assert judgement.action_title == "checkout (Deployment, shop): resolved"
    assert (judgement.primary_responsibility, judgement.secondary_teams) == ("DB", ["BE", "INFRA"])
    assert (judgement.risk_level, judgement.confidence) == (Risk.MEDIUM, 0.0)
    assert (judgement.namespace, judgement.affected_services) == ("shop", ["checkout"])
    assert (judgement.kubectl_command, result.suggestions) == ("", [])
    assert (result.provenance.provider, result.provenance.rules_version) == ("gemini", RULES_VERSION)


@pytest.mark.parametrize("packed", [b"no judgement", decided().as_published("i1", 2).judgement[:-20]])
def test_a_judgement_that_cannot_be_read_is_not_repeated(packed: bytes) -> None:
    result = resolve(case(), IncidentStatus.RESOLVED, OLD._replace(judgement=packed), Language.EN)
    assert result.judgement.primary_responsibility is Responsibility.DB


@pytest.mark.parametrize(("team", "gate"), [("DB", "passed"), ("COLLAB", "collab")])
def test_without_the_judgement_the_confidence_is_zero_so_that_consumers_keep_theirs(team: str, gate: str) -> None:
    result = resolve(case(), IncidentStatus.RESOLVED, OLD._replace(primary_responsibility=team), Language.EN)
    assert (result.confidence.final, result.judgement.confidence, result.confidence.gate) == (0.0, 0.0, gate)


@pytest.mark.parametrize(
    ("status", "language", "title"),
    [
        (IncidentStatus.RESOLVED, Language.EN, "checkout (Deployment, shop): resolved"),
        (IncidentStatus.ASSUMED_RESOLVED, Language.EN, "checkout (Deployment, shop): assumed resolved"),
        (IncidentStatus.RESOLVED, Language.ZH_TW, "checkout (Deployment, shop): 已恢復"),
        (IncidentStatus.ASSUMED_RESOLVED, Language.ZH_TW, "checkout (Deployment, shop): 視為已恢復"),
    ],
)
def test_without_a_decision_it_is_collab_and_names_the_subject(
    status: IncidentStatus, language: Language, title: str
) -> None:
    result = resolve(case(subject=SUBJECT), status, None, language)
    assert result.judgement.action_title == title
    assert result.judgement.primary_responsibility is Responsibility.COLLAB
    assert (result.confidence.final, result.provenance.provider) == (0.0, "rules")


def test_without_a_subject_the_title_names_the_group() -> None:
    titles = [
        resolve(case(group_key=group), IncidentStatus.RESOLVED, None, Language.EN).judgement.action_title
        for group in ("shop/checkout", "x" * 500)
    ]
    assert titles[0].startswith("shop/checkout")
    assert len(titles[1]) <= 200
